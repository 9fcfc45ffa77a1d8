"""HDF5 files of the formats, as their own code lays them out, and a reader to d4rl's rules: hdf5_reference.py COMMAND ..."""

import json
import pathlib
import sys
import zlib

import h5py
import numpy

LENGTHS = (4, 1, 6)


def episodes(kind="f8", goals=True):
    """Episodes whose numbers are all different; the goal stays."""
    random = numpy.random.default_rng(5)
    for length in LENGTHS:
        states = random.normal(size=(length + 1, 5)).astype(kind)
        goal = numpy.repeat(random.normal(size=(1, 2)), length + 1, axis=0).astype(kind)
        yield {"observation": states, "achieved_goal": states[:, 1:3].copy(), "desired_goal": goal,
               "actions": random.uniform(-1, 1, (length, 3)).astype("f4"), "rewards": random.normal(size=length).astype("f4")}


def write_minari(folder, options="chunked"):
    """A dataset as Minari's storage writes it: the root in order of creation, every array in chunks that can grow."""
    data = pathlib.Path(folder) / "data"
    data.mkdir(parents=True, exist_ok=True)
    latest = {"libver": "latest"} if options == "latest" else {"track_order": True}
    with h5py.File(data / "main_data.hdf5", "w", **latest) as file:
        for number, episode in enumerate(episodes()):
            group = file.create_group(f"episode_{number}")
            length = len(episode["rewards"])
            group.attrs.update({"id": number, "seed": 2**63 + number, "total_steps": length, "rewards_sum": episode["rewards"].sum()})
            ends = numpy.zeros(length, bool)
            ends[-1] = True
            arrays = {"observations/" + key: episode[key] for key in ("observation", "achieved_goal", "desired_goal")}
            arrays |= {"actions": episode["actions"], "rewards": episode["rewards"], "truncations": ends if number != 1 else ~ends,
                       "terminations": ends if number == 1 else ends & False,
                       "infos/is_success": numpy.r_[0, ends].astype("f4"), "infos/deep/speed": episode["observation"][:, :2].copy()}
            for key, values in arrays.items():
                grown = {} if options == "latest" else {"chunks": True, "maxshape": (None, *values.shape[1:])}
                group.create_dataset(key, data=values, **grown)
    spaces = {"type": "Box", "dtype": "float64", "shape": [5], "low": [float("-inf")] * 5, "high": [float("inf")] * 5}
    (data / "metadata.json").write_text(json.dumps({
        "total_episodes": 3, "total_steps": 11, "data_format": "hdf5", "dataset_id": "test/made-v0", "minari_version": "0.5.4",
        "observation_space": json.dumps(spaces), "action_space": json.dumps(spaces), "ref_min_score": float("nan"), "author": ["someone"],
        "env_spec": json.dumps({"id": "Made-v0", "additional_wrappers": []})}))


def write_robomimic(file, options="next", repeats="5"):
    """A file as robomimic's converters write it; with five repeats, names are not in order of number."""
    with h5py.File(file, "w") as out:
        data = out.create_group("data")
        for number, episode in enumerate([one for _ in range(int(repeats)) for one in episodes()]):
            demo = data.create_group(f"demo_{number}")
            demo.attrs["num_samples"] = len(episode["rewards"])
            length = len(episode["rewards"])
            if options == "no-next" and length == 1:
                length, episode = 2, {key: numpy.repeat(values, 2, 0)[:3 if key not in ("actions", "rewards") else 2] for key, values in episode.items()}
            for key in ("observation", "achieved_goal", "desired_goal"):
                demo.create_dataset(f"obs/{key}", data=episode[key][:length], compression="gzip")
                if options != "no-next":
                    demo.create_dataset(f"next_obs/{key}", data=episode[key][1:length + 1], compression="gzip")
            demo.create_dataset("actions", data=episode["actions"])
            demo.create_dataset("rewards", data=episode["rewards"].astype("f8"))
            demo.create_dataset("dones", data=numpy.eye(length, dtype="i8")[-1] * (number % 2))
            demo.create_dataset("states", data=episode["observation"][:length, :4])
        data.attrs["total"] = int(repeats) * sum(LENGTHS)
        data.attrs["env_args"] = json.dumps({"env_name": "FetchPush-v4", "type": 2, "env_kwargs": {"reward_type": "sparse"}})
        out.create_dataset("mask/train", data=numpy.array([f"demo_{k}".encode() for k in (len(data) - 1, 0)]))
        out.create_dataset("mask/valid", data=numpy.array([b"demo_1"]))


