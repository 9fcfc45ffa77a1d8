"""A transformer's update in JAX, one compiled function, to be timed beside `contender transformer`.

The same model as transformer_torch.py's, with which it shares sizes and usage.

usage: transformer_jax.py [--tokens 3|50] [--threads 1]
Prints `ready`; then for each line of stdin with a number of seconds runs updates for that long and
prints `updates seconds`.
"""

import argparse
import functools
import os

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--tokens", type=int, choices=[3, 50], default=3)
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()
if options.threads == 1:
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"

import jax  # noqa: E402  (the flags must be set first)
import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402

from serving import serve

BATCH, BLOCKS, RATE = 256, 2, 3e-4
TOKENS, CAUSAL = options.tokens, options.tokens == 50
WIDTH, HEADS = (128, 4) if CAUSAL else (256, 8)
generator = numpy.random.default_rng(0)


def linear(inputs, outputs):
    limit = inputs**-0.5
    draw = lambda *shape: jnp.array(generator.uniform(-limit, limit, shape), jnp.float32)  # noqa: E731
    return draw(inputs, outputs), draw(outputs)


def dense(layer, x):
    return x @ layer[0] + layer[1]


def normalization():
    return jnp.ones(WIDTH), jnp.zeros(WIDTH)


def normalize(layer, x):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * layer[0] + layer[1]


def block(layers, x):
    batch, tokens, width = x.shape
    parts = dense(layers["qkv"], normalize(layers["norm1"], x))
    q, k, v = jnp.moveaxis(parts.reshape(batch, tokens, 3, HEADS, width // HEADS), 2, 0)
    scores = jnp.einsum("bthd,bshd->bhts", q, k) * (width // HEADS) ** -0.5
    if CAUSAL:
        scores = jnp.where(jnp.tril(jnp.ones((tokens, tokens), bool)), scores, -jnp.inf)
    attended = jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores), v)
    x = x + dense(layers["output"], attended.reshape(x.shape))
    wide = jax.nn.gelu(dense(layers["widening"], normalize(layers["norm2"], x)), approximate=False)
    return x + dense(layers["narrowing"], wide)


def loss(parameters, inputs, actions):
    if CAUSAL:
        x = dense(parameters["step"], inputs[0])
    else:
        action = jnp.broadcast_to(parameters["action"], (BATCH, WIDTH))
        tokens = [dense(parameters["observation"], inputs[0]), action, dense(parameters["goal"], inputs[1])]
        x = jnp.stack(tokens, 1)
    x = x + parameters["places"]
    for layers in parameters["blocks"]:
        x = block(layers, x)
    x = x if CAUSAL else x[:, 1]
    found = dense(parameters["head"], normalize(parameters["norm"], x))
    return ((found - actions) ** 2).mean()


@functools.partial(jax.jit, donate_argnums=0)
def update(state, inputs, actions):
    steps = state["steps"] + 1
    gradients = jax.grad(loss)(state["parameters"], inputs, actions)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["first"], gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state["second"], gradients)
    a, b = 1 - 0.9**steps, 1 - 0.999**steps
    move = lambda p, m, v: p - RATE * (m / a) / (jnp.sqrt(v / b) + 1e-8)  # noqa: E731
    parameters = jax.tree.map(move, state["parameters"], first, second)
    return {"parameters": parameters, "first": first, "second": second, "steps": steps}


def main():
    normal = lambda *shape: jnp.array(generator.normal(size=shape), jnp.float32)  # noqa: E731
    parameters = {
        "places": jnp.zeros((1, TOKENS, WIDTH)),
        "blocks": [
            {
                "norm1": normalization(),
                "qkv": linear(WIDTH, 3 * WIDTH),
                "output": linear(WIDTH, WIDTH),
                "norm2": normalization(),
                "widening": linear(WIDTH, 4 * WIDTH),
                "narrowing": linear(4 * WIDTH, WIDTH),
            }
            for _ in range(BLOCKS)
        ],
        "norm": normalization(),
        "head": linear(WIDTH, 4),
    }
    if CAUSAL:
        parameters["step"] = linear(28, WIDTH)
        inputs, actions = (normal(BATCH, TOKENS, 28),), normal(BATCH, TOKENS, 4)
    else:
        parameters |= {"observation": linear(25, WIDTH), "goal": linear(3, WIDTH), "action": jnp.zeros((1, WIDTH))}
        inputs, actions = (normal(BATCH, 25), normal(BATCH, 3)), normal(BATCH, 4)
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)  # noqa: E731
    state = {"first": zeros(), "second": zeros(), "steps": jnp.zeros(()), "parameters": parameters}
    for _ in range(3):
        state = update(state, inputs, actions)
    jax.block_until_ready(state)

    def work():
        nonlocal state
        state = update(state, inputs, actions)
        jax.block_until_ready(state)
        return 1

    serve(work)


main()
