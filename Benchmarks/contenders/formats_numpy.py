"""WGCSL's pickle of two million transitions through Python: pickle.load, and h5py or pickle.dump for what comes out.

usage: formats_numpy.py make FILE | in FILE | in-durable FILE | out FILE
`in-durable` adds what a dataset of ours has: SHA-256 of both files, and fsync.
Speaks as Benchmarks/Sources/contender/main.swift says.
"""

import hashlib
import os
import pickle
import sys

import h5py
import numpy

from serving import serve

EPISODES, STEPS = 40_000, 50
mode, path = sys.argv[1:]
target = os.path.join(os.path.dirname(path), f"python-{os.getpid()}")


def make():
    generator = numpy.random.default_rng(0)
    observations = generator.random((EPISODES, STEPS + 1, 25))
    goals = numpy.repeat(generator.random((EPISODES, 1, 3)), STEPS, axis=1)
    data = {"o": observations, "u": generator.uniform(-1, 1, (EPISODES, STEPS, 4)), "g": goals, "ag": observations[:, :, 3:6].copy()}
    with open(path, "wb") as file:
        pickle.dump(data, file, protocol=4)


def convert_in():
    with open(path, "rb") as file:
        data = pickle.load(file)
    with h5py.File(target, "w") as file:
        for name, values in data.items():
            file.create_dataset(name, data=values)


def digest(name):
    with open(name, "rb") as file:
        hashlib.file_digest(file, "sha256")
        os.fsync(file.fileno())


def convert_in_durably():
    digest(path)
    convert_in()
    digest(target)


def convert_out():
    with h5py.File(kept, "r") as file:
        data = {name: values[:] for name, values in file.items()}
    with open(target, "wb") as file:
        pickle.dump(data, file, protocol=4)
        file.flush()
        os.fsync(file.fileno())


if mode == "make":
    make()
    sys.exit()
kept = target + ".h5"
if mode == "out":
    convert_in()
    os.rename(target, kept)
work = {"in": convert_in, "in-durable": convert_in_durably, "out": convert_out}[mode]
work()


def piece():
    work()
    return EPISODES * STEPS


serve(piece)
for name in (target, kept):
    if os.path.exists(name):
        os.remove(name)