def write_d4rl(file, options):
    """Flat rows as D4RL's scripts write them; `options` names what is there besides."""
    rows = {key: [] for key in ("observations", "next_observations", "actions", "rewards", "terminals", "timeouts", "infos/goal", "infos/qpos")}
    for number, episode in enumerate(episodes("f4")):
        length = len(episode["rewards"])
        if "next_observations" in options and length == 1:
            continue
        ends = numpy.eye(length, dtype=bool)[-1]
        rows["observations"].append(episode["observation"][:-1])
        rows["next_observations"].append(episode["observation"][1:])
        rows["actions"].append(episode["actions"])
        rows["rewards"].append(episode["rewards"])
        rows["terminals"].append(ends & (number == 1))
        rows["timeouts"].append(ends & (number == 0))  # the last episode ends with the file
        rows["infos/goal"].append(episode["desired_goal"][1:])
        rows["infos/qpos"].append(episode["observation"][:-1, :3].astype("f8"))
    with h5py.File(file, "w") as out:
        for key, parts in rows.items():
            if key.split("/")[-1] in options.split(","):
                continue
            values = numpy.concatenate(parts)
            out.create_dataset(key, data=values[:, None] if key == "rewards" else values, compression="gzip")
        out["metadata/algorithm"] = "made"


def write_d4rl_latest(file):
    """The same rows as the library stores them with libver="latest": arrays that can grow, half floats, big-endian numbers, soft links."""
    write_d4rl(file, "")
    with h5py.File(file) as source:
        rows = {}
        source.visititems(lambda name, item: rows.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) and "metadata" not in name else None)
    rows |= {"infos/half": rows["infos/qpos"].astype("f2"), "infos/qpos": rows["infos/qpos"].astype(">f8")}
    with h5py.File(file, "w", libver="latest") as out:
        for number, (key, values) in enumerate(rows.items()):
            free = 2 if number % 3 == 0 and values.ndim == 2 else 1
            packed = {"compression": "gzip"} if number % 2 else {}
            out.create_dataset(key + "_stored", data=values, maxshape=(None,) * free + values.shape[free:], chunks=(2, *values.shape[1:]), **packed)
            out.move(key + "_stored", f"metadata/stored/{number}")
            out[key] = h5py.SoftLink(f"/metadata/stored/{number}")


def read_d4rl(file, output):
    """The episodes of a file by the rules of d4rl: its checks, `sequence_dataset`, and `qlearning_dataset` with timeouts dropped."""
    with h5py.File(file) as source:
        data = {}
        source.visititems(lambda name, item: data.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None)
    for key in ("observations", "actions", "rewards", "terminals"):
        assert key in data, key
    count = len(data["observations"])
    assert data["actions"].shape[0] == count
    for key in ("rewards", "terminals", "timeouts"):
        if data[key].shape == (count, 1):
            data[key] = data[key][:, 0]
        assert data[key].shape == (count,), key
    episode, found = {}, []
    for row in range(count):
        for key, values in data.items():
            if "metadata" not in key:
                assert len(values) == count, key
                episode.setdefault(key, []).append(values[row])
        if data["terminals"][row] or data["timeouts"][row]:
            found.append({key: numpy.array(values) for key, values in episode.items()})
            episode = {}
    assert not episode
    with h5py.File(output, "w") as out:
        for number, episode in enumerate(found):
            for key, values in episode.items():
                out[f"{number}/{key}"] = values
    steps = [row for row in range(count - 1) if not data["timeouts"][row]]
    assert all((data["observations"][row + 1] == data["next_observations"][row]).all() for row in steps if not data["terminals"][row])
    print(json.dumps([len(one["rewards"]) for one in found]))


