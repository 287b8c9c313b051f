"""Runs a Standard Workload Format trace through AccaSim with EASY backfill and prints jobs and seconds as one JSON line.

AccaSim is a peer that is measured in the same run as giga, so that the ratio does not depend on the machine. Usage:
run_accasim.py TRACE NODES CORES_PER_NODE
"""
import collections
import collections.abc
import json
import os
import sys
import tempfile
import time

# AccaSim 1.1.3 was written for Python 3.5, which still had this name there.
collections.Mapping = collections.abc.Mapping

from accasim.base.allocator_class import FirstFit
from accasim.base.scheduler_class import EASYBackfilling
from accasim.base.simulator_class import Simulator


def philly_as_swf(trace, out):
    """Writes the Philly trace in the format that AccaSim reads; one GPU is one processor, the limit is twice the run time."""
    import csv
    import datetime

    with open(trace, newline="") as source:
        rows = [row for row in csv.reader(source) if len(row) == 5][1:]
    when = lambda row: int(datetime.datetime.fromisoformat(row[0] + "+00:00").timestamp())
    rows.sort(key=when)
    first = when(rows[0])
    with open(out, "w") as target:
        for number, row in enumerate(rows, 1):
            run = max(1, round(float(row[1])))
            at, gpus, limit = when(row) - first, int(row[2]), 2 * run
            target.write(f"{number} {at} -1 {run} {gpus} -1 1 {gpus} {limit} 1 1 1 1 -1 -1 1 -1 -1\n")


def swf_with_memory(trace, out):
    """Copies a trace; jobs that never ran are left out, and every job asks for 1 kB, since AccaSim divides by it."""
    with open(trace) as source, open(out, "w") as target:
        for line in source:
            cells = line.split()
            if len(cells) == 18 and not line.startswith(";") and int(cells[3]) >= 0:
                cells[6] = cells[9] = "1"
                target.write(" ".join(cells) + "\n")


def jobs_in(trace):
    """Lines of jobs in a trace."""
    with open(trace) as lines:
        return sum(1 for line in lines)


def main():
    trace, nodes, cores = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        copy = os.path.join(folder, "trace.swf")
        (philly_as_swf if trace.endswith(".csv") else swf_with_memory)(trace, copy)
        system = {"groups": {"node": {"core": cores, "mem": 10**9}}, "resources": {"node": nodes}}
        with open("system.json", "w") as out:
            json.dump(system, out)
        simulator = Simulator(
            copy, "system.json", EASYBackfilling(FirstFit()), show_statistics=False, RESULTS_FOLDER_NAME=folder
        )
        begun, begun_cpu = time.perf_counter(), time.process_time()
        simulator.start_simulation()
        seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - begun_cpu
        jobs = jobs_in(copy)
    result = {"peer": "AccaSim 1.1.3", "jobs": jobs, "seconds": round(seconds, 3), "cpu_seconds": round(cpu_seconds, 3)}
    print(json.dumps(result | {"jobs_per_second": round(jobs / seconds), "jobs_per_cpu_second": round(jobs / cpu_seconds)}))


if __name__ == "__main__":
    main()
