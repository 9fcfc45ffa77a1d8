"""Random FetchPush-v4 in gymnasium-robotics, one environment. Speaks as Benchmarks/Sources/contender/main.swift says."""

import sys
import time

import gymnasium
import gymnasium_robotics
import numpy

gymnasium.register_envs(gymnasium_robotics)
world = gymnasium.make("FetchPush-v4")
world.reset(seed=0)
generator = numpy.random.default_rng(0)
print("ready", flush=True)
for line in sys.stdin:
    wanted, start, steps = float(line), time.perf_counter(), 0
    while time.perf_counter() - start < wanted:
        for _ in range(50):
            _, _, terminated, truncated, _ = world.step(generator.uniform(-1, 1, 4).astype(numpy.float32))
            if terminated or truncated:
                world.reset()
        steps += 50
    print(steps, time.perf_counter() - start, flush=True)
