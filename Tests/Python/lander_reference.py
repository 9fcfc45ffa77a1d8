"""Runs gymnasium's LunarLander-v3 beyond its ends: JSON episodes on standard input, observations on standard output."""

import json
import sys

import gymnasium

world = gymnasium.make("LunarLander-v3").unwrapped  # without the wrappers, which refuse steps after an end
answers = []
for episode in json.load(sys.stdin):
    observation, _ = world.reset(seed=episode["seed"])
    observations, terminated = [observation.tolist()], []
    for action in episode["actions"]:
        observation, _, ended, _, _ = world.step(action)
        observations.append(observation.tolist())
        terminated.append(bool(ended))
    answers.append({"observations": observations, "terminated": terminated})
json.dump(answers, sys.stdout)
