#!/usr/bin/env python3
"""The peers' own samplers on one million transitions of FetchPush's sizes, batch 256: sampler_numpy.py FILE wgcsl|ogbench.

FILE is the peer's own module, run as it is. What it imports and sampling does not use is stood in for: WGCSL's logger
and TensorFlow helpers, and flax's FrozenDict, of which OGBench's Dataset needs a read-only mapping only.
"""

import collections.abc
import importlib.util
import sys
import types

import numpy as np

from serving import serve

episodes, steps, batch = 20_000, 50, 256


def load(path):
    specification = importlib.util.spec_from_file_location("peer", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules["peer"] = module
    specification.loader.exec_module(module)
    return module


def stand_in(name, **values):
    module = types.ModuleType(name)
    for key, value in values.items():
        setattr(module, key, value)
    sys.modules[name] = module


class ReadOnlyMapping(collections.abc.Mapping):
    def __init__(self, *args, **values):
        self._dict = dict(*args, **values)

    def __getitem__(self, key):
        return self._dict[key]

    def __iter__(self):
        return iter(self._dict)

    def __len__(self):
        return len(self._dict)


def wgcsl(path):
    """HER's future strategy with k = 4, on arrays of episodes; rewards as gymnasium-robotics computes them."""
    stand_in("wgcsl"), stand_in("wgcsl.algo")
    stand_in("wgcsl.common", logger=None)
    stand_in("wgcsl.algo.util", random_log=lambda text: None)
    stand_in("wgcsl.algo.adv_que", advque=None)

    def reward(ag_2, g, info):
        return -(np.linalg.norm(ag_2 - g, axis=-1) > 0.05).astype(np.float32)

    _, sample = load(path).make_sample_transitions("future", 4, reward)
    generator = np.random.default_rng(1)
    made = lambda *shape: generator.random(shape, dtype=np.float32)
    o, ag = made(episodes, steps + 1, 25), made(episodes, steps + 1, 3)
    g = np.repeat(made(episodes, 1, 3), steps, axis=1)
    data = {"o": o, "u": made(episodes, steps, 4), "g": g, "ag": ag, "o_2": o[:, 1:, :], "ag_2": ag[:, 1:, :]}
    return lambda: sample(data, batch)


def ogbench(path):
    """GCDataset.sample with GCIVL's goals."""
    stand_in("flax"), stand_in("flax.core")
    stand_in("flax.core.frozen_dict", FrozenDict=ReadOnlyMapping)
    module = load(path)
    generator = np.random.default_rng(1)
    count = episodes * (steps + 1)
    terminals = np.zeros(count, dtype=np.float32)
    terminals[steps :: steps + 1] = 1
    data = module.Dataset.create(
        observations=generator.random((count, 25), dtype=np.float32), actions=generator.random((count, 4), dtype=np.float32),
        terminals=terminals, valids=1 - terminals)
    config = dict(
        discount=0.99, value_p_curgoal=0.2, value_p_trajgoal=0.5, value_p_randomgoal=0.3, value_geom_sample=True,
        actor_p_curgoal=0.0, actor_p_trajgoal=1.0, actor_p_randomgoal=0.0, actor_geom_sample=False, gc_negative=True,
        p_aug=None, frame_stack=None)
    dataset = module.GCDataset(data, config)
    return lambda: dataset.sample(batch)


work = {"wgcsl": wgcsl, "ogbench": ogbench}[sys.argv[2]](sys.argv[1])
work()


def piece():
    for _ in range(20):
        work()
    return 20 * batch


serve(piece)
