#!/usr/bin/env bash
# The long proof by killing: kills a release build of the server COUNT times (200 unless given) over real local jobs, checks
# that nothing is lost or doubled, and keeps the log in proof/log/kill-COUNT.txt. GIGA_SEED repeats the choices of a run.
# Linux only. Usage: proof/kill.sh [COUNT]
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-200}
log=$PWD/proof/log/kill-$count.txt
mkdir -p proof/log
GIGA_KILLS=$count GIGA_KILL_LOG=$log cargo test --release -p giga --test kill -- --nocapture
echo "log: proof/log/kill-$count.txt"