def compare(one, other, ignored=""):
    """Expects every dataset and attribute of one file, in type and to the bit, in another."""
    count = 0
    with h5py.File(one) as left, h5py.File(other) as right:
        def look(name, item):
            nonlocal count
            if any(part and part in name for part in ignored.split(",")):
                return
            for key, value in item.attrs.items():
                if key not in ignored.split(",") and not numpy.allclose(right[name].attrs[key], value):
                    sys.exit(f"{name}: attribute {key} is {right[name].attrs[key]}, not {value}")
            if isinstance(item, h5py.Dataset):
                a, b = item[()], right[name][()]
                if item.dtype != right[name].dtype or a.shape != b.shape or not numpy.array_equal(a, b):
                    sys.exit(f"{name} differs: {a.dtype} {a.shape}, {b.dtype} {b.shape}")
                count += 1
        left.visititems(look)
    print(count)


def put(file, dataset, row, value):
    """Sets a row of a dataset of a file."""
    with h5py.File(file, "r+") as out:
        out[dataset][int(row)] = float(value)


def fill(file, dataset, value):
    """Sets a whole dataset of a file."""
    with h5py.File(file, "r+") as out:
        out[dataset][...] = float(value)


def shift_seeds(file, by):
    """Adds to the seed of each of Minari's episodes."""
    with h5py.File(file, "r+") as out:
        for group in out.values():
            group.attrs["seed"] = numpy.uint64(group.attrs["seed"] + int(by))


def shorten(file, dataset):
    """Takes the last row of a dataset away."""
    with h5py.File(file, "r+") as out:
        values = out[dataset][:-1]
        del out[dataset]
        out[dataset] = values


def write_pixels(folder):
    """A dataset of Minari's layout whose observations are pictures."""
    data = pathlib.Path(folder) / "data"
    data.mkdir(parents=True)
    with h5py.File(data / "main_data.hdf5", "w") as file:
        group = file.create_group("episode_0")
        group["observations"] = numpy.zeros((4, 4, 4, 3), "u1")
        group["actions"], group["rewards"] = numpy.zeros((3, 2), "f4"), numpy.zeros(3)
        group["terminations"], group["truncations"] = numpy.zeros(3, bool), numpy.arange(3) == 2
    (data / "metadata.json").write_text(json.dumps({"total_episodes": 1, "total_steps": 3, "data_format": "hdf5"}))


def write_others(folder):
    """Files with the names of formats that are not read."""
    folder = pathlib.Path(folder)
    for name, members in (("wm.h5", ("ep_len", "ep_offset", "pixels")), ("d3.h5", ("observations_0", "actions_0", "total_size")),
                          ("aloha.hdf5", ("action", "observations/qpos")), ("odd.h5", ("a", "b"))):
        with h5py.File(folder / name, "w") as file:
            for member in members:
                file[member] = numpy.zeros(3)
    numpy.savez(folder / "vd4rl.npz", image=numpy.zeros((3, 2, 2, 3), "u1"), action=numpy.zeros((3, 2)))
    numpy.savez(folder / "odd.npz", a=numpy.zeros(3), b=numpy.zeros(3))


