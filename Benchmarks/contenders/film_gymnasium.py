"""Random FetchPush-v4 in gymnasium-robotics, drawn at 480 x 480 after each step. Speaks as main.swift says."""

import os

os.environ.setdefault("MUJOCO_GL", "egl")

import gymnasium
import gymnasium_robotics
import numpy

from serving import serve

gymnasium.register_envs(gymnasium_robotics)
world = gymnasium.make("FetchPush-v4", render_mode="rgb_array", width=480, height=480)
world.reset(seed=0)
assert world.render().shape == (480, 480, 3)
generator = numpy.random.default_rng(0)


def work():
    _, _, terminated, truncated, _ = world.step(generator.uniform(-1, 1, 4).astype(numpy.float32))
    world.render()
    if terminated or truncated:
        world.reset()
    return 1


serve(work)
