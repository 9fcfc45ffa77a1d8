"""One million transitions through h5py, in the layout of our shards.

usage: files_h5py.py write-columns | write-shard | read-columns
`write-shard` adds what a shard of ours has: a SHA-256 of the file, and fsync.
Speaks as Benchmarks/Sources/contender/main.swift says.
"""

import hashlib
import os
import sys
import tempfile

import h5py
import numpy

from serving import serve

EPISODES, STEPS = 20_000, 50
ROWS, TRANSITIONS = EPISODES * (STEPS + 1), EPISODES * STEPS
generator = numpy.random.default_rng(0)
columns = {
    "observations": generator.random((ROWS, 25), dtype="f4"), "actions": generator.random((TRANSITIONS, 4), dtype="f4"),
    "achieved_goals": generator.random((ROWS, 3), dtype="f4"), "desired_goals": generator.random((EPISODES, 3), dtype="f4"),
    "rewards": generator.random(TRANSITIONS, dtype="f4"), "successes": numpy.zeros(TRANSITIONS, "u1"),
    "episode_lengths": numpy.full(EPISODES, STEPS, "i4"), "seeds": numpy.arange(EPISODES, dtype="u8"),
}
mode = sys.argv[1]
path = os.path.join(tempfile.mkdtemp(), "columns.h5")


def write():
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file.create_dataset(name, data=values)


def write_shard():
    write()
    with open(path, "rb") as file:
        hashlib.file_digest(file, "sha256")
        os.fsync(file.fileno())


def read():
    with h5py.File(path) as file:
        return [file[name][:] for name in ["observations", "achieved_goals", "desired_goals", "actions"]]


work = {"write-columns": write, "write-shard": write_shard, "read-columns": read}[mode]
write()
work()


def piece():
    work()
    return TRANSITIONS


serve(piece)
