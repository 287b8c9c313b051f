#!/usr/bin/env bash
# Both stores in one run: durable jobs a second on SQLite and PostgreSQL with their ratio, and pages of job lists behind a
# million jobs. Needs PostgreSQL for its half. Usage: benches/store.sh
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo bench --quiet -p giga-store --bench store
