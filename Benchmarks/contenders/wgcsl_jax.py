"""WGCSL's update, or GCSL's, in JAX, one compiled function, to be timed beside `Sources/Learners/ActorCritic/WGCSL.swift`.

Networks, losses, weights, normaliser and optimizer are the same; the sampler is left out, so every
update takes the same random batch of FetchPush's sizes. The normaliser's sums are in float32, JAX's
default.

usage: wgcsl_jax.py [--batch 512] [--threads 1] [--learner wgcsl|gcsl]
Prints `ready`; then for each line of stdin with a number of seconds runs updates for that long and
prints `updates seconds`.
"""

import argparse
import functools
import os

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--batch", type=int, default=512)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--learner", choices=["wgcsl", "gcsl"], default="wgcsl")
options = parser.parse_args()
if options.threads == 1:
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"

import jax  # noqa: E402  (the flags must be set first)
import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402

from serving import serve

OBSERVATION, GOAL, ACTION, WIDTH, HORIZON = 25, 3, 4, 256, 50
DISCOUNT = 1 - 1 / HORIZON
QUEUE, STEP, LIMIT, OTHER, CLIP = 50_000, 0.01, 80.0, 0.05, 10.0
BATCHES_PER_CYCLE, KEEP, RATE = 20, 0.9, 5e-4
generator = numpy.random.default_rng(0)


def network(inputs, outputs):
    widths = [inputs, WIDTH, WIDTH, WIDTH, outputs]
    layers = []
    for a, b in zip(widths, widths[1:]):
        limit = (6 / (a + b)) ** 0.5
        weight = generator.uniform(-limit, limit, (a, b))
        layers.append((jnp.array(weight, jnp.float32), jnp.zeros(b)))
    return layers


def forward(layers, x):
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def policy(actor, row):
    return jnp.tanh(forward(actor, row))


def value(critic, row, action):
    return forward(critic, jnp.concatenate([row, action], 1))


def adam_start(parameters):
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)  # noqa: E731
    return {"first": zeros(), "second": zeros(), "steps": jnp.zeros(())}


def adam(parameters, gradients, state):
    steps = state["steps"] + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["first"], gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state["second"], gradients)
    a, b = 1 - 0.9**steps, 1 - 0.999**steps
    move = lambda p, m, v: p - RATE * (m / a) / (jnp.sqrt(v / b) + 1e-8)  # noqa: E731
    parameters = jax.tree.map(move, parameters, first, second)
    return parameters, {"first": first, "second": second, "steps": steps}


def normalize(statistics, observations, goals):
    count, sums, squares = statistics
    mean = sums / count
    deviation = jnp.sqrt(jnp.maximum(1e-8, squares / count - mean**2))
    rows = jnp.clip(jnp.concatenate([observations, goals], 1), -200, 200)
    return jnp.clip((rows - mean) / deviation, -5, 5)


def observe(statistics, observations, goals):
    count, sums, squares = statistics
    rows = jnp.clip(jnp.concatenate([observations, goals], 1), -200, 200)
    return count + len(rows), sums + rows.sum(0), squares + (rows * rows).sum(0)


