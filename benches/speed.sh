#!/usr/bin/env bash
# How fast giga is, beside others in the same run, since times of different runs or machines say little. It prints
# ratios and judges nothing but what is missing:
#   - hpc2n.swf and philly-2017.csv with EASY backfill against AccaSim (the bar: 100 times its jobs per second),
#     reading and simulating, no files written; wall and processor time;
#   - a year of Narvik to its files beside a sort of as many rows: seconds, jobs per second, peak memory;
#   - Kueue's published load;
#   - years and tens of years of a small site: memory must not grow with simulated time.
# Needs GIGA_DATA for the traces and Python with the network once for AccaSim. Usage: benches/speed.sh
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet -p giga
giga=${CARGO_TARGET_DIR:-target}/release/giga
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Runs a command some times; prints the best wall seconds, its processor seconds and its peak memory in kB.
best() { # TIMES COMMAND…
    local times=$1
    shift
    python3 - "$times" "$@" <<'PY'
import os, subprocess, sys, time
times, command = int(sys.argv[1]), sys.argv[2:]
best = None
for _ in range(times):
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    if status:
        sys.exit("failed: " + " ".join(command))
    run = (wall, used.ru_utime + used.ru_stime, used.ru_maxrss)
    best = min(best or run, run)
print(f"{best[0]:.4f} {best[1]:.4f} {best[2]}")
PY
}
calculate() { python3 -c "print(f'{$1:,.$2f}')"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

trace() { # SCENARIO TRACE NODES CORES_PER_NODE
    local scenario=$1 trace=$GIGA_DATA/traces/$2 ours jobs wall whole cpu memory peer
    if [ ! -f "$trace" ]; then echo "$2: missing in GIGA_DATA"; return; fi
    ours=$(cargo bench --quiet -p giga --bench trace -- "$PWD/scenarios/$scenario" "$trace")
    jobs=$(field jobs <<<"$ours")
    wall=$(field seconds <<<"$ours")
    echo "$2: giga $jobs jobs in $wall s: $(calculate "$jobs/$wall" 0) jobs/s; reading alone $(field reading_seconds <<<"$ours") s"
    read -r whole cpu memory < <(best 5 "$giga" simulate "scenarios/$scenario" --workload "$trace" --json)
    echo "$2: the whole process $whole s wall, $cpu s processor, $memory kB"
    if ! peer=$(benches/peers/accasim.sh "$trace" "$3" "$4" 2>"$folder/peer.log"); then
        echo "$2: AccaSim is missing or failed: $(tail -n 1 "$folder/peer.log")"
        return
    fi
    local other other_cpu
    other=$(field jobs_per_second <<<"$peer")
    other_cpu=$(field jobs_per_cpu_second <<<"$peer")
    echo "$2: AccaSim $other jobs/s, $other_cpu by processor time (reading and start of Python not counted)"
    # giga runs on one thread and its best run waits for nothing, so its wall time stands for its processor time too.
    echo "$2: ratio $(calculate "$jobs/$wall/$other" 0) by wall, $(calculate "$jobs/$wall/$other_cpu" 0) by processor time"
}

if [ -z "${GIGA_DATA:-}" ]; then echo "traces: missing, GIGA_DATA is not set"
else
    trace seth.toml hpc2n.swf 120 2
    trace philly.toml philly-2017.csv 311 8
fi

read -r wall cpu memory < <(best 3 "$giga" simulate scenarios/narvik.toml --out "$folder/narvik")
jobs=$(field jobs_submitted <"$folder/narvik/summary.json")
load=$(field offered_load <"$folder/narvik/summary.json")
sort=$(python3 - "$jobs" <<'PY'
import random, sys, time
rows = [(random.random(), number) for number in range(int(sys.argv[1]))]
begun = time.perf_counter()
rows.sort()
print(f"{time.perf_counter() - begun:.4f}")
PY
)
echo "narvik, one year to files: $jobs jobs, offered load $load, in $wall s wall, $cpu s processor"
echo "narvik: $(calculate "$jobs/$wall" 0) jobs/s, $memory kB; $(calculate "$wall/$sort" 1) times the $sort s that Python sorts as many rows in"

read -r wall cpu memory < <(best 5 "$giga" simulate scenarios/kueue.toml --json)
echo "kueue: 15,000 jobs in $wall s wall: $(calculate "15000/$wall" 0) decisions/s, $memory kB"

# Tables keep up to a group of rows in memory; so with files the shortest run is one that has filled its groups.
for years in 3 9 27; do
    read -r wall cpu memory < <(best 1 "$giga" simulate scenarios/telenor.toml --for "${years}y")
    echo "memory, no files: $years y of telenor: $memory kB"
done
for years in 90 270; do
    read -r wall cpu memory < <(best 1 "$giga" simulate scenarios/telenor.toml --for "${years}y" --out "$folder/years")
    echo "memory, to files: $years y of telenor, $(field jobs_submitted <"$folder/years/summary.json") jobs: $memory kB"
done
