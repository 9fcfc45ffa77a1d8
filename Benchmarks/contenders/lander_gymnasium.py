"""GCSL's lunar lander on gymnasium's: random actions, two frames a step. Speaks as Benchmarks/Sources/contender/main.swift says."""

import sys
import time

import gymnasium
import numpy

world = gymnasium.make("LunarLander-v3").unwrapped  # GCSL's episodes go on beyond a crash
generator = numpy.random.default_rng(0)
world.reset(seed=0)
print("ready", flush=True)
for line in sys.stdin:
    wanted, start, steps = float(line), time.perf_counter(), 0
    while time.perf_counter() - start < wanted:
        world.reset()
        for _ in range(50):
            action = int(generator.integers(4))
            for _ in range(2):
                world.step(action)
        steps += 50
    print(steps, time.perf_counter() - start, flush=True)
