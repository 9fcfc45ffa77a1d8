"""Losses and one update of the learners with values by numpy, from their formulas: a JSON question in, an answer out.

p are the parameters that a loss moves, f the same numbers held still, which also hold the targets. Gradients are central
differences in 64 bits of the sum of the losses in p.
"""

import json
import sys

import numpy

q = json.load(sys.stdin)
settings = q["settings"]
gamma = q["discount"]
b = {name: numpy.array(values) for name, values in q["batch"].items()}
low, high = numpy.array(q["low"]), numpy.array(q["high"])
a = (b["actions"] - (low + high) / 2) / ((high - low) / 2)
s, following = b["observations"], b["nextObservations"]
value_goals, policy_goals = b["valueGoals"], b["policyGoals"]
reward = b["valueRewards"]
carried = gamma * -reward  # gamma times the mask


def join(*parts):
    return numpy.concatenate(parts, axis=1)


def network(p, name, x):
    """Dense layers with GELU by tanh between them, and a normalisation after it where there are gains."""
    normed = f"{name}.2.weight" in p and p[f"{name}.2.weight"].ndim == 1
    step = 3 if normed else 2
    k = 0
    while True:
        x = x @ p[f"{name}.{k}.weight"].T + p[f"{name}.{k}.bias"]
        if f"{name}.{k + step}.weight" not in p:
            return x
        x = 0.5 * x * (1 + numpy.tanh(numpy.sqrt(2 / numpy.pi) * (x + 0.044715 * x**3)))
        if normed:
            mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
            x = (x - mean) / numpy.sqrt(variance + 1e-6) * p[f"{name}.{k + 2}.weight"] + p[f"{name}.{k + 2}.bias"]
        k += step


def twins(p, name, x):
    return [network(p, name, x)[:, 0], network(p, f"{name}_1", x)[:, 0]]


def expectile(sign, difference):
    return numpy.mean(numpy.abs(settings["expectile"] - (sign < 0)) * difference**2)


def log_likelihood(actions, means):
    return -0.5 * ((actions - means) ** 2).sum(axis=1) - actions.shape[1] / 2 * numpy.log(2 * numpy.pi)


def weights(advantages, temperature):
    return numpy.minimum(numpy.exp(temperature * advantages), settings["weightLimit"])


def softplus(x):
    return numpy.logaddexp(0, x)


def unit(x):
    """Rows of length the root of their width."""
    return x / numpy.linalg.norm(x, axis=1, keepdims=True) * numpy.sqrt(x.shape[1])


def climb(value, p, f):
    """DDPG with behaviour cloning of a value of actions in which nothing moves but those."""
    means = network(p, "actor", join(s, policy_goals))
    here = value(numpy.clip(means, -1, 1))
    size = numpy.abs(value(numpy.clip(network(f, "actor", join(s, policy_goals)), -1, 1))).mean()
    return -here.mean() / (size + 1e-6) - settings["imitationWeight"] * log_likelihood(a, means).mean()


def imitate(advantage, p):
    """Imitation weighted by advantages."""
    likelihood = log_likelihood(a, network(p, "actor", join(s, policy_goals)))
    return -(weights(advantage, settings["temperature"]) * likelihood).mean()


def with_dual_goals(learner):
    """A learner whose networks read the mean of two vectors of a goal, with the losses that these are learned by."""

    def both(p, f):
        global value_goals, policy_goals
        asked = value_goals, policy_goals

        def vectors(name, x):
            return [network(f, name, x), network(f, f"{name}_1", x)]

        def value(p, x):
            pairs = [("dual_state", "dual_goal"), ("dual_state_1", "dual_goal_1")]
            products = [(network(p, a, x) * network(p, b, asked[0])).sum(axis=1) for a, b in pairs]
            return sum(products) / 2 / numpy.sqrt(settings["goalRepresentation"]["width"])

        x = numpy.minimum(*twins(f, "target_dual_critic", join(s, asked[0], a))) - value(p, s)
        kappa = settings["goalRepresentation"]["expectile"]
        y = reward + carried * value(f, following)
        critics = twins(p, "dual_critic", join(s, asked[0], a))
        losses = {
            "dual_value_loss": numpy.mean(numpy.abs(kappa - (x < 0)) * x**2),
            "dual_critic_loss": sum(((v - y) ** 2).mean() for v in critics),
        }
        value_goals, policy_goals = [sum(vectors("dual_goal", g)) / 2 for g in asked]
        losses |= learner(p, f)
        value_goals, policy_goals = asked
        return losses

    return both


def gcbc(p, f):
    return {"policy_loss": -log_likelihood(a, network(p, "actor", join(s, policy_goals))).mean()}


def temporal(values, targets, next_targets):
    advantage = reward + carried * numpy.minimum(*next_targets) - sum(targets) / 2
    return sum(expectile(advantage, reward + carried * n - v) for v, n in zip(values, next_targets))


