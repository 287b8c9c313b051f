#!/usr/bin/env bash
# Durable submissions over HTTP from 64 clients with 100,000 jobs waiting, beside the store alone; the core's cost of a
# submission; a restart after SIGKILL. Usage: benches/submit.sh
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo bench --quiet -p giga --bench submit
