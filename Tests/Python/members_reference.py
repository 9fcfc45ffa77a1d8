"""Files with members in every odd place, and what is in a file: members_reference.py write FORMAT PATH, or list PATH.

Every number is another, so that each can be looked for in what a file was converted to. Laid out by h5py and numpy as
the formats' own libraries do it.
"""

import json
import pathlib
import pickle
import sys

sys.path.append(str(pathlib.Path(sys.executable).parents[2] / "arrow-wheel"))

import h5py
import numpy
import pyarrow
import pyarrow.parquet

place = 8


def fresh(*shape, kind="f4"):
    """Numbers that were not used yet, which floats of 4 bytes hold."""
    global place
    count = int(numpy.prod(shape))
    place += count
    return (numpy.arange(place - count, place) / 8).reshape(shape).astype(kind)


def ends(lengths):
    flags = numpy.zeros(sum(lengths), bool)
    flags[numpy.cumsum(lengths) - 1] = True
    return flags


def write_wgcsl_pickle(path):
    arrays = {"o": fresh(3, 5, 4), "ag": fresh(3, 5, 2), "u": fresh(3, 4, 2), "g": numpy.repeat(fresh(3, 1, 2), 4, axis=1),
              "seed": fresh(3), "qpos": fresh(3, 5, 3), "odd": fresh(2, 2), "text": "words", "list": [1, 2], "nested": {"a": fresh(2)},
              "scalar": numpy.float64(3), "big": fresh(3, kind=">f4"), "half": numpy.ones(3, "f2"), 7: fresh(3)}
    path.write_bytes(pickle.dumps(arrays, protocol=4))


def write_wgcsl_npy(path):
    path.mkdir()
    lengths = (4, 2, 3)
    rows = {"state": [], "next_state": [], "action": fresh(9, 2), "reward": fresh(9, 1), "done": ends(lengths)[:, None].astype("f4")}
    for length in lengths:
        states = numpy.c_[fresh(length + 1, 4), numpy.repeat(fresh(1, 2), length + 1, axis=0), fresh(length + 1, 2)]
        rows["state"].append(states[:-1])
        rows["next_state"].append(states[1:])
    for name, parts in rows.items():
        numpy.save(path / f"{name}.npy", numpy.concatenate(parts) if isinstance(parts, list) else parts)
    numpy.save(path / "not_done.npy", 1 - rows["done"])
    numpy.save(path / "task.npy", fresh(9))


def write_gcsl(path):
    numpy.savez(path, states=fresh(3, 6, 4), actions=fresh(3, 6, 2), desired_states=fresh(3, 4), lengths_of_paths=fresh(3),
                note=numpy.array(["a", "b"]), objects=numpy.array([None, 1], object), scalar=fresh()[()], empty=numpy.zeros((0, 2), "f4"))


def ogbench(lengths):
    """Rows of trajectories with a last row each, as OGBench's files have them."""
    count = sum(lengths)
    return {"observations": fresh(count, 4), "actions": fresh(count, 2), "terminals": ends(lengths).astype("f4"), "qpos": fresh(count, 3),
            "rewards": fresh(count), "masks": fresh(count)}


def write_ogbench(path):
    numpy.savez(path, **ogbench((5, 1, 4)), task=fresh(4), last_actions=fresh(10), note=numpy.array(["a"]), count=fresh()[()])


def write_ogbench_compact(path):
    """What `load_dataset(compact_dataset=True)` makes of a file."""
    data = ogbench((5, 3, 4))
    data["valids"] = 1 - data["terminals"]
    data["terminals"] = numpy.minimum(data["terminals"] + numpy.r_[data["terminals"][1:], 1], 1).astype("f4")
    numpy.savez_compressed(path, **data)


def write_ogbench_next(path):
    """What `load_dataset()` makes of a file, with one next state that is not the next row's."""
    data = ogbench((5, 2, 4))
    last = data["terminals"] > 0
    first = numpy.r_[True, last[:-1]]
    made = {key: values[~last] for key, values in data.items()}
    made["next_observations"] = data["observations"][~first].copy()
    made["next_observations"][1] = fresh(4)
    made["terminals"] = numpy.r_[data["terminals"][1:], 1][~last]
    numpy.savez(path, **made)


