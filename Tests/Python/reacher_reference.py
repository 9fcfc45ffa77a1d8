"""Runs gymnasium's Reacher-v5 behind a goal wrapper: JSON episodes on standard input, what they show on standard output.

The wrapper puts the target back into the fingertip's place, which the world shows relative to it, and adds the third
number of that difference, which Reacher-v2 had.
"""

import json
import sys

import gymnasium
import numpy

world = gymnasium.make("Reacher-v5", max_episode_steps=50)


def shown(observation):
    inner = world.unwrapped
    way = inner.get_body_com("fingertip") - inner.get_body_com("target")
    observation = numpy.concatenate([observation, way[2:]])
    observation[8:10] += inner.goal
    return observation.tolist()


answers = []
for episode in json.load(sys.stdin):
    observation, _ = world.reset(seed=episode["seed"])
    answer = {"goal": world.unwrapped.goal.tolist(), "observations": [shown(observation)], "truncated": []}
    for action in episode["actions"]:
        observation, _, terminated, truncated, _ = world.step(numpy.array(action, dtype=numpy.float32))
        answer["observations"].append(shown(observation))
        answer["truncated"].append(bool(truncated))
        assert not terminated
    answers.append(answer)
json.dump(answers, sys.stdout)
