"""GCSL's lunar lander on gymnasium's: random actions, two frames a step. Speaks as Benchmarks/Sources/contender/main.swift says."""


import gymnasium
import numpy

from serving import serve

world = gymnasium.make("LunarLander-v3").unwrapped  # GCSL's episodes go on beyond a crash
generator = numpy.random.default_rng(0)
world.reset(seed=0)


def work():
    world.reset()
    for _ in range(50):
        action = int(generator.integers(4))
        for _ in range(2):
            world.step(action)
    return 50


serve(work)
