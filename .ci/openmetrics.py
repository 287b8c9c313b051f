"""Reads an exposition with the parser of prometheus_client, and says what is not as it should be."""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

text = sys.stdin.read()
families = list(text_string_to_metric_families(text))
samples = sum(len(family.samples) for family in families)
bare = [family.name for family in families if not family.documentation or family.type == "unknown"]
assert not bare, f"families without help or type: {bare}"
# The parser takes a family without samples; a watcher can do nothing with one that never has any.
names = {family.name for family in families}
for needed in ("giga_ready", "giga_jobs", "giga_queue_wait_seconds", "giga_site_power_limit_watts", "giga_build"):
    assert needed in names, f"{needed} is missing"
units = {family.name: family.unit for family in families if family.unit}
assert all(name.endswith("_" + unit) for name, unit in units.items()), units
print(f"{len(families)} families, {samples} samples, {len(text)} bytes")