def write_walk(file, jump="0"):
    """Rows of D4RL of 4 episodes of 30 steps in a world of nobody's: places that walk, and flags; one jumps."""
    random = numpy.random.default_rng(17)
    places = numpy.cumsum(random.normal(size=(120, 2)) * 0.05, axis=0)
    places[75:] += float(jump)
    states = numpy.c_[places, numpy.arange(120) % 7 == 0].astype("f4")
    ends = numpy.arange(120) % 30 == 29
    with h5py.File(file, "w") as out:
        out["observations"], out["next_observations"] = states, numpy.r_[states[1:], states[-1:]]
        out["actions"], out["rewards"] = random.uniform(-1, 1, (120, 2)).astype("f4"), numpy.zeros(120, "f4")
        out["terminals"], out["timeouts"] = ends & False, ends


def zoo(folder, versions="earliest,v108,v110,latest"):
    """Files of every way in which h5py stores things, and what is in them as JSON."""
    random = numpy.random.default_rng(3)
    big = (random.normal(size=(701, 13)) * 3).round()
    expected = {}
    for version in versions.split(","):
        path = pathlib.Path(folder) / f"{version}.h5"
        with h5py.File(path, "w", libver=version, userblock_size=512 if version == "v108" else 0) as file:
            def add(name, values, **options):
                file.create_dataset(name, data=values, **options)
            for code in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
                add("plain/" + code, numpy.arange(1, 7, dtype=code).reshape(3, 2))
            add("bool", numpy.array([True, False, True]))
            add("scalar", numpy.float64(2.5))
            add("gzip", big, chunks=(100, 5), compression="gzip", shuffle=True)
            add("lzf", big, chunks=(64, 13), compression="lzf")
            add("checked", big, chunks=(50, 13), fletcher32=True)
            add("all", big.astype("i4"), chunks=(33, 4), compression="gzip", shuffle=True, fletcher32=True)
            add("chunks", big, chunks=(100, 4))
            add("one", big, chunks=(701, 13), compression="gzip")
            add("cube", big[:700].reshape(7, 25, 52), chunks=(2, 25, 20))
            add("empty", numpy.zeros((0, 4)))
            file.create_dataset("unwritten", shape=(5, 2), dtype="f4", fillvalue=7)
            file.create_dataset("partly", shape=(500, 2), dtype="f8", chunks=(100, 2), fillvalue=-1, compression="gzip")[150:250] = 3
            add("growing/rows", big, maxshape=(None, 13), chunks=(9, 5))
            add("growing/rows_packed", big, maxshape=(None, 13), chunks=(9, 5), compression="gzip")
            add("growing/columns", big, maxshape=(900, None), chunks=(9, 5), shuffle=True)
            add("growing/both", big, maxshape=(None, None), chunks=(9, 5))
            add("growing/both_packed", big, maxshape=(None, None), chunks=(9, 5), compression="lzf")
            add("growing/bounded", big, maxshape=(1000, 40), chunks=(9, 5))
            small = file.create_dataset("shrunk", data=big, maxshape=(None, 13), chunks=(100, 13))
            small.resize((250, 13))
            for kind in (">f4", ">f8", ">i2", ">u4", ">i8", "<f2", ">f2"):
                values = numpy.array([[0.5, -2, 65504], [2**-24, 3e-5, -0.0]]) if "f" in kind else numpy.arange(6).reshape(2, 3)
                add("order/" + kind.replace(">", "big_").replace("<", ""), values.astype(kind), compression="gzip")
                add("order_plain/" + kind.replace(">", "big_").replace("<", ""), values.astype(kind))
            file.create_dataset("half_unwritten", shape=(5, 2), dtype="f2", fillvalue=1.5)
            if version == "latest":
                # Chunks of more numbers than are listed in one page.
                many = file.create_dataset("growing/many", shape=(135_200,), maxshape=(None,), chunks=(1,), dtype="i1", fillvalue=9)
                for place in (0, 3, 4, 70, 5_000, 131_100, 132_200, 133_200, 135_199):
                    many[place] = place % 7
            for number in range(900):
                file.create_group("many").create_group("group_0") if number == 0 else file["many"].create_group(f"group_{number}")
            ordered = file.create_group("ordered", track_order=True)
            for number in range(3000):
                ordered.attrs if number else None
                ordered[f"name_{number}"] = numpy.int32(number)
            thing = file.create_group("attributes")
            for number in range(30):
                thing.attrs[f"number_{number}"] = number * 1.5
            thing.attrs["text"] = "für Elise"
            thing.attrs["fixed"] = numpy.bytes_("abc")
            thing.attrs["seed"] = numpy.uint64(2**64 - 1)
            thing.attrs["minus"] = -5
            thing.attrs["flag"] = True
            thing.attrs["list"] = [1, 2, 3]
            add("texts", numpy.array([b"demo_1", b"demo_22"]))
            add("strings", ["a", "b"])
            file.create_dataset("long_texts", data=["für Elise", "", "x" * 10_000] * 20, maxshape=(None,), chunks=(7,), compression="gzip")
            file["soft"] = h5py.SoftLink("/scalar")
            file["links/far"] = h5py.SoftLink("/links/near/f4")
            file["links/near"] = h5py.SoftLink("/plain")
            file["links/sibling"] = h5py.SoftLink("./far")
            file["links/round"] = h5py.SoftLink("/links/trip")
            file["links/trip"] = h5py.SoftLink("/links/round")
            file["links/nowhere"] = h5py.SoftLink("/none/at/all")
            file["elsewhere"] = h5py.ExternalLink("other.h5", "/x")
            layout = h5py.VirtualLayout(shape=(3, 2), dtype="f4")
            layout[:] = h5py.VirtualSource(".", "plain/f4", shape=(3, 2))
            file.create_virtual_dataset("virtual", layout)
            file.create_dataset("compound", data=numpy.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
        with h5py.File(path) as file:
            values = {}
            file.visititems(lambda name, item: values.__setitem__(name, numpy.asarray(item[()], dtype="f8").ravel().tolist())
                            if isinstance(item, h5py.Dataset) and name not in ("texts", "strings", "long_texts", "compound") and not name.startswith("ordered") else None)
            expected[path.name] = values
    print(json.dumps(expected))


def parts(file, count, options=""):
    """A file of D4RL's rows that are virtual: those of so many others in a folder beside it, one after the other; and the same rows, plain."""
    file = pathlib.Path(file)
    folder = file.parent / "parts"
    folder.mkdir()
    names = [f"parts/p{number}.hdf5" for number in range(int(count))]
    for number, name in enumerate(names):
        write_d4rl(file.parent / name, options)
        with h5py.File(file.parent / name, "r+") as part:
            part["actions"][...] *= 0.5**number
            part["timeouts"][-1] = True
    with h5py.File(folder / "p0.hdf5") as first, h5py.File(file, "w") as out:
        def join(key, item):
            if not isinstance(item, h5py.Dataset) or "metadata" in key:
                return
            layout = h5py.VirtualLayout(shape=(len(item) * len(names), *item.shape[1:]), dtype=item.dtype)
            for number, name in enumerate(names):
                layout[number * len(item):(number + 1) * len(item)] = h5py.VirtualSource(name, key, shape=item.shape)
            out.create_virtual_dataset(key, layout)
        first.visititems(join)
    with h5py.File(file) as source, h5py.File(file.with_name("plain.hdf5"), "w") as out:
        def copy(key, item):
            if isinstance(item, h5py.Dataset):
                out[key] = item[()]
        source.visititems(copy)


def virtual(folder):
    """Virtual datasets of every kind that is read, as the oldest and the newest library write them, and what is in them as JSON."""
    folder = pathlib.Path(folder)
    (folder / "below").mkdir()
    random = numpy.random.default_rng(4)
    for number in range(3):
        with h5py.File(folder / f"below/p{number}.h5", "w") as file:
            file["deep/plain"] = random.normal(size=(40, 6))
            file.create_dataset("packed", data=random.normal(size=(40, 6)), chunks=(7, 4), compression="gzip")
            file["half"] = random.normal(size=(40, 6)).astype(">f2")
            file["pictures"] = random.integers(0, 255, (40, 4, 5), "u1")
    with h5py.File(folder / "beside.h5", "w") as file:
        file["x"] = random.normal(size=(40, 6))
    expected = {}
    for version in ("earliest", "v110", "latest"):
        path = folder / f"{version}.h5"
        with h5py.File(path, "w", libver=version) as file:
            own = file.create_dataset("own", data=numpy.arange(40.0))

            def source(number, name):
                shape = (40, 4, 5) if name == "pictures" else (40, 6)
                # Whole names too, of files that are there.
                place = f"below/p{number}.h5" if number else str(folder / f"below/p{number}.h5")
                return h5py.VirtualSource(place, name, shape=shape)

            def add(name, shape, dtype, parts, **options):
                layout = h5py.VirtualLayout(shape=shape, dtype=dtype)
                for place, part in parts:
                    layout[place] = part
                file.create_virtual_dataset(name, layout, **options)
            for name, dtype in (("deep/plain", "f8"), ("packed", "f8"), ("half", ">f2")):
                add("rows/" + name.split("/")[-1], (130, 6), dtype, [(slice(40 * k, 40 * k + 40), source(k, name)) for k in range(3)], fillvalue=-2)
                # Steps on both sides, and parts of parts.
                add("steps/" + name.split("/")[-1], (40, 6), dtype,
                    [(slice(0, 40, 2), source(0, name)[::2]), (slice(1, 40, 2), source(1, name)[20:40])])
                add("columns/" + name.split("/")[-1], (40, 9), dtype,
                    [(numpy.s_[:, 0:6:2], source(0, name)[:, 3:]), (numpy.s_[:, 1:6:2], source(1, name)[:, :3]), (numpy.s_[:, 6:], source(2, name)[:, ::2])])
            add("stacked", (3, 40, 6), "f8", [(k, source(k, "packed")) for k in range(3)])
            add("table", (2, 40), "f8", [(0, h5py.VirtualSource(own)), (1, source(2, "packed")[:, 1])])
            add("pictures", (20, 2, 5), "u1", [(slice(0, 10), source(0, "pictures")[5:25:2, 1:3]), (slice(10, 20), source(1, "pictures")[:10, ::2])])
            add("none", (5, 2), "f4", [], fillvalue=3)
            # A whole name of before the files were moved.
            add("moved", (40, 6), "f8", [(slice(0, 40), h5py.VirtualSource("/moved/away/beside.h5", "x", shape=(40, 6)))])
            # Rows one by one, which are no block.
            space, few = h5py.h5s.create_simple((5, 6)), h5py.h5s.create_simple((40, 6))
            few.select_none()
            for row in (0, 1, 7, 9, 30):
                few.select_hyperslab((row, 0), (1, 6), op=h5py.h5s.SELECT_OR)
            plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plan.set_virtual(space, b"below/p1.h5", b"packed", few)
            h5py.h5d.create(file.id, b"listed", h5py.h5t.IEEE_F64LE, space, plan)
        with h5py.File(path) as file:
            values = {}
            file.visititems(lambda name, item: values.__setitem__(name, numpy.asarray(item[()], dtype="f8").ravel().tolist()) if isinstance(item, h5py.Dataset) else None)
            expected[path.name] = values
    print(json.dumps(expected))


def virtual_snares(folder):
    """Virtual datasets that are not read, each in a file of its own below `in`, and their names."""
    folder = pathlib.Path(folder)
    (folder / "in").mkdir()
    for place in ("outside.h5", "in/p.h5", "in/small.h5"):
        with h5py.File(folder / place, "w") as file:
            file["x"] = numpy.ones((3 if "small" in place else 4, 2), "f4")
            file["texts"] = ["a", "b"]
            if place == "in/p.h5":
                # What is not compressed lets what is be as large.
                file["noise"] = numpy.random.default_rng(6).integers(0, 255, 300_000, "u1")
                file.create_dataset("wide", shape=(1, 2**27), dtype="u1", chunks=(1, 2**20), compression="gzip")
                file.create_dataset("chunk", data=numpy.ones((2**20, 2)), chunks=(2**20, 2), compression="gzip")
                file.create_virtual_dataset("again", h5py.VirtualLayout(shape=(4, 2), dtype="f4"))
    (folder / "in/link.h5").symlink_to("../outside.h5")
    (folder / "in/folder").symlink_to("..")
    names = []

    def made(name, parts, shape=(8, 2), dtype="f4"):
        names.append(name)
        layout = h5py.VirtualLayout(shape=shape, dtype=dtype)
        for place, source in parts:
            layout[place] = source
        with h5py.File(folder / "in" / (name + ".h5"), "w") as file:
            file.create_virtual_dataset("x", layout)

    def of(file, name="x", shape=(4, 2)):
        return h5py.VirtualSource(file, name, shape=shape)
    first = slice(0, 4)
    made("up", [(first, of("../outside.h5"))])
    made("absolute", [(first, of(str(folder / "outside.h5")))])
    made("linked", [(first, of("link.h5"))])
    made("through", [(first, of("folder/outside.h5"))])
    made("missing", [(first, of("nothing.h5"))])
    made("absent", [(first, of("p.h5", "nothing"))])
    made("type", [(first, of("p.h5"))], dtype="f8")
    made("smaller", [(first, of("small.h5"))])
    made("part", [(slice(0, 2), of("small.h5")[2:4])])
    made("itself", [(first, of("."))])
    made("round", [(first, of("round.h5"))])
    made("twice", [(first, of("p.h5", "again"))])
    made("group", [(first, of("p.h5", "/"))])
    made("none", [(first, of("p.h5"))], shape=(10**9, 2))
    made("empty", [], shape=(0, 2**40, 2**40))
    made("overlap", [(slice(0, 4), of("p.h5")), (slice(2, 6), of("p.h5")), (slice(4, 8), of("p.h5"))])
    made("wide", [(k, of("p.h5", "wide", (1, 2**27))[0, k:k + 2]) for k in range(8)], dtype="u1")
    made("packed", [(k, of("p.h5", "chunk", (2**20, 2))[k]) for k in range(8 * 16)], shape=(8 * 16, 2), dtype="f8")
    for name, file, count in (("grows", b"p.h5", h5py.h5s.UNLIMITED), ("pattern", b"p-%b.h5", h5py.h5s.UNLIMITED)):
        names.append(name)
        space = h5py.h5s.create_simple((4, 2), (h5py.h5s.UNLIMITED, 2))
        source = h5py.h5s.create_simple((4, 2), (h5py.h5s.UNLIMITED, 2))
        space.select_hyperslab((0, 0), (count, 1), stride=(4 if name == "pattern" else 1, 1), block=(4 if name == "pattern" else 1, 2))
        if name == "grows":
            source.select_hyperslab((0, 0), (count, 1), stride=(1, 1), block=(1, 2))
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_virtual(space, file, b"x", source)
        with h5py.File(folder / "in" / (name + ".h5"), "w") as out:
            h5py.h5d.create(out.id, b"x", h5py.h5t.IEEE_F32LE, space, plan)
    print(json.dumps(names))


def snares(folder):
    """Files that are whole and hostile, and one that is cut short; its bytes when it was whole."""
    folder = pathlib.Path(folder)
    rows = numpy.zeros((40, 2), "f4")
    columns = {"observations": rows, "next_observations": rows, "actions": rows, "rewards": rows[:, 0],
               "terminals": numpy.zeros(40, bool), "timeouts": numpy.tile([0] * 9 + [1], 4).astype(bool)}

    def write(name, but=""):
        file = h5py.File(folder / name, "w")
        for key, values in columns.items():
            if key != but:
                file[key] = values
        return file
    with write("loop.hdf5") as file:
        inside = file.create_group("infos")
        for number in range(12):
            inside[f"a{number}"] = inside
    with write("soft.hdf5") as file:
        inside = file.create_group("infos")
        for number in range(12):
            inside[f"a{number}"] = h5py.SoftLink("/infos")
    with write("paths.hdf5") as file:
        # A group of 12 names for the next one, and so on: 12^6 paths, and no loop.
        group = file.create_group("infos")
        for depth in range(6):
            below = group.create_group("a0")
            for number in range(1, 12):
                group[f"a{number}"] = below
            group = below
    with write("chunk.hdf5", "observations") as file:
        # A chunk of 128 MiB in a dataset of 320 bytes.
        chunk = file.create_dataset("observations", shape=(40, 2), maxshape=(None, 2), chunks=(2**24, 2), dtype="f4", compression="gzip")
        chunk.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**27), 1))
    # An array of 64 MB that no reader needs.
    numpy.savez_compressed(folder / "spare.npz", states=numpy.ones((2, 5, 3), "f4"), actions=numpy.ones((2, 5, 1), "f4"),
                           desired_states=numpy.ones((2, 3), "f4"), spare=numpy.zeros(2**23))
    numpy.savez_compressed(folder / "spare_rows.npz", observations=numpy.ones((6, 3), "f4"), actions=numpy.ones((6, 1), "f4"),
                           terminals=numpy.eye(6, dtype="f4")[-1], extra=numpy.arange(6.0), spare=numpy.zeros(2**23))
    with write("whole.hdf5"):
        pass
    whole = (folder / "whole.hdf5").read_bytes()
    (folder / "cut.hdf5").write_bytes(whole[:-1000])
    print(json.dumps(len(whole)))