def write_minari(path):
    (path / "data").mkdir(parents=True)
    with h5py.File(path / "data" / "main_data.hdf5", "w", track_order=True) as file:
        file.attrs["remark"] = "words"
        file["beside"] = fresh(2)
        for number, length in enumerate((4, 1, 6)):
            group = file.create_group(f"episode_{number}")
            group.attrs.update({"id": number, "seed": int(fresh()[()]) + 100_000, "total_steps": length, "mood": "good"})
            flags = numpy.zeros(length, bool)
            flags[-1] = True
            arrays = {"observations/observation": fresh(length + 1, 4, kind="f8"), "actions": fresh(length, 2), "rewards": fresh(length),
                      "truncations": flags, "terminations": flags & False, "infos/success": flags, "infos/time": fresh(length),
                      "infos/deep/qpos": fresh(length + 1, 3), "infos/deep/qvel": fresh(length + 1, 3), "infos/odd": fresh(2),
                      "observations/image": numpy.zeros((length + 1, 2, 2, 3), "u1"), "stray": fresh(length)}
            for goal, kind in (("achieved_goal", 1), ("desired_goal", 0)):
                for key, width in (("kettle", 2), ("microwave", 1)):
                    values = fresh(length + 1, width) if kind else numpy.repeat(fresh(1, width), length + 1, axis=0)
                    arrays[f"observations/{goal}/{key}"] = values
            if number == 2:
                arrays["infos/late"] = fresh(length + 1)
            for key, values in arrays.items():
                group.create_dataset(key, data=values)
            group["observations"]["mission"] = ["go"] * (length + 1)
    space = {"type": "Box", "dtype": "float32", "shape": [2], "low": [-9.0, -9.0], "high": [9.0, 1e6]}
    (path / "data" / "metadata.json").write_text(json.dumps({
        "total_episodes": 3, "total_steps": 11, "data_format": "hdf5", "dataset_id": "test/made-v0", "minari_version": "0.5.4",
        "observation_space": json.dumps(space), "action_space": json.dumps(space), "author": ["someone"],
        "env_spec": json.dumps({"id": "Made-v0", "kwargs": {"a": 1}, "additional_wrappers": []})}))


def write_robomimic(path, has_next=True):
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs.update({"total": 9, "env_args": json.dumps({"env_name": "Lift", "type": 1, "env_version": "1.4", "env_kwargs": {"b": 2}}),
                           "date": "today"})
        file.attrs["remark"] = "words"
        file["beside/numbers"] = fresh(2)
        data["total_of_all"] = fresh(1)
        for number, length in enumerate((4, 1, 3)):
            demo = data.create_group(f"demo_{number}")
            demo.attrs.update({"num_samples": length, "model_file": "<mujoco/>"})
            demo["actions"], demo["rewards"], demo["states"] = fresh(length, 2), fresh(length), fresh(length, 5, kind="f8")
            demo["dones"] = numpy.eye(length, dtype="i8")[-1]
            demo["stray"] = fresh(length)
            for key, width in (("object", 3), ("robot0_eef_pos", 2)):
                states = fresh(length + 1, width, kind="f8" if width == 3 else "f4")
                demo["obs/" + key] = states[:-1]
                if has_next:
                    demo["next_obs/" + key] = states[1:]
            demo["obs/alone"] = fresh(length, 2)
            demo["obs/agentview_image"] = numpy.zeros((length, 2, 2, 3), "u1")
            if has_next:
                demo["next_obs/agentview_image"] = numpy.zeros((length, 2, 2, 3), "u1")
                demo["next_obs/other"] = fresh(length, 2)
        file["mask/train"] = ["demo_0", "demo_9"]
        file["mask/valid"] = numpy.array([b"demo_2"])


def write_d4rl(path, has_next=True):
    lengths = (4, 1, 3)
    count = sum(lengths)
    with h5py.File(path, "w") as file:
        file.attrs["remark"] = "words"
        observations = fresh(count + 1, 4)
        file["observations"], file["actions"], file["rewards"] = observations[:-1], fresh(count, 2), fresh(count)
        if has_next:
            following = observations[1:].copy()
            following[3] = fresh(4)
            following[1] = fresh(4)
            file["next_observations"] = following
        file["terminals"], file["timeouts"] = ends(lengths) & (numpy.arange(count) == 4), ends(lengths)
        file["infos/goal"] = numpy.repeat(fresh(3, 2), lengths, axis=0)
        file["infos/qpos"], file["infos/deep/qvel"] = fresh(count, 3), fresh(count)
        file["infos/odd"], file["infos/text"] = fresh(2), numpy.array([b"x"] * count)
        file["real/actions"] = fresh(count, 2)
        file["metadata/algorithm"], file["metadata/weight"] = "made", fresh(2, 2)


