"""numpy's own reading and writing of the formats: formats_reference.py COMMAND FILE [ARGUMENTS]."""

import importlib.util
import json
import pathlib
import pickle
import sys
import types

import numpy


def buffer(episodes, steps, kind, order="C", discrete=False, moving=False):
    """A WGCSL buffer of numbers that are all different."""
    random = numpy.random.default_rng(7)
    observations = random.normal(size=(episodes, steps + 1, 5))
    goals = numpy.repeat(random.normal(size=(episodes, 1, 2)), steps, axis=1)
    if moving:
        goals = random.normal(size=goals.shape)
    actions = random.uniform(-1, 1, size=(episodes, steps, 3))
    if discrete:
        actions = random.integers(0, 4, size=(episodes, steps, 1))
    arrays = {"o": observations, "u": actions, "g": goals, "ag": observations[:, :, 1:3].copy()}
    return {key: numpy.array(value, order=order).astype(value.dtype if discrete and key == "u" else kind, order=order)
            for key, value in arrays.items()}


def with_old_names(data):
    """A pickle of protocol 2 or 3 under numpy 1's names of modules, which stand in it as lines."""
    return data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def write_pickles(folder):
    """Pickles of every protocol, order, precision and module name; prints what is in each."""
    folder = pathlib.Path(folder)
    made = {}
    for protocol in (2, 3, 4, 5):
        for kind in ("f4", "f8"):
            for order in ("C", "F"):
                name = f"p{protocol}-{kind}-{order}.pkl"
                (folder / name).write_bytes(pickle.dumps(buffer(3, 4, kind, order), protocol=protocol))
                made[name] = {"kind": kind}
    for protocol in (2, 3):
        name = f"old-p{protocol}.pkl"
        (folder / name).write_bytes(with_old_names(pickle.dumps(buffer(3, 4, "f8"), protocol=protocol)))
        made[name] = {"kind": "f8"}
    arrays = buffer(3, 4, "f8", discrete=True, moving=True)
    arrays["info_is_success"] = numpy.arange(12, dtype="f4").reshape(3, 4, 1)
    arrays["seed"] = numpy.arange(3)
    arrays["qpos"] = numpy.arange(30, dtype="f8").reshape(3, 5, 2)
    arrays["flag"] = numpy.array([[True, False, True, False]] * 3)
    arrays["note"] = "words"
    arrays["list"] = [1, 2.5, None, (1, 2), {"a": numpy.zeros(2)}]
    arrays["scalar"] = numpy.float64(3)
    (folder / "rich.pkl").write_bytes(pickle.dumps(arrays, protocol=4))
    print(json.dumps(made))


def write_forms(folder):
    """The same numbers, which half floats hold, as each of numpy's floats: a pickle (of either order), a set of .npy, and an .npz."""
    folder = pathlib.Path(folder)
    for name, kind, order in (("plain", "<f4", "C"), ("half", "<f2", "F"), ("big", ">f4", "C"), ("bighalf", ">f2", "F")):
        for protocol in (2, 4):
            arrays = {key: numpy.array(value.astype("f2").astype(kind), order=order) for key, value in buffer(3, 4, "f8").items()}
            (folder / f"{name}-{protocol}.pkl").write_bytes(pickle.dumps(arrays, protocol=protocol))
        write_arrays(folder / name, 1)
        for file in (folder / name).glob("*.npy"):
            numpy.save(file, numpy.asfortranarray(numpy.load(file).astype("f2").astype(kind)) if order == "F" else
                       numpy.load(file).astype("f2").astype(kind))
        write_ogbench(str(folder / f"{name}.npz"), "deflate")
        (folder / f"{name}-val.npz").unlink()
        with numpy.load(folder / f"{name}.npz") as archive:
            arrays = {key: archive[key] for key in archive.files}
        for key, values in arrays.items():
            arrays[key] = values.astype(kind[0] + values.dtype.str[1:]) if values.dtype.kind != "f" else values.astype("f2").astype(kind)
        numpy.savez(folder / f"{name}.npz", **arrays)


def same(left, right):
    keys = [key for key, value in left.items() if isinstance(value, numpy.ndarray) and value.ndim]
    for key in keys:
        a, b = left[key], right[key]
        if a.shape != b.shape or a.dtype != b.dtype or not numpy.array_equal(a, b):
            sys.exit(f"'{key}' differs: {a.shape} {a.dtype}, {b.shape} {b.dtype}")
    return keys


