"""Random FetchPush-v4 in gymnasium-robotics, one environment. Speaks as Benchmarks/Sources/contender/main.swift says."""


import gymnasium
import gymnasium_robotics
import numpy

from serving import serve

gymnasium.register_envs(gymnasium_robotics)
world = gymnasium.make("FetchPush-v4")
world.reset(seed=0)
generator = numpy.random.default_rng(0)


def work():
    for _ in range(50):
        _, _, terminated, truncated, _ = world.step(generator.uniform(-1, 1, 4).astype(numpy.float32))
        if terminated or truncated:
            world.reset()
    return 50


serve(work)
