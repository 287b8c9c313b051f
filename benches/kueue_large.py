"""Writes the large load that Kueue publishes for its performance tests as a description, on standard output.

kubernetes-sigs/kueue, test/performance/scheduler/configs/large-scale/generator.yaml: cohorts of 100 queues with 20 CPUs each that
lend to each other; small, medium and large workloads of 1, 5 and 20 CPUs. The version that is public now has 20 cohorts and 20, 7
and 3 workloads in each queue. The time of 1,179 s was published for 1,000 queues and 50,000 workloads: this writes 10 cohorts with
33, 12 and 5 in each queue, the same proportions, since that version itself was not found.
"""

cohorts = 10
kinds = [("small", 50, 33, 20, 1, 50), ("medium", 100, 12, 50, 5, 100), ("large", 200, 5, 200, 20, 200)]
out = ["format = 1", 'name = "kueue-large"', '[policy]', 'sharing = "order"']
queues = [[f"c{c}-q{q}" for q in range(100)] for c in range(cohorts)]
for c in range(cohorts):
    out += ["[[site]]", f'name = "cohort-{c}"', 'country = "FI"', "facility_factor = 1"]
    out += ["[site.failures]", "enabled = false", "[site.shares]"]
    out += [f'{name} = "1 %"' for name in queues[c]]
    out += ["[[site.phase]]", 'power = "800 kW"', "[[site.phase.pool]]", 'name = "cpu"']
    out += ['accelerator = "CPU-slot"', "accelerators = 2000"]
for name in sum(queues, []):
    out += ["[[owner]]", f'name = "{name}"']
for kind, priority, *_ in kinds:
    out += ["[[programme]]", f'name = "{kind}"', f"priority = {priority}"]
for c in range(cohorts):
    for name in queues[c]:
        for kind, *_ in kinds:
            out += ["[[project]]", f'name = "{name}-{kind}"', f'programme = "{kind}"', f'owner = "{name}"']
            out += [f'sites = ["cohort-{c}"]']
out += ["[workload]", 'limits = ["1 s"]']
for kind, _, count, every, cpus, length in kinds:
    out += ["[[workload.class]]", f'name = "{kind}"', f'programme = "{kind}"', f'every = "{every} ms"']
    out += [f"count = {count}", f"sizes = [{{ accelerators = {cpus} }}]", f'length = "{length} ms"']
    out += ["guess_max = 1", 'draw = "100 %"']
print("\n".join(out))