@functools.partial(jax.jit, donate_argnums=0)
def update(state, batch):
    updates = state["updates"] + 1
    actor, critic, statistics = state["actor"], state["critic"], state["statistics"]

    row = normalize(statistics, batch["o"], batch["g"])
    next_row = normalize(statistics, batch["o2"], batch["g"])

    def policy_loss(actor):
        chosen = policy(actor, row)
        fixed = jax.lax.stop_gradient(chosen)
        next_action = jax.lax.stop_gradient(policy(actor, next_row))
        rows = jnp.concatenate([row, next_row])
        both = value(critic, rows, jnp.concatenate([fixed, next_action]))
        now, later = jnp.split(both, 2)
        advantage = batch["r"] + DISCOUNT * later - now
        place = (state["at"] + jnp.arange(len(advantage))) % QUEUE
        queue = state["queue"].at[place].set(advantage[:, 0])
        filled = jnp.minimum(state["filled"] + len(advantage), QUEUE)
        percentile = jnp.minimum(updates * STEP, LIMIT) / 100
        # Empty places hold infinity and sort last.
        ordered = jnp.sort(queue)
        rank = (filled - 1) * percentile
        low = jnp.floor(rank).astype(int)
        high = jnp.minimum(low + 1, filled - 1)
        threshold = ordered[low] + (rank - low) * (ordered[high] - ordered[low])
        weight = DISCOUNT ** batch["offset"] * jnp.minimum(jnp.exp(advantage), CLIP)
        weight *= jnp.where(advantage >= threshold, 1.0, OTHER)
        return (weight * (chosen - batch["a"]) ** 2).mean(), (queue, filled)

    gradients, (queue, filled) = jax.grad(policy_loss, has_aux=True)(actor)
    actor, actor_state = adam(actor, gradients, state["actor_state"])

    statistics = observe(statistics, batch["o"], batch["vg"])

    row = normalize(statistics, batch["o"], batch["vg"])
    next_row = normalize(statistics, batch["o2"], batch["vg"])
    later = value(state["target_critic"], next_row, policy(state["target_actor"], next_row))
    bound = 1 / (1 - DISCOUNT)
    target = jnp.clip(batch["vr"] + DISCOUNT * later, -bound, bound)
    critic_loss = lambda critic: ((value(critic, row, batch["a"]) - target) ** 2).mean()  # noqa: E731
    critic, critic_state = adam(critic, jax.grad(critic_loss)(critic), state["critic_state"])

    def averaged(targets):
        mix = lambda t, p: t + (1 - KEEP) * (p - t)  # noqa: E731
        return jax.tree.map(mix, targets, (actor, critic))

    target_actor, target_critic = jax.lax.cond(
        updates % BATCHES_PER_CYCLE == 0,
        averaged,
        lambda targets: targets,
        (state["target_actor"], state["target_critic"]),
    )
    return {
        "actor": actor,
        "critic": critic,
        "target_actor": target_actor,
        "target_critic": target_critic,
        "actor_state": actor_state,
        "critic_state": critic_state,
        "statistics": statistics,
        "queue": queue,
        "filled": filled,
        "at": (state["at"] + len(batch["r"])) % QUEUE,
        "updates": updates,
    }


@functools.partial(jax.jit, donate_argnums=0)
def imitate(state, batch):
    """GCSL: the policy's step alone, every row with the same weight."""
    row = normalize(state["statistics"], batch["o"], batch["g"])
    policy_loss = lambda actor: ((policy(actor, row) - batch["a"]) ** 2).mean()  # noqa: E731
    actor, actor_state = adam(state["actor"], jax.grad(policy_loss)(state["actor"]), state["actor_state"])
    statistics = observe(state["statistics"], batch["o"], batch["vg"])
    return {"actor": actor, "actor_state": actor_state, "statistics": statistics}


def main():
    row = OBSERVATION + GOAL
    actor, critic = network(row, ACTION), network(row + ACTION, 1)
    copy = functools.partial(jax.tree.map, jnp.copy)
    state = {
        "actor": actor,
        "critic": critic,
        "target_actor": copy(actor),
        "target_critic": copy(critic),
        "actor_state": adam_start(actor),
        "critic_state": adam_start(critic),
        "statistics": (jnp.ones(()), jnp.zeros(row), jnp.zeros(row) + 0),
        "queue": jnp.full(QUEUE, jnp.inf),
        "filled": jnp.zeros((), int),
        "at": jnp.zeros((), int) + 0,
        "updates": jnp.zeros((), int) + 0,
    }
    normal = lambda *shape: jnp.array(generator.normal(size=shape), jnp.float32)  # noqa: E731
    uniform = lambda *shape: jnp.array(generator.uniform(size=shape), jnp.float32)  # noqa: E731
    size = options.batch
    batch = {
        "o": normal(size, OBSERVATION),
        "o2": normal(size, OBSERVATION),
        "g": normal(size, GOAL),
        "vg": normal(size, GOAL),
        "a": uniform(size, ACTION) * 2 - 1,
        "r": (uniform(size, 1) < 0.1).astype(jnp.float32),
        "vr": (uniform(size, 1) < 0.1).astype(jnp.float32),
        "offset": jnp.floor(uniform(size, 1) * HORIZON),
    }
    step = update
    if options.learner == "gcsl":
        step = imitate
        state = {name: state[name] for name in ["actor", "actor_state", "statistics"]}
    for _ in range(20):
        state = step(state, batch)
    jax.block_until_ready(state)

    def work():
        nonlocal state
        for _ in range(10):
            state = step(state, batch)
        jax.block_until_ready(state)
        return 10

    serve(work)


main()
