#!/usr/bin/env bash
# Measures AccaSim with EASY backfill on a trace; prints one JSON line. The package is installed once into a folder
# that is not kept in the repository. Usage: benches/peers/accasim.sh TRACE [NODES CORES_PER_NODE]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${GIGA_PEERS:-$here/../../target/peers}/accasim
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check accasim==1.1.3 >&2
fi
log=$(mktemp)
# The simulator prints of its own; the last line is the result.
if "$venv/bin/python" "$here/run_accasim.py" "$1" "${2:-120}" "${3:-2}" >"$log" 2>&1; then tail -n 1 "$log"
else tail -n 20 "$log" >&2; exit 1; fi
rm -f "$log"