def write_large(file):
    """A pickle that takes two shards."""
    with open(file, "wb") as stream:
        pickle.dump(buffer(24000, 50, "f8"), stream, protocol=4)


def load(file):
    if file.suffix == ".npz":
        return dict(numpy.load(file))
    with open(file, "rb") as stream:
        return pickle.load(stream)


def compare(one, other):
    """Expects the arrays of each file of one folder, to the bit and in their types, in the other's of that name."""
    files = sorted(path for path in pathlib.Path(one).iterdir() if path.suffix in (".pkl", ".npz"))
    for file in files:
        there, here = load(file), load(pathlib.Path(other) / file.name)
        print(file.name, " ".join(same(there, here)))


def write_arrays(folder, reward_offset):
    """WGCSL's set of .npy, as its converter makes it, of episodes of 4, 2 and 3 steps."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    random = numpy.random.default_rng(9)
    rows = {"state": [], "next_state": [], "action": [], "reward": [], "done": []}
    for steps in (4, 2, 3):
        states = random.normal(size=(steps + 1, 10))
        states[:, :3] = 0.06 * numpy.arange(steps + 1)[:, None] * [1, 0, 0]  # the gripper, within the world's bounds
        goal = states[-1, :3] + 0.01
        full = numpy.concatenate([states, numpy.tile(goal, (steps + 1, 1)), states[:, :3]], axis=1)
        rows["state"].append(full[:-1])
        rows["next_state"].append(full[1:])
        rows["action"].append(random.uniform(-1, 1, size=(steps, 4)))
        distance = numpy.linalg.norm(full[:, 13:] - full[:, 10:13], axis=1)
        offset = int(reward_offset)
        rows["reward"].append(-(distance[offset:offset + steps] > 0.05).astype("f8")[:, None])
        rows["done"].append(numpy.eye(steps)[-1][:, None])
    for name, parts in rows.items():
        numpy.save(folder / f"{name}.npy", numpy.concatenate(parts))
    numpy.save(folder / "not_done.npy", 1 - numpy.concatenate(rows["done"]))


def compare_arrays(one, other):
    names = sorted(path.name for path in pathlib.Path(one).glob("*.npy"))
    for name in names:
        a, b = numpy.load(pathlib.Path(one) / name), numpy.load(pathlib.Path(other) / name)
        if a.shape != b.shape or not numpy.array_equal(a, b):
            sys.exit(f"{name} differs: {a.shape}, {b.shape}")
    print(" ".join(names))


def set_action(file, row, value):
    """Sets an action's first number."""
    values = numpy.load(file)
    values[int(row), 0] = float(value)
    numpy.save(file, values)


def write_gcsl(file, discrete):
    random = numpy.random.default_rng(11)  # states of 4 numbers, of which a goal may be a part
    actions = random.integers(0, 4, size=(3, 6)) if discrete == "discrete" else random.normal(size=(3, 6, 2))
    numpy.savez(file, states=random.normal(size=(3, 6, 4)), actions=actions, desired_states=random.normal(size=(3, 4)))


def write_ogbench(file, compressed):
    """Trajectories of 4, 1 and 5 steps, with a validation file beside."""
    save = numpy.savez_compressed if compressed == "deflate" else numpy.savez
    for name, seed in ((file, 13), (file.replace(".npz", "-val.npz"), 14)):
        random = numpy.random.default_rng(seed)
        ends = numpy.zeros(13, dtype=bool)
        ends[[4, 6, 12]] = True
        save(name, observations=random.normal(size=(13, 6)).astype("f4"), actions=random.uniform(-1, 1, (13, 2)).astype("f4"),
             terminals=ends, qpos=random.normal(size=(13, 3)).astype("f4"), button_states=random.integers(0, 2, (13, 2)))


def load_ogbench(file):
    """What OGBench's own loader makes of a file; its package would import simulators, so it is left out."""
    package = types.ModuleType("ogbench")
    package.__path__ = [importlib.util.find_spec("ogbench").submodule_search_locations[0]]
    sys.modules["ogbench"] = package
    from ogbench.utils import load_dataset
    for compact in (False, True):
        data = load_dataset(file, compact_dataset=compact, add_info=True)
        print(json.dumps({key: numpy.asarray(value).astype("f8").ravel().tolist() for key, value in data.items()}))


