#!/usr/bin/env bash
# Submissions through the whole path beside slurmrestd's own rate, on a real Slurm that it starts. Usage: benches/slurm.sh
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo bench --quiet -p giga --bench slurm
