"""LeRobot datasets of version 3 in its own layout, by pyarrow, and a reader to its rules: lerobot_reference.py COMMAND ..."""

import json
import pathlib
import sys

sys.path.append(str(pathlib.Path(sys.executable).parents[2] / "arrow-wheel"))

import numpy
import pyarrow
import pyarrow.parquet

LENGTHS = (4, 2, 6)


def episodes():
    """Episodes whose numbers are all different; the goal stays."""
    random = numpy.random.default_rng(5)
    for length in LENGTHS:
        states = random.normal(size=(length, 5)).astype("f4")
        yield {"observation.state": states, "observation.achieved_goal": states[:, 1:3].copy(),
               "observation.desired_goal": numpy.repeat(random.normal(size=(1, 2)), length, axis=0).astype("f4"),
               "action": random.uniform(-1, 1, (length, 3)).astype("f4"), "next.reward": random.normal(size=length).astype("f4"),
               "next.success": numpy.eye(length, dtype=bool)[-1], "next.done": numpy.eye(length, dtype=bool)[-1],
               "observation.touch": random.normal(size=length)}


def column(values):
    if values.ndim == 1:
        return pyarrow.array(values)
    return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values.ravel()), values.shape[1])


def write(folder, version="v3.0", files="2", options=""):
    """A dataset whose data lie in so many files, with a camera that has no pictures here; with `goals`, what is achieved is the environment's state."""
    folder = pathlib.Path(folder)
    rows, places, start = [], [], 0
    for number, episode in enumerate(episodes()):
        length = len(episode["action"])
        rows.append(episode | {
            "timestamp": (numpy.arange(length) / 10).astype("f4"), "frame_index": numpy.arange(length),
            "episode_index": numpy.full(length, number), "index": numpy.arange(start, start + length), "task_index": numpy.zeros(length, "i8")})
        places.append((start, start + length))
        start += length
        if options == "goals":
            rows[-1]["observation.environment_state"] = rows[-1].pop("observation.achieved_goal")
            del rows[-1]["observation.desired_goal"]
    for name in ("meta/episodes/chunk-000", "data/chunk-000"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for file in range(int(files)):
        part = rows[file:] if file == int(files) - 1 else rows[file:file + 1]
        table = {key: column(numpy.concatenate([row[key] for row in part])) for key in rows[0]}
        pyarrow.parquet.write_table(pyarrow.table(table), folder / f"data/chunk-000/file-{file:03d}.parquet")
    features = {key: {"dtype": str(values.dtype), "shape": list(values.shape[1:]) or [1], "names": None} for key, values in rows[0].items()}
    features["observation.images.top"] = {"dtype": "video", "shape": [48, 48, 3], "names": ["height", "width", "channels"]}
    (folder / "meta/info.json").write_text(json.dumps({
        "codebase_version": version, "robot_type": "made", "total_episodes": len(rows), "total_frames": start, "total_tasks": 1,
        "chunks_size": 1000, "fps": 10, "splits": {"train": f"0:{len(rows)}"}, "features": features,
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet", "video_path": None}))
    pyarrow.parquet.write_table(pyarrow.table({
        "episode_index": list(range(len(rows))), "tasks": [["push"]] * len(rows), "length": list(LENGTHS),
        "dataset_from_index": [one for one, _ in places], "dataset_to_index": [two for _, two in places]}),
        folder / "meta/episodes/chunk-000/file-000.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"task_index": [0], "task": ["push"]}), folder / "meta/tasks.parquet")


def write_bad(folder, kind):
    """A dataset with one thing wrong."""
    folder = pathlib.Path(folder)
    write(folder, files="1")
    data, info = folder / "data/chunk-000/file-000.parquet", folder / "meta/info.json"
    table, described = pyarrow.parquet.read_table(data), json.loads(info.read_text())
    count, large = table.num_rows, {}

    def put(name, values):
        return table.set_column(table.column_names.index(name), name, values)
    if kind == "nulls":
        table = put("next.reward", pyarrow.array([None] + [1.0] * (count - 1), pyarrow.float32()))
    elif kind == "ragged":
        table = put("action", pyarrow.array([[1.0, 2.0]] + [[1.0, 2.0, 3.0]] * (count - 1), pyarrow.list_(pyarrow.float32())))
    elif kind == "narrow":
        table = put("observation.state", pyarrow.array([[1.0, 2.0, 3.0, 4.0]] * count, pyarrow.list_(pyarrow.float32())))
    elif kind == "texts":
        table = put("next.reward", pyarrow.array(["go"] * count))
    elif kind == "backwards":
        table = put("episode_index", pyarrow.array(list(range(count, 0, -1))))
    elif kind == "lengths":
        places = folder / "meta/episodes/chunk-000/file-000.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"episode_index": [0, 1, 2], "length": [5, 2, 6]}), places)
    elif kind == "many":
        # 150 million rows that are all alike take some kilobytes.
        table = pyarrow.table({"episode_index": pyarrow.chunked_array([pyarrow.array(numpy.zeros(10_000_000, "i8"))] * 15)})
    elif kind == "wide":
        described["features"]["action"]["shape"] = [2**31, 2**31, 2**31]
    elif kind == "page":
        # One page of 288 MB, which packs to some kilobytes.
        table = pyarrow.table({"episode_index": pyarrow.array(numpy.zeros(36_000_000, "i8"))})
        large = {"use_dictionary": False, "data_page_size": 2**31 - 1, "max_rows_per_page": table.num_rows, "row_group_size": table.num_rows}
    info.write_text(json.dumps(described))
    pyarrow.parquet.write_table(table, data, compression="zstd", **large)


def read(folder):
    """Checks a dataset by the rules of LeRobot's reader; its columns, lengths and statistics."""
    folder = pathlib.Path(folder)
    info = json.loads((folder / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0" and info["fps"] > 0
    table = pyarrow.concat_tables(pyarrow.parquet.read_table(path) for path in sorted((folder / "data").glob("*/*.parquet")))
    places = pyarrow.concat_tables(pyarrow.parquet.read_table(path) for path in sorted((folder / "meta/episodes").glob("*/*.parquet")))
    assert table.num_rows == info["total_frames"] and places.num_rows == info["total_episodes"]
    numbers = {}
    for key, feature in info["features"].items():
        values = numpy.asarray(table[key].to_pylist())
        assert list(values.shape[1:]) == (feature["shape"] if feature["shape"] != [1] else list(values.shape[1:])), key
        assert table[key].type == feature["dtype"] or str(table[key].type).startswith(("fixed_size_list", "bool", "float", "double")), key
        numbers[key] = values
    assert (numbers["index"] == numpy.arange(table.num_rows)).all()
    for place in places.to_pylist():
        part = slice(place["dataset_from_index"], place["dataset_to_index"])
        assert (numbers["episode_index"][part] == place["episode_index"]).all() and place["length"] == part.stop - part.start
        assert (numbers["frame_index"][part] == numpy.arange(place["length"])).all()
        assert numpy.allclose(numbers["timestamp"][part], numpy.arange(place["length"]) / info["fps"])
    tasks = pyarrow.parquet.read_table(folder / "meta/tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]
    statistics = json.loads((folder / "meta/stats.json").read_text())
    for key, values in numbers.items():
        values = values.reshape(len(values), -1).astype("f8")
        for name, wanted in (("min", values.min(0)), ("max", values.max(0)), ("mean", values.mean(0)), ("std", values.std(0))):
            assert numpy.allclose(statistics[key][name], wanted, atol=1e-6), (key, name)
    print(json.dumps({"features": sorted(info["features"]), "lengths": places["length"].to_pylist(),
                      "state": numbers["observation.state"].astype("f8").ravel().tolist(), "action": numbers["action"].astype("f8").ravel().tolist()}))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
