"""Whole datasets of random FetchPush through Minari, robomimic's way of writing, and h5py's gzip. The amount is steps.

usage: datasets_minari.py collect PROCESSES | read FOLDER | write FOLDER | write-robomimic FOLDER | write-compressed FOLDER
`collect` has so many processes, each with a DataCollector of its own; `read` turns the episodes of a dataset of ours into one
of Minari's and reads every column of every episode; `write-compressed` writes the same columns through h5py's gzip,
with the level, the shuffle filter and the chunks of ours, a SHA-256 and fsync.
`write` gives episodes of a dataset of ours, which are in memory, to Minari's `create_dataset_from_buffers`; `write-robomimic`
writes them as robomimic's `scripts/dataset_states_to_obs.py` does, an h5py dataset for each array of a demo. Neither waits for the disk.
Speaks as Benchmarks/Sources/contender/main.swift says.
"""

import hashlib
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import warnings

import gymnasium
import gymnasium_robotics
import h5py
import minari
import numpy
from minari.data_collector import EpisodeBuffer

from serving import serve

warnings.filterwarnings("ignore")
gymnasium.register_envs(gymnasium_robotics)
folder = tempfile.mkdtemp()
os.environ["MINARI_DATASETS_PATH"] = folder
STEPS, EACH = 50, 40


def collect(worker, round_number):
    environment = minari.DataCollector(gymnasium.make("FetchPush-v4"))
    generator = numpy.random.default_rng(round_number * 2 + worker)
    for episode in range(EACH):
        environment.reset(seed=episode)
        done = False
        while not done:
            _, _, terminated, truncated, _ = environment.step(generator.uniform(-1, 1, 4).astype(numpy.float32))
            done = terminated or truncated
    name = f"push/random{worker}-v0"
    shutil.rmtree(pathlib.Path(folder, name), ignore_errors=True)
    environment.create_dataset(name, description="")
    environment.close()


def collector(worker, connection):
    """A process that collects whenever it is told to, so that nobody pays for imports twice."""
    while (round_number := connection.recv()) is not None:
        collect(worker, round_number)
        connection.send(round_number)


def shards():
    for path in sorted(pathlib.Path(sys.argv[2], "shards").glob("*.h5")):
        with h5py.File(path) as file:
            yield {name: file[name][:] for name in ["observations", "achieved_goals", "desired_goals", "actions", "rewards",
                                                    "successes", "episode_lengths", "seeds", "terminated", "truncated"]}


def episodes():
    for columns in shards():
        row = step = 0
        for number, length in enumerate(columns["episode_lengths"]):
            states, steps = slice(row, row + length + 1), slice(step, step + length)
            flags = numpy.zeros((2, length), bool)
            flags[:, -1] = columns["terminated"][number], columns["truncated"][number]
            yield EpisodeBuffer(
                id=None, seed=int(columns["seeds"][number]),
                observations={"observation": columns["observations"][states], "achieved_goal": columns["achieved_goals"][states],
                              "desired_goal": numpy.repeat(columns["desired_goals"][number:number + 1], length + 1, 0)},
                actions=columns["actions"][steps], rewards=columns["rewards"][steps], terminations=flags[0], truncations=flags[1],
                infos={"success": columns["successes"][steps]})
            row, step = row + length + 1, step + length


mode = sys.argv[1]
if mode == "collect":
    pipes, counter = [], 0
    for worker in range(int(sys.argv[2])):
        ours, theirs = multiprocessing.Pipe()
        multiprocessing.Process(target=collector, args=(worker, theirs), daemon=True).start()
        pipes.append(ours)

    def work():
        global counter
        counter += 1
        for pipe in pipes:
            pipe.send(counter)
        for pipe in pipes:
            pipe.recv()
        return len(pipes) * EACH * STEPS
elif mode == "write-robomimic":
    kept, path = list(episodes()), os.path.join(folder, "demos.hdf5")

    def work():
        with h5py.File(path, "w") as file:
            data = file.create_group("data")
            for number, episode in enumerate(kept):
                demo = data.create_group(f"demo_{number}")
                demo.create_dataset("actions", data=numpy.array(episode.actions))
                demo.create_dataset("rewards", data=numpy.array(episode.rewards))
                demo.create_dataset("dones", data=numpy.array(episode.terminations, dtype="i8"))
                for key, values in episode.observations.items():
                    demo.create_dataset(f"obs/{key}", data=numpy.array(values[:-1]))
                    demo.create_dataset(f"next_obs/{key}", data=numpy.array(values[1:]))
                demo.attrs["num_samples"] = len(episode.actions)
            data.attrs["total"] = sum(len(episode.actions) for episode in kept)
        return sum(len(episode.actions) for episode in kept)
elif mode in ("read", "write"):
    spaces = {name: gymnasium.spaces.Box(-numpy.inf, numpy.inf, (width,), numpy.float32)
              for name, width in [("observation", 25), ("achieved_goal", 3), ("desired_goal", 3)]}
    kept = list(episodes())

    def write():
        shutil.rmtree(pathlib.Path(folder, "push/read-v0"), ignore_errors=True)
        minari.create_dataset_from_buffers(
            "push/read-v0", kept, observation_space=gymnasium.spaces.Dict(spaces),
            action_space=gymnasium.spaces.Box(-1, 1, (4,), numpy.float32), description="")
        return sum(len(episode.actions) for episode in kept)

    write()

    def work():
        if mode == "write":
            return write()
        return sum(len(episode.actions) for episode in minari.load_dataset("push/read-v0").iterate_episodes())
else:
    parts = list(shards())
    columns = {name: numpy.concatenate([part[name] for part in parts]) for name in parts[0]}
    path = os.path.join(folder, "columns.h5")

    def work():
        with h5py.File(path, "w") as file:
            for name, values in columns.items():
                rows = max(1, min(len(values), (256 << 10) // max(1, values.nbytes // len(values))))
                file.create_dataset(name, data=values, chunks=(rows, *values.shape[1:]), compression="gzip", compression_opts=4, shuffle=True)
        with open(path, "rb") as file:
            hashlib.file_digest(file, "sha256")
            os.fsync(file.fileno())
        return len(columns["rewards"])

work()
serve(work)
shutil.rmtree(folder, ignore_errors=True)
