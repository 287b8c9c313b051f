#!/usr/bin/env bash
# What cooling by weather adds to the simulation of Europe: the same 60 sites with warm water under published weather years, and with the
# mean of that as a factor of each, in processor seconds. Both run at the same time, on two cores, so that what else the machine does meets
# both. Reading the weather is in it. Usage: benches/cooling.sh FOLDER [SPAN]
set -euo pipefail
weather=$(cd "$1/weather" && pwd)
span=${2:-60d}
cd "$(dirname "$0")/.."
cargo build -q --release -p giga --no-default-features
giga=${CARGO_TARGET_DIR:-target}/release/giga
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 - "$weather" "$folder" "$giga" <<'PYTHON'
import itertools, os, re, subprocess, sys
weather, folder, giga = sys.argv[1:]
names = ["lyon-tmyx-2004-2018.epw", "dwd-potsdam-2015.dat", "lisbon-ineti.epw", "north-italy-pvgis-tmy.epw"]
files = itertools.cycle([os.path.join(weather, name) for name in names])
text = re.sub(r"(?m)^oversubscribed = true\n", "", open("scenarios/europe.toml").read())
key = re.compile(r"(?m)^facility_factor = .*$")
def write(name, line):
    open(f"{folder}/{name}.toml", "w").write(key.sub(lambda _: f"oversubscribed = true\n{line()}", text))
write("weather", lambda: f'weather = {{ file = "{next(files)}" }}\ncooling = {{ kind = "warm-water" }}')
told = subprocess.run([giga, "check", f"{folder}/weather.toml"], capture_output=True, text=True)
means = iter(re.findall(r"the meter shows ([0-9.]+) of what", told.stdout + told.stderr))
write("factor", lambda: f"facility_factor = {next(means)}")
PYTHON
TIMEFORMAT=%U
seconds() { { time "$giga" simulate "$folder/$1.toml" --for "$span" >/dev/null 2>&1; } 2>&1; }
for _ in 1 2 3; do
    seconds factor >"$folder/factor.s" &
    seconds weather >"$folder/weather.s" &
    wait
    python3 -c 'import sys; a, b = map(float, sys.argv[1:]); print(f"factor {a:.1f} s, weather {b:.1f} s: {b / a - 1:+.0%}")' $(cat "$folder"/factor.s "$folder"/weather.s)
done
