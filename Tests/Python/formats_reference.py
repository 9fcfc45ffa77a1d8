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


def corpus(folder):
    """Tiny valid files of every reader, from which the fuzz tests start."""
    folder = pathlib.Path(folder)
    for protocol in (2, 3, 4, 5):
        (folder / f"wgcsl-p{protocol}.pkl").write_bytes(pickle.dumps(buffer(2, 2, "f4", "F" if protocol == 3 else "C"), protocol=protocol))
    write_arrays(folder / "wgcsl-npy", 1)
    write_gcsl(str(folder / "gcsl.npz"), "discrete")
    for compressed in ("stored", "deflate"):
        write_ogbench(str(folder / f"ogbench-{compressed}.npz"), compressed)
        (folder / f"ogbench-{compressed}-val.npz").unlink()


globals()[sys.argv[1]](*sys.argv[2:])
