"""rliable's estimates of score matrices read from standard input, as JSON.

{"ours": [[...], ...], "theirs": [[...], ...], "thresholds": [...], "replicates": N}: matrices are [runs][tasks].
"""

import json
import sys

import numpy as np
from rliable import library, metrics

given = json.load(sys.stdin)
ours, theirs = np.array(given["ours"]), np.array(given["theirs"])
thresholds = np.array(given["thresholds"])
replicates = given["replicates"]
np.random.seed(0)  # the only seed that its bootstrap heeds


def aggregates(scores):
    return np.array([
        metrics.aggregate_mean(scores), metrics.aggregate_median(scores), metrics.aggregate_iqm(scores),
        metrics.aggregate_optimality_gap(scores),
    ])


points, intervals = library.get_interval_estimates({"a": ours}, aggregates, reps=replicates)
better, betweens = library.get_interval_estimates(
    {"a": (ours, theirs)}, metrics.probability_of_improvement, reps=replicates)
profiles, bands = library.create_performance_profile({"a": ours}, thresholds, reps=replicates)
print(json.dumps({
    "aggregates": [[float(p), float(low), float(high)] for p, low, high in zip(points["a"], *intervals["a"])],
    "improvement": [float(better["a"]), float(betweens["a"][0].item()), float(betweens["a"][1].item())],
    "profile": [[float(p), float(low), float(high)] for p, low, high in zip(profiles["a"], *bands["a"])],
}))