def gcivl(p, f):
    here, there = join(s, value_goals), join(following, value_goals)
    value_loss = temporal(twins(p, "value", here), twins(f, "target_value", here), twins(f, "target_value", there))
    advantage = (sum(twins(f, "value", join(following, policy_goals))) - sum(twins(f, "value", join(s, policy_goals)))) / 2
    return {"value_loss": value_loss, "policy_loss": imitate(advantage, p)}


def gciql(p, f):
    asked = join(s, value_goals, a)
    x = numpy.minimum(*twins(f, "target_critic", asked)) - network(p, "value", join(s, value_goals))[:, 0]
    y = reward + carried * network(f, "value", join(following, value_goals))[:, 0]
    critic_loss = sum(((v - y) ** 2).mean() for v in twins(p, "critic", asked))
    if settings["policyLoss"] == "ddpg-bc":
        policy_loss = climb(lambda u: numpy.minimum(*twins(f, "critic", join(s, policy_goals, u))), p, f)
    else:
        values = network(f, "value", join(s, policy_goals))[:, 0]
        advantage = numpy.minimum(*twins(f, "critic", join(s, policy_goals, a))) - values
        policy_loss = imitate(advantage, p)
    return {"value_loss": expectile(x, x), "critic_loss": critic_loss, "policy_loss": policy_loss}


def hiql(p, f):
    def phi(p, x, g):
        return unit(network(p, "representation", join(x, g)))

    def values(p, name, representing, x, g):
        return twins(p, name, join(x, phi(representing, x, g)))

    def mean(x, g):
        return sum(values(f, "value", f, x, g)) / 2

    value_loss = temporal(
        values(p, "value", p, s, value_goals),
        values(f, "target_value", f, s, value_goals),
        values(f, "target_value", f, following, value_goals),
    )
    near, between, there = b["lowGoals"], b["subgoals"], b["subgoalObservations"]
    low_advantage = mean(following, near) - mean(s, near)
    low_likelihood = log_likelihood(a, network(p, "actor.low", join(s, phi(f, s, near))))
    high_advantage = mean(there, policy_goals) - mean(s, policy_goals)
    high_likelihood = log_likelihood(phi(f, s, between), network(p, "actor.high", join(s, policy_goals)))
    return {
        "value_loss": value_loss,
        "policy_loss": -(weights(low_advantage, settings["lowTemperature"]) * low_likelihood).mean(),
        "high_policy_loss": -(weights(high_advantage, settings["highTemperature"]) * high_likelihood).mean(),
    }


def crl(p, f):
    root = numpy.sqrt(settings["representationWidth"])
    names = [("critic_action", "critic_goal"), ("critic_action_1", "critic_goal_1")]

    def contrast(action, goal, x):
        logits = network(p, action, x) @ network(p, goal, value_goals).T / root
        wanted = numpy.eye(len(s))
        return (-wanted * -softplus(-logits) - (1 - wanted) * -softplus(logits)).mean()

    loss = sum(contrast(action, goal, join(s, a)) for action, goal in names) / 2

    def value(u):
        return numpy.minimum(
            *[
                (network(f, action, join(s, u)) * network(f, goal, policy_goals)).sum(axis=1) / root
                for action, goal in names
            ]
        )

    if settings["policyLoss"] == "ddpg-bc":
        return {"contrastive_loss": loss, "policy_loss": climb(value, p, f)}
    here = (network(f, "value_state", s) * network(f, "value_goal", policy_goals)).sum(axis=1) / root
    return {
        "contrastive_loss": loss,
        "value_loss": contrast("value_state", "value_goal", s),
        "policy_loss": imitate(value(a) - here, p),
    }


def iqe(p, x, y):
    """The union's length by what lies between ends that follow each other and within an interval."""
    parts = settings["components"]
    x, y = x.reshape(len(x), parts, -1), y.reshape(len(y), parts, -1)
    y = numpy.maximum(x, y)
    ends = numpy.sort(numpy.concatenate([x, y], axis=2), axis=2)
    middles = (ends[:, :, 1:] + ends[:, :, :-1]) / 2
    inside = (x[..., None] < middles[:, :, None]) & (middles[:, :, None] < y[..., None])
    lengths = ((ends[:, :, 1:] - ends[:, :, :-1]) * inside.any(axis=2)).sum(axis=2)
    share = 1 / (1 + numpy.exp(-p["distance.mixture"]))
    return share * lengths.mean(axis=1) + (1 - share) * lengths.max(axis=1)


def mrn(p, x, y):
    half = x.shape[1] // 2
    symmetric = numpy.sqrt(numpy.maximum(((x - y)[:, :half] ** 2).sum(axis=1), 1e-12))
    return symmetric + numpy.maximum((x - y)[:, half:].max(axis=1), 0)


