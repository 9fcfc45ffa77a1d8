"""rliable's intervals of ten runs on five tasks, 500 replicates at a time. Speaks as main.swift says."""

import numpy
from rliable import library, metrics

from serving import serve

scores = numpy.random.default_rng(1).uniform(size=(10, 5))


def aggregates(scores):
    return numpy.array([metrics.aggregate_mean(scores), metrics.aggregate_median(scores),
                        metrics.aggregate_iqm(scores), metrics.aggregate_optimality_gap(scores)])


def work():
    library.get_interval_estimates({"a": scores}, aggregates, reps=500)
    return 500


serve(work)
