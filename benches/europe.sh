#!/usr/bin/env bash
# How the simulation grows, and what Europe costs: 60 sites, 16 countries, 3 million accelerators, 10 million jobs in a year, with
# EASY backfill over all waiting jobs, shares and lending, failures, power that binds, and Parquet written. It prints:
#   - seconds, jobs per second and peak memory for about 10^4, 10^5, 10^6 and 10^7 jobs, and time over n log n beside the first;
#   - a year at an offered load of 95 % and of 105 %, and in how many hours of sites power bound;
#   - Kueue's large load beside the time that was published for it;
#   - a look at the queues and an explanation with 100,000 jobs waiting, beside a sort of 100,000 numbers in the same run.
# Usage: benches/europe.sh [quick]; with `quick` the two years are left out.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet -p giga
giga=${CARGO_TARGET_DIR:-target}/release/giga
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

run() { # NAME ARGUMENTS…
    python3 - "$giga" "$folder" "$@" <<'PY'
import json, math, os, shutil, subprocess, sys, time
giga, folder, name, *arguments = sys.argv[1:]
out = os.path.join(folder, "out")
shutil.rmtree(out, ignore_errors=True)
begun = time.perf_counter()
child = subprocess.Popen([giga, "simulate", *arguments, "--out", out, "--json"], stdout=subprocess.PIPE)
told = child.stdout.read()
_, status, used = os.wait4(child.pid, 0)
wall = time.perf_counter() - begun
if status:
    sys.exit("failed: " + name)
run = json.loads(told)
jobs = run["jobs_submitted"]
cost = wall / (jobs * math.log(jobs))
base = os.path.join(folder, "base")
if not os.path.exists(base):
    open(base, "w").write(str(cost))
first = float(open(base).read())
bound = 100 * run["site_hours_bound_by_power"] / max(run["site_hours"], 1)
print(
    f"{name}: {jobs:,} jobs in {wall:.2f} s ({used.ru_utime + used.ru_stime:.2f} s of processor), {jobs / wall:,.0f} jobs/s, "
    f"{wall / jobs * 1e6:.2f} µs a job, peak {used.ru_maxrss / 1024:,.0f} MiB, over n log n {cost / first:.2f} of the first; "
    f"load {100 * run['offered_load']:.1f} %, power bound in {bound:.1f} % of hours of sites, violations {run['violations']}"
)
PY
}

run "a third of a day" scenarios/europe.toml --for 9h
run "four days" scenarios/europe.toml --for 4d
run "36 days" scenarios/europe.toml --for 36d
if [ "${1:-}" != quick ]; then
    run "a year at 95 %" scenarios/europe.toml --load 95
    run "a year at 105 %" scenarios/europe.toml --load 105
fi

python3 benches/kueue_large.py > "$folder/kueue.toml"
begun=$(date +%s%N)
"$giga" simulate "$folder/kueue.toml" --for 1h --json > "$folder/kueue.json"
ended=$(date +%s%N)
python3 - "$folder/kueue.json" "$begun" "$ended" <<'PY'
import json, sys
run, wall = json.load(open(sys.argv[1])), (int(sys.argv[3]) - int(sys.argv[2])) / 1e9
jobs = run["jobs_completed"]
print(f"Kueue's large load: {jobs:,} workloads in 1,000 queues simulated in {wall:.2f} s; published: 1,179 s, {1179 / wall:,.0f} times that")
PY

echo "looks and explanations, microseconds:"
cargo bench --quiet -p giga --bench pass -- "$PWD/scenarios/europe.toml" 100000
