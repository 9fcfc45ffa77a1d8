"""Runs gymnasium-robotics' Fetch worlds: JSON episodes on standard input, what they show on standard output."""

import json
import sys

import gymnasium
import gymnasium_robotics
import numpy

gymnasium.register_envs(gymnasium_robotics)
worlds = {}
answers = []
for episode in json.load(sys.stdin):
    name = episode["world"]
    if name not in worlds:
        worlds[name] = gymnasium.make(name)
    world = worlds[name]
    shown, _ = world.reset(seed=episode["seed"])
    answer = {"goal": shown["desired_goal"].tolist(), "observations": [shown["observation"].tolist()],
              "achieved": [shown["achieved_goal"].tolist()], "rewards": [], "successes": [], "truncated": []}
    for action in episode["actions"]:
        shown, reward, terminated, truncated, info = world.step(numpy.array(action, dtype=numpy.float32))
        answer["observations"].append(shown["observation"].tolist())
        answer["achieved"].append(shown["achieved_goal"].tolist())
        answer["rewards"].append(float(reward))
        answer["successes"].append(bool(info["is_success"]))
        answer["truncated"].append(bool(truncated))
        assert not terminated
    answers.append(answer)
json.dump(answers, sys.stdout)
