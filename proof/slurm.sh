#!/usr/bin/env bash
# The long proof on Slurm: three real clusters under a release build of the server, which is killed COUNT times (340 unless
# given) while their controllers are killed and frozen, answers of theirs are lost and others submit beside; about half as many
# troubles of controllers come on top. The disks under server and nodes get full, and its clock is set forwards and back. Checks that
# nothing is lost or doubled, and keeps the log in proof/log/slurm-COUNT.txt. GIGA_SEED repeats the choices of a run. Linux with the
# packages that scripts/slurm-sites names and faketime, as root, who may mount small disks; with GIGA_REQUIRE=slurm what of that can
# not be had is left out by name. Usage: proof/slurm.sh [COUNT]
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-340}
log=$PWD/proof/log/slurm-$count.txt
mkdir -p proof/log
export GIGA_REQUIRE=${GIGA_REQUIRE:-slurm,full-disk,clock}
GIGA_SLURM_KILLS=$count GIGA_KILL_LOG=$log cargo test --release -p giga --test kill -- on_slurm --nocapture
echo "log: proof/log/slurm-$count.txt"