def write_lerobot(path):
    """Episodes of 4, 1 and 6 rows, of which the first are numbered 0 and 2, by a clock that runs late."""
    lengths, numbers = (4, 1, 6), (0, 2, 3)
    count = sum(lengths)
    frames = numpy.concatenate([numpy.arange(length) for length in lengths])
    columns = {"observation.state": fresh(count, 4), "observation.environment_state": fresh(count, 2), "action": fresh(count, 2),
               "next.reward": fresh(count), "next.done": ends(lengths), "next.success": ends(lengths), "observation.effort": fresh(count, 3, kind="f8"),
               "action.raw": fresh(count), "complementary_info.discrete": fresh(count).astype("i4") + 100_000, "frame_index": frames,
               "timestamp": (frames * 0.1 + 0.01 * frames**2 + 100).astype("f4"), "index": numpy.arange(count),
               "episode_index": numpy.repeat(numbers, lengths), "task_index": numpy.repeat((0, 1, 1), lengths)}
    lists = {key: pyarrow.array(list(values)) for key, values in columns.items()}
    features = {key: {"dtype": str(values.dtype), "shape": list(values.shape[1:]) or [1], "names": None} for key, values in columns.items()}
    features["action"]["names"] = ["left", "right"]
    features["observation.images.top"] = {"dtype": "video", "shape": [4, 4, 3], "names": ["height", "width", "channels"]}
    lists["stray"] = pyarrow.array(fresh(count))
    for name in ("meta/episodes/chunk-000", "data/chunk-000"):
        (path / name).mkdir(parents=True)
    pyarrow.parquet.write_table(pyarrow.table(lists), path / "data/chunk-000/file-000.parquet", row_group_size=5)
    pyarrow.parquet.write_table(pyarrow.table({
        "episode_index": numbers, "length": lengths, "tasks": [["push"], ["pull"], ["pull"]], "data/chunk_index": [0, 0, 0],
        "dataset_from_index": [0, 4, 5], "stats/action/mean": [[1.5, 2.5]] * 3}), path / "meta/episodes/chunk-000/file-000.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"task_index": [0, 1], "task": ["push", "pull"]}), path / "meta/tasks.parquet")
    (path / "meta/stats.json").write_text("{}")
    (path / "meta/info.json").write_text(json.dumps({
        "codebase_version": "v3.0", "robot_type": "arm", "total_episodes": 3, "total_frames": count, "total_tasks": 2, "chunks_size": 1000,
        "fps": 10, "splits": {"train": "0:2", "val": "2:3"}, "features": features, "remark": "words", "video_path": None,
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"}))


def write(form, path):
    path = pathlib.Path(path)
    if form.endswith("-v0"):
        globals()["write_" + form[:-3]](path, has_next=False)
    else:
        globals()["write_" + form.replace("-", "_")](path)


def describe(values):
    values = numpy.asarray(values)
    return values.astype("f8").ravel().tolist() if values.dtype.kind in "fiub" else None


def members_of(path):
    """Every array, text and attribute of a file or folder: its name, and its numbers or null."""
    found = {}
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix == ".npy":
                found[file.name] = describe(numpy.load(file))
            elif file.suffix == ".parquet":
                table = pyarrow.parquet.read_table(file)
                place = file.relative_to(path).as_posix()
                for name in table.column_names:
                    isText = pyarrow.types.is_string(table[name].type) or name == "tasks"
                    found[f"{place}/{name}"] = None if isText else describe(numpy.array(table[name].to_pylist()))
            elif file.name == "stats.json":
                found["json:stats.json"] = None
            elif file.suffix == ".json":
                found |= {"json:" + key: None for key in json.loads(file.read_text())}
            elif file.is_file():
                found |= members_of(file)
    elif path.suffix == ".npz":
        with numpy.load(path, allow_pickle=True) as archive:
            found = {name: describe(archive[name]) for name in archive.files}
    elif path.suffix == ".pkl":
        for name, values in pickle.loads(path.read_bytes()).items():
            found[str(name) if isinstance(name, str) else "keys"] = describe(values) if isinstance(values, numpy.ndarray) else None
    else:
        with h5py.File(path) as file:
            def look(name, item):
                if isinstance(item, h5py.Dataset):
                    found.setdefault(name, describe(item[()]))
                for key, value in item.attrs.items():
                    found[f"{name} attribute/{key}"] = describe(value) if not isinstance(value, str) else None
            look("", file)
            file.visititems(look)
    return found


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(*sys.argv[2:])
    else:
        print(json.dumps(members_of(pathlib.Path(sys.argv[2]))))