def qrl(p, f):
    distance = {"iqe": iqe, "mrn": mrn}[settings["quasimetric"]]
    end = "goal" if settings["goalForm"] == "achieved" else "state"

    def model(p, z, u):
        return z + network(p, "model", join(z, u))

    def missed(p):
        here = network(p, "state", s)
        total = (numpy.maximum(distance(p, here, network(p, "state", following)) - 1, 0) ** 2).mean()
        if end == "goal":  # what the next state achieves, which is all of it here
            total += (numpy.maximum(distance(p, here, network(p, end, following)) - 1, 0) ** 2).mean()
        return total

    away = distance(p, network(p, "state", s), network(p, end, value_goals))
    losses = {
        "distance_loss": (100 * softplus(5 - away / 100)).mean(),
        "constraint_loss": numpy.exp(f["multiplier"]) * missed(p),
        "multiplier_loss": numpy.exp(p["multiplier"]) * (settings["slack"] - missed(f)),
    }
    if settings["policyLoss"] == "awr":
        goals = network(f, end, policy_goals)
        advantage = distance(f, network(f, "state", s), goals) - distance(f, network(f, "state", following), goals)
        return losses | {"policy_loss": imitate(advantage, p)}
    there, imagined = network(p, "state", following), model(p, network(p, "state", s), a)

    def value(u):
        return -distance(f, model(f, network(f, "state", s), u), network(f, end, policy_goals))

    return losses | {
        "model_loss": (distance(p, there, imagined) + distance(p, imagined, there)).mean() / 2,
        "policy_loss": climb(value, p, f),
    }


def lavl(p, f):
    def rho(p, g, name="goal"):
        return unit(network(p, name, g))

    def value(p, x, g, target=""):
        difference = network(p, f"{target}state", x) - network(p, f"{target}end", rho(p, g, f"{target}goal"))
        return -numpy.sqrt((difference**2).sum(axis=1) + 1e-6)

    wanted = reward + carried * value(f, following, value_goals, "target_")
    sign = wanted - value(f, s, value_goals, "target_")
    theta = 1 - (1 - gamma) * f["mean_value"]
    others = numpy.roll(s, -1, axis=0)  # what the next row's state achieves, which is all of it here
    change = (value(p, following, others) - value(p, s, others)) ** 2
    moving = p if settings["policiesMoveGoals"] else f
    near, between, there = b["lowGoals"], b["subgoals"], b["subgoalObservations"]

    def evened(advantages, temperature):
        w = weights(advantages, temperature)
        return w / (w.mean() + 1e-3)

    low = evened(value(f, following, near) - value(f, s, near), settings["lowTemperature"])
    high = evened(value(f, there, policy_goals) - value(f, s, policy_goals), settings["highTemperature"])
    low_likelihood = log_likelihood(a, network(p, "actor.low", join(s, rho(moving, near))))
    high_likelihood = log_likelihood(rho(moving, between), network(p, "actor.high", join(s, policy_goals)))
    losses = {
        "value_loss": expectile(sign, wanted - value(p, s, value_goals)),
        "continuity_loss": (0.1 * softplus(10 * (change - theta**2))).mean(),
        "policy_loss": -(low * low_likelihood).mean(),
        "high_policy_loss": -(high * high_likelihood).mean(),
    }
    after["mean_value"] = (1 - settings["targetRate"]) * f["mean_value"] + settings["targetRate"] * value(
        f, s, value_goals
    ).mean()
    return losses


after = {}
tensors = {name: numpy.array(t["values"]).reshape(t["shape"]) for name, t in q["tensors"].items()}
learner = {"gcbc": gcbc, "gcivl": gcivl, "gciql": gciql, "hiql": hiql, "crl": crl, "qrl": qrl, "lavl": lavl}[q["learner"]]
if settings.get("goalRepresentation", {}).get("kind") == "dual":
    learner = with_dual_goals(learner)
factors = {"continuity_loss": settings.get("continuityWeight", 1)}


def total(p):
    return sum(factors.get(name, 1) * value for name, value in learner(p, tensors).items())


losses = learner(tensors, tensors)
steps = tensors["optimizer.steps"] + 1
for k, name in enumerate(q["parameters"]):
    moved = dict(tensors)
    gradient = numpy.zeros(tensors[name].shape)
    for place in numpy.ndindex(gradient.shape):
        ends = []
        for change in (1e-6, -1e-6):
            moved[name] = tensors[name].copy()
            moved[name][place] += change
            ends.append(total(moved))
        gradient[place] = (ends[0] - ends[1]) / 2e-6
    first = 0.9 * tensors[f"optimizer.first.{k}"] + 0.1 * gradient
    second = 0.999 * tensors[f"optimizer.second.{k}"] + 0.001 * gradient**2
    size = numpy.sqrt(second / (1 - 0.999**steps)) + 1e-8
    after[name] = tensors[name] - settings["learningRate"] * first / (1 - 0.9**steps) / size
for name, target in tensors.items():
    if name.startswith("target_"):
        rate = settings["targetRate"]
        after[name] = rate * tensors[name[len("target_") :]] + (1 - rate) * target

print(
    json.dumps(
        {
            "losses": {name: float(value) for name, value in losses.items()},
            "after": {name: numpy.ravel(value).tolist() for name, value in after.items()},
        }
    )
)