def corpus(folder):
    """Tiny valid files of these readers, from which the fuzz tests start."""
    folder = pathlib.Path(folder)
    for options in ("chunked", "latest"):
        write_minari(folder / "minari", options)
        # Readers take the folder of the two files as well; the fuzz tests damage files, not folders in folders.
        (folder / "minari" / "data").rename(folder / f"minari-{options}")
        (folder / "minari").rmdir()
    write_robomimic(folder / "robomimic.hdf5", "next", "1")
    write_d4rl(folder / "d4rl.hdf5", "")
    write_d4rl(folder / "d4rl-v0.hdf5", "timeouts,next_observations")
    write_d4rl_latest(folder / "d4rl-latest.hdf5")
    # Every column of rows out of others in the same file, in two parts.
    write_d4rl(folder / "d4rl-virtual.hdf5", "")
    with h5py.File(folder / "d4rl-virtual.hdf5", "r+") as file:
        for key in ("observations", "next_observations", "actions", "rewards", "terminals", "timeouts", "infos/goal"):
            values = file[key][()]
            layout = h5py.VirtualLayout(shape=values.shape, dtype=values.dtype)
            file.move(key, f"metadata/parts/{key}")
            source = h5py.VirtualSource(file[f"metadata/parts/{key}"])
            layout[:5], layout[5:] = source[:5], source[5:]
            file.create_virtual_dataset(key, layout)
    write_robomimic(folder / "robomimic-texts.hdf5", "next", "1")
    with h5py.File(folder / "robomimic-texts.hdf5", "r+") as file:
        for name in list(file["mask"]):
            texts = [text.decode() for text in file[f"mask/{name}"][()]]
            del file[f"mask/{name}"]
            file[f"mask/{name}"] = texts
        for number in range(len(LENGTHS)):
            file[f"data/demo_{number}/obs/again"] = h5py.SoftLink(f"/data/demo_{number}/obs/observation")
            file[f"data/demo_{number}/next_obs/again"] = h5py.SoftLink(f"/data/demo_{number}/next_obs/observation")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