def trajectories(next_states, lengths=(4, 1, 3)):
    """A list of dictionaries, as Decision Transformer's script makes it of D4RL, or without next states, as DAPG's are."""
    random = numpy.random.default_rng(15)
    found = []
    for number, length in enumerate(lengths):
        states = random.normal(size=(length + 1, 4)).astype("f4")
        one = {"observations": states[:-1], "actions": random.uniform(-1, 1, (length, 2)).astype("f4"),
               "rewards": random.normal(size=length).astype("f4"), "terminals": numpy.eye(length, dtype=bool)[-1] & (number == 1)}
        if next_states:
            one["next_observations"] = states[1:]
        else:
            one["env_infos"] = {"qpos": states[:, :2]}
        found.append(one)
    return found


def write_trajectories(file, next_states):
    with open(file, "wb") as stream:
        pickle.dump(trajectories(next_states == "next"), stream, protocol=4)


def write_sb2(file, discrete="continuous"):
    """What stable-baselines 2's generate_expert_traj saves, of 4, 1 and 3 steps."""
    random = numpy.random.default_rng(16)
    actions = random.integers(0, 3, (8, 1)) if discrete == "discrete" else random.uniform(-1, 1, (8, 2))
    numpy.savez(file, obs=random.normal(size=(8, 4)), actions=actions, rewards=random.normal(size=8),
                episode_returns=random.normal(size=3), episode_starts=numpy.isin(numpy.arange(8), [0, 4, 5]))


def write_her(file, separator="_"):
    """The arrays of stable-baselines3's HerReplayBuffer of 12 rows and one environment, laid out as the library does it.

    Episodes of 4, 3 and 4 steps, of which the last goes round the end of the buffer over rows of the first that are no more.
    """
    random = numpy.random.default_rng(18)
    size = 12
    arrays = {key: numpy.zeros((size, 1, width), "f4") for key, width in (
        ("observations_observation", 5), ("observations_achieved_goal", 2), ("observations_desired_goal", 2),
        ("next_observations_observation", 5), ("next_observations_achieved_goal", 2), ("next_observations_desired_goal", 2), ("actions", 3))}
    arrays |= {key: numpy.zeros((size, 1), kind) for key, kind in (
        ("rewards", "f4"), ("dones", "f4"), ("timeouts", "f4"), ("ep_start", "i8"), ("ep_length", "i8"))}
    for start, length in ((2, 4), (6, 3), (9, 4)):
        states = random.normal(size=(length + 1, 5)).astype("f4")
        goal = random.normal(size=2).astype("f4")
        for step in range(length):
            row = (start + step) % size
            for prefix, state in (("", states[step]), ("next_", states[step + 1])):
                arrays[f"{prefix}observations_observation"][row, 0] = state
                arrays[f"{prefix}observations_achieved_goal"][row, 0] = state[:2]
                arrays[f"{prefix}observations_desired_goal"][row, 0] = goal
            arrays["actions"][row, 0] = random.uniform(-1, 1, 3)
            arrays["rewards"][row, 0] = -1
            arrays["ep_start"][row, 0], arrays["ep_length"][row, 0] = start, length
            arrays["dones"][row, 0] = arrays["timeouts"][row, 0] = step == length - 1
    numpy.savez(file, **{key.replace("observations_", "observations" + separator): values for key, values in arrays.items()})


def corpus(folder):
    """Tiny valid files of every reader, from which the fuzz tests start."""
    folder = pathlib.Path(folder)
    write_trajectories(folder / "trajectories.pkl", "next")
    write_sb2(str(folder / "sb2.npz"))
    write_her(str(folder / "sb3-her.npz"))
    for protocol in (2, 3, 4, 5):
        (folder / f"wgcsl-p{protocol}.pkl").write_bytes(pickle.dumps(buffer(2, 2, "f4", "F" if protocol == 3 else "C"), protocol=protocol))
    write_arrays(folder / "wgcsl-npy", 1)
    write_gcsl(str(folder / "gcsl.npz"), "discrete")
    for compressed in ("stored", "deflate"):
        write_ogbench(str(folder / f"ogbench-{compressed}.npz"), compressed)
        (folder / f"ogbench-{compressed}-val.npz").unlink()


globals()[sys.argv[1]](*sys.argv[2:])
