"""rliable's intervals of ten runs on five tasks, 500 replicates at a time. Speaks as main.swift says."""

import sys
import time

import numpy
from rliable import library, metrics

scores = numpy.random.default_rng(1).uniform(size=(10, 5))


def aggregates(scores):
    return numpy.array([metrics.aggregate_mean(scores), metrics.aggregate_median(scores),
                        metrics.aggregate_iqm(scores), metrics.aggregate_optimality_gap(scores)])


print("ready", flush=True)
for line in sys.stdin:
    wanted, start, replicates = float(line), time.perf_counter(), 0
    while time.perf_counter() - start < wanted:
        library.get_interval_estimates({"a": scores}, aggregates, reps=500)
        replicates += 500
    print(replicates, time.perf_counter() - start, flush=True)
