"""Runs OGBench's point mazes with draws that are given: JSON questions on standard input, what they show on standard output.

The mazes draw from numpy's global generator, which no seed reaches, so `numpy.random.uniform` and `randint` are replaced
while they run: the first gives what an episode's `jitter` lists, the second the way out that the present step has. Of
each maze come its map, cells and tasks, too, and the oracle's next cell from every free cell to some others.
"""

import json
import sys

import numpy
from ogbench.locomaze.maze import make_maze_env


def cells(places):
    return [[int(i), int(j)] for i, j in places]


def described(world, goals):
    free = cells(numpy.argwhere(world.maze_map == 0))
    teleport = world._teleport_info or {}
    answer = {
        "walls": (world.maze_map == 1).tolist(),
        "tasks": [cells([task["init_ij"], task["goal_ij"]]) for task in world.task_infos],
        "entries": cells(teleport.get("teleport_in_ijs", [])),
        "exits": cells(teleport.get("teleport_out_ijs", [])),
        "next": [],
        "four": [],
    }
    for goal in goals:
        place = world.ij_to_xy(goal)
        for start in free:
            subgoal, distances = world.get_oracle_subgoal(world.ij_to_xy(start), place)
            answer["next"].append(cells([start, goal, world.xy_to_ij(subgoal)]))
        answer["four"].append({"from": goal, "cells": cells(numpy.argwhere(distances == 4))})
    return answer


def played(world, episode):
    jitter = list(episode["jitter"])
    step = 0
    numpy.random.uniform = lambda low, high: jitter.pop(0)
    numpy.random.randint = lambda count: episode["exits"][step]
    observation, info = world.reset(options={"task_id": episode["task"]})
    answer = {"goal": info["goal"].tolist(), "observations": [observation.tolist()], "places": [], "successes": []}
    for step, action in enumerate(episode["actions"]):
        observation, reward, terminated, truncated, info = world.step(numpy.array(action, dtype=numpy.float32))
        assert terminated == (reward == 1.0) == (info["success"] == 1.0) and not truncated
        answer["observations"].append(observation.tolist())
        answer["places"].append(world.get_xy().tolist())
        answer["successes"].append(bool(terminated))
    assert not jitter
    return answer


answers = []
for question in json.load(sys.stdin):
    world = make_maze_env("point", "maze", maze_type=question["maze"])
    answer = described(world, question["goals"])
    answer["episodes"] = [played(world, episode) for episode in question["episodes"]]
    answers.append(answer)
json.dump(answers, sys.stdout)
