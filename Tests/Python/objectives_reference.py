"""Losses of the transformers' objectives by numpy, term by term: a JSON question in, an answer out."""

import json
import sys

import numpy

q = {key: numpy.array(value) if isinstance(value, list) else value for key, value in json.load(sys.stdin).items()}


def log_softmax(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - numpy.log(numpy.exp(shifted).sum(axis=-1, keepdims=True))


def cross_entropy():
    """Over the windows' actions that count, heads summed."""
    total, count = 0.0, 0
    logarithms = log_softmax(q["window_logits"])  # [B, W, H, C]
    for b, w in zip(*numpy.nonzero(q["mask"])):
        total -= sum(logarithms[b, w, h, q["choices"][b, w, h]] for h in range(logarithms.shape[2]))
        count += 1
    return total / count


def log_probabilities():
    logarithms = log_softmax(q["window_logits"])
    picked = numpy.take_along_axis(logarithms, q["choices"][..., None].astype(int), axis=-1)[..., 0].sum(axis=-1)
    return (picked * q["mask"]).sum(axis=1).tolist()


def squared_error():
    errors = [((q["chosen"][n] - q["actions"][n]) ** 2).mean() for n in range(len(q["counting"])) if q["counting"][n]]
    return sum(errors) / len(errors)


def next_state(axis):
    x, p, mask = q["states"], q["predictions"], q["mask"]
    errors = []
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            c, u = (b, t + 1) if axis == "time" else (b + 1, t)
            if c < x.shape[0] and u < x.shape[1] and mask[b, t] and mask[c, u]:
                errors.append(((p[b, t] - x[c, u]) ** 2).mean())
    return sum(errors) / len(errors)


def teacher(z, centre, temperature):
    return numpy.exp(log_softmax((z - centre) / temperature))


def dino(student, targets):
    return float(-(targets * log_softmax(student / 0.1)).sum(axis=-1).mean())


def dino_views():
    targets = [teacher(z, q["centre"], 0.04) for z in q["teacher_views"]]
    return float(numpy.mean([dino(s, t) for i, t in enumerate(targets) for j, s in enumerate(q["views"]) if i != j]))


def ibot():
    targets = teacher(q["teacher_tokens"], q["centre"], 0.07)
    losses = -(targets * log_softmax(q["tokens"] / 0.1)).sum(axis=-1)  # [B, T]
    return float(((losses * q["masked"]).sum(axis=1) / q["masked"].sum(axis=1).clip(min=1)).mean())


def centre():
    c = numpy.zeros(q["centre"].shape)
    for z in q["teacher_views"]:
        c = 0.9 * c + 0.1 * z.mean(axis=0)
    return c.tolist()


def variance(z):
    return float(numpy.maximum(0, 1 - numpy.sqrt(z.var(axis=0, ddof=1) + 1e-4)).mean())


def covariance(z):
    c = numpy.cov(z, rowvar=False)
    return float((c[~numpy.eye(len(c), dtype=bool)] ** 2).sum() / len(c))


def expander():
    """Two hidden layers, normalised over the batch, with gains and shifts."""
    h = q["tokens_in"]
    for k in range(2):
        h = h @ q[f"weight{k}"].T + q[f"bias{k}"]
        h = (h - h.mean(axis=0)) / numpy.sqrt(h.var(axis=0) + 1e-5) * q[f"gain{k}"] + q[f"shift{k}"]
        h = numpy.maximum(0, h)
    return (h @ q["weight2"].T + q["bias2"]).flatten().tolist()


z, y = q["embeddings"], q["other_embeddings"]
distances = ((q["reached"] - q["goals"]) ** 2).mean(axis=1)
baselines = [numpy.delete(distances, b).mean() for b in range(len(distances))]
steps = numpy.arange(q["schedule_length"])
json.dump({
    "cross_entropy": cross_entropy(),
    "log_probabilities": log_probabilities(),
    "squared_error": squared_error(),
    "next_state_time": next_state("time"),
    "next_state_batch": next_state("batch"),
    "dino": dino(q["views"][0], teacher(q["teacher_views"][0], q["centre"], 0.04)),
    "dino_views": dino_views(),
    "ibot": ibot(),
    "centre": centre(),
    "entropy": float(-(t := teacher(q["teacher_views"][0], q["centre"], 0.04), (t * numpy.log(t)).sum(axis=-1).mean())[1]),
    "variance": variance(z),
    "covariance": covariance(z),
    "two_branches": 25 * float(((z - y) ** 2).mean()) + 25 * (variance(z) + variance(y)) / 2
                    + covariance(z) + covariance(y),
    "reached": float(((q["predicted"] - q["reached"]) ** 2).mean()),
    "score": float(((distances - baselines) * q["log_probabilities"]).mean()),
    "momenta": (1 - (1 - 0.996) * 0.5 * (1 + numpy.cos(numpy.pi * steps / len(steps)))).tolist(),
    "temperatures": numpy.linspace(0.04, 0.07, int(q["schedule_length"])).tolist(),
    "expander": expander(),
}, sys.stdout)
