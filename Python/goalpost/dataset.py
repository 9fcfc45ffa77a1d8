"""Datasets on disk as numpy views: `load_dataset`.

`Documentation/Trajectories.md` has the format. Uncompressed columns are mapped: only what is read is loaded.
"""

from __future__ import annotations

import hashlib
import json
import math
import pathlib
import re
from typing import Any, Iterator

import h5py
import numpy

from .errors import GoalpostError, require, whole
from .task import NUMBERS, Task

# The tool's bounds of what is read.
_MANIFEST_BYTES, _SHARDS, _SHARD_EPISODES, _STEPS, _BYTES = 1 << 30, 1 << 20, 1 << 24, 1 << 40, 1 << 50
_CHUNK_BYTES, _LARGEST_GAIN = 1 << 26, 1032  # of deflate
_ORIGINS = ("recipe", "mixture", "conversion")
_TYPES = "f4 f8 i1 i2 i4 i8 u1 u2 u4 u8".split()
_NAME = re.compile(r"extra(/[A-Za-z0-9_-]{1,60}){1,7}")
# What the rows of a column are for, and the lengths of the rest; None for any.
_COLUMNS = {
    "observations": ("states", ["observation"]),
    "actions": ("steps", ["action"]),
    "episode_lengths": ("episodes", []),
    "episode_indices": ("episodes", []),
    "achieved_goals": ("states", ["goal"]),
    "desired_goals": ("episodes", ["goal"]),
    "rewards": ("steps", []),
    "successes": ("steps", []),
    "seeds": ("episodes", []),
    "terminated": ("episodes", []),
    "truncated": ("episodes", []),
    "behaviour/sources": ("steps", []),
    "behaviour/log_probabilities": ("steps", []),
    "states": ("states", None),
    "images": ("states", None),
}


def load_dataset(path: str | pathlib.Path, verify: bool = False) -> Dataset:
    """Opens a dataset's folder; with `verify`, after its digests were found to be right.

    Raises `GoalpostError` for the first thing that is wrong. Sizes are compared with the files before memory is taken.
    """
    folder = pathlib.Path(path)
    manifest, seal = _read_manifest(folder)
    if verify:
        _check_digests(folder, manifest)
    return Dataset(folder, manifest, seal)


class Dataset:
    """A dataset's episodes in the order of its shards, as views of its columns.

    `len(data)` is the number of episodes E, `data[i]` one of them, `data[a:b]` a list, and iterating gives all.

    Attributes: `folder`; `manifest`, parsed JSON; `digest`, the manifest's own; `task`; `shards`; `columns`, the names
    that there are; `lengths` and `indices`, `[E]`.
    """

    def __init__(self, folder: pathlib.Path, manifest: dict, seal: str) -> None:
        self.folder, self.manifest, self.digest = folder, manifest, seal
        self.task = Task.read(manifest.get("task"), folder / "manifest.json")
        self.columns = tuple(sorted(name for name, column in manifest["columns"].items() if column.get("type")))
        self.shards = [
            Shard(folder, listed, self.columns, manifest["columns"], self.task) for listed in manifest["shards"]
        ]
        self.lengths = self.column("episode_lengths").astype(numpy.int64)
        self.indices = self.column("episode_indices")
        self._first = numpy.cumsum([0] + [shard.episodes for shard in self.shards])

    def __len__(self) -> int:
        return int(self._first[-1])

    def __reduce__(self) -> tuple:
        return load_dataset, (self.folder.absolute(),)  # another process maps the files itself

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return [self.episode(k) for k in range(*place.indices(len(self)))]
        return self.episode(place)

    def __iter__(self) -> Iterator[Episode]:
        return (self.episode(place) for place in range(len(self)))

    def episode(self, place: int) -> Episode:
        """The episode at a place, from 0, or counted from the end where it is below 0."""
        count = len(self)
        if not -count <= place < count:
            raise IndexError(f"there are {count} episodes, found {place}")
        place %= count
        number = int(numpy.searchsorted(self._first, place, side="right")) - 1
        return Episode(self.shards[number], place - int(self._first[number]))

    def pieces(self, name: str) -> list[numpy.ndarray]:
        """A column of each shard: views where it is mapped, decoded where it is compressed."""
        return [shard[name] for shard in self.shards]

    def column(self, name: str) -> numpy.ndarray:
        """A column of all shards, one after the other: a view if there is one shard, else a copy."""
        pieces = self.pieces(name)
        return pieces[0] if len(pieces) == 1 else numpy.concatenate(pieces)

    @property
    def origin(self) -> tuple[str, dict]:
        """What the dataset was made from: `recipe`, `mixture` or `conversion`, and what it says."""
        return next((kind, self.manifest[kind]) for kind in _ORIGINS if kind in self.manifest)

    @property
    def provenance(self) -> dict | None:
        """The calls that made it, `provenance.json`; None where that file is not there."""
        file = self.folder / "provenance.json"
        return _parsed(file.read_bytes(), file) if file.exists() else None

    @property
    def returns(self) -> numpy.ndarray:
        """The sum of each episode's rewards, `[E]`."""
        return numpy.concatenate(
            [numpy.add.reduceat(shard["rewards"].astype(numpy.float64), shard.first_step[:-1]) for shard in self.shards]
        )

    @property
    def successes(self) -> numpy.ndarray:
        """Whether each episode's last state is at its goal, `[E]`."""
        return numpy.concatenate([shard["successes"][shard.first_step[1:] - 1] == 1 for shard in self.shards])

    def verify(self) -> None:
        """Compares every shard's SHA-256 with the listed one; raises `GoalpostError` for the first that differs."""
        _check_digests(self.folder, self.manifest)


class Episode:
    """One episode of `length` steps T: `episode["name"]` is the part of a column that belongs to it, a view.

    Columns of steps have T rows, of states T + 1; of a column with a row for each episode it is that row.
    """

    def __init__(self, shard: Shard, place: int) -> None:
        self.shard, self.place = shard, place
        self.length = int(shard.lengths[place])

    def __getitem__(self, name: str) -> numpy.ndarray:
        column, axis = self.shard[name], self.shard.axes[name]
        if axis == "episodes":
            return column[self.place]
        first = int(self.shard.first_step[self.place]) + (self.place if axis == "states" else 0)
        return column[first : first + self.length + (axis == "states")]

    def __len__(self) -> int:
        return self.length

    @property
    def index(self) -> int:
        """Its number within its recipe."""
        return int(self["episode_indices"])

    @property
    def observations(self) -> numpy.ndarray:
        """`[T + 1, O]`."""
        return self["observations"]

    @property
    def actions(self) -> numpy.ndarray:
        """`[T, A]`, or `[T]` where they are discrete."""
        return self["actions"]

    @property
    def achieved_goals(self) -> numpy.ndarray:
        """m(s) of each state, `[T + 1, G]`."""
        return self["achieved_goals"]

    @property
    def desired_goals(self) -> numpy.ndarray:
        """`[G]`, or `[T + 1, G]` where goals move."""
        return self["desired_goals"]

    @property
    def rewards(self) -> numpy.ndarray:
        """The world's own, of the state after each action, `[T]`."""
        return self["rewards"]

    @property
    def success(self) -> bool:
        """Whether its last state is at its goal."""
        return bool(self["successes"][-1])


class Shard:
    """A shard's columns: `shard["name"]`. `episodes` E, `steps` T, `lengths` `[E]`, `first_step` `[E + 1]`."""

    def __init__(self, folder: pathlib.Path, listed: dict, names: tuple[str, ...], columns: dict, task: Task) -> None:
        self.file, self._task = folder / listed["file"], task
        self.episodes, self.steps = _count(listed["episodes"], self.file), listed["steps"]
        self.axes: dict[str, str] = {}
        self._views: dict[str, numpy.ndarray] = {}
        size = _size(self.file, listed)
        bytes_ = numpy.asarray(numpy.memmap(self.file, dtype=numpy.uint8, mode="r")) if size else numpy.empty(0, "u1")
        try:
            with h5py.File(self.file, "r", locking=False) as file:
                for name in ["episode_lengths"] + [name for name in names if name != "episode_lengths"]:
                    self._open(_dataset(file, name, self.file), name, columns[name]["type"], bytes_)
                    if name == "episode_lengths":
                        self._check_lengths()
        except GoalpostError:
            raise
        except Exception as error:
            raise GoalpostError(f"{self.file}: must be readable as HDF5, found: {error}") from None
        if task.goals_are_observations and "achieved_goals" not in self.axes:
            self.axes["achieved_goals"], self._views["achieved_goals"] = "states", self._views["observations"]
        listed_numbers = numpy.concatenate([numpy.arange(a, b + 1) for a, b in _ranges(listed["episodes"])])
        same = numpy.array_equal(self["episode_indices"], listed_numbers)
        require(same, self.file, "'episode_indices' must be the listed ones", "others")

    def __getitem__(self, name: str) -> numpy.ndarray:
        if name not in self.axes:
            raise GoalpostError(f"{self.file}: has no column '{name}'; it has {', '.join(sorted(self.axes))}")
        if name not in self._views:
            with h5py.File(self.file, "r", locking=False) as file:
                self._views[name] = file[name][...]
            self._views[name].flags.writeable = False
        return self._views[name]

    def _check_lengths(self) -> None:
        self.lengths = self["episode_lengths"]
        holds = bool((self.lengths >= 1).all()) and int(self.lengths.sum(dtype=numpy.int64)) == self.steps
        require(holds, self.file, f"'episode_lengths' must be at least 1 each and {self.steps} in all", self.lengths)
        self.first_step = numpy.concatenate([[0], numpy.cumsum(self.lengths, dtype=numpy.int64)])

    def _open(self, dataset: h5py.Dataset, name: str, type_: str, bytes_: numpy.ndarray) -> None:
        """Notes where a column lies, once its type, its shape and its place in the file are found to be right."""
        where = f"{self.file}: '{name}'"
        require(dataset.dtype == numpy.dtype("<" + _dtype(type_, where)), where, f"must be {type_}", dataset.dtype)
        rows = {"steps": self.steps, "states": self.steps + self.episodes, "episodes": self.episodes}
        shape = dataset.shape
        if name in _COLUMNS:
            axis, rest = _COLUMNS[name]
            if name == "desired_goals" and shape[:1] == (rows["states"],):
                axis = "states"
            lengths = [getattr(self._task, part) for part in rest or []]
            if name == "actions" and self._task.choices is not None:
                lengths = []
            right = shape[:1] == (rows[axis],) if rest is None else shape == (rows[axis], *lengths)
        else:
            axis = next((axis for axis, count in rows.items() if shape[:1] == (count,)), "")
            right = axis != ""
        right = right and len(shape) <= 8 and all(1 <= length for length in shape)
        require(right, where, f"must have the shape that {self.steps} steps of {self.episodes} episodes give", shape)
        count = math.prod(shape) * dataset.dtype.itemsize
        held = not dataset.is_virtual and not dataset.external
        require(held, where, "must hold its own elements", "external or virtual storage")
        if dataset.chunks is None and dataset.id.get_offset() is not None:
            offset = dataset.id.get_offset()
            require(offset + count <= len(bytes_), where, f"must lie within {len(bytes_)} bytes", f"{offset} + {count}")
            self._views[name] = bytes_[offset : offset + count].view(dataset.dtype).reshape(shape)
        else:
            settings = dataset.id.get_create_plist()
            filters = {settings.get_filter(k)[0] for k in range(settings.get_nfilters())}
            chunk = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
            holds = count // _LARGEST_GAIN <= len(bytes_) and chunk <= max(count, _CHUNK_BYTES)
            require(
                holds,
                where,
                f"its shape must fit a file of {len(bytes_)} bytes",
                f"{shape} in chunks of {dataset.chunks}",
            )
            known = filters <= {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE}
            require(known, where, "must be packed by shuffle and deflate alone", f"the filters {sorted(filters)}")
        self.axes[name] = axis


def _dataset(file: h5py.File, name: str, place: pathlib.Path) -> h5py.Dataset:
    """The dataset of a path that leads through hard links only."""
    here = file
    for part in name.split("/"):
        link = here.get(part, getlink=True) if isinstance(here, h5py.Group) else None
        require(link is not None, place, f"'{name}' must be there, as the manifest lists it", "nothing")
        require(isinstance(link, h5py.HardLink), place, f"'{name}' must be held by the file itself", "a link")
        here = here[part]
    require(isinstance(here, h5py.Dataset), place, f"'{name}' must be a dataset", "a group")
    return here


def _dtype(name: Any, place: Any) -> str:
    """`f4` of `f32`."""
    found = re.fullmatch(r"([fiu])(8|16|32|64)", name) if isinstance(name, str) else None
    code = f"{found[1]}{int(found[2]) // 8}" if found else ""
    require(code in _TYPES, place, "must have a type of numbers", name)
    return code


def _ranges(text: str) -> list[tuple[int, int]]:
    """The ranges of `0-499,700`."""
    ends = [part.split("-") for part in text.split(",")]
    return [(int(part[0]), int(part[-1])) for part in ends]


def _count(text: Any, place: Any) -> int:
    """How many episodes `0-499,700` are, after its check."""
    right = isinstance(text, str) and re.fullmatch(r"\d{1,10}(-\d{1,10})?(,\d{1,10}(-\d{1,10})?)*", text) is not None
    require(right, place, "'episodes' must be as in 0-499,700", repr(text))
    ranges = _ranges(text)
    ascending = all(a <= b < 1 << 32 for a, b in ranges) and all(x[1] < y[0] for x, y in zip(ranges, ranges[1:]))
    require(ascending, place, "'episodes' must ascend", repr(text))
    return whole(sum(b - a + 1 for a, b in ranges), 1, _SHARD_EPISODES, place, "number of episodes")


def _size(file: pathlib.Path, listed: dict) -> int:
    """The bytes of a shard, which must be the listed ones."""
    recipe = file.parents[1] / "recipe.yaml"
    how = f": `goalpost collect {recipe}` makes it" if recipe.exists() else ""
    require(file.is_file(), file, "must be there, as the manifest lists it" + how, "nothing")
    size = file.stat().st_size
    require(size == listed["bytes"], file, f"must have {listed['bytes']} bytes", size)
    return size


def _check_digests(folder: pathlib.Path, manifest: dict) -> None:
    for listed in manifest["shards"]:
        file, digest = folder / listed["file"], hashlib.sha256()
        _size(file, listed)
        with open(file, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        found = digest.hexdigest()
        require(found == listed["sha256"], file, f"its SHA-256 must be {listed['sha256']}", found)


def _parsed(data: bytes, place: pathlib.Path) -> dict:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise GoalpostError(f"{place}: must be JSON, found: {str(error)[:100]}") from None
    require(isinstance(value, dict), place, "must be values by name", type(value).__name__)
    return value


def _read_manifest(folder: pathlib.Path) -> tuple[dict, str]:
    """A manifest that is sealed and whose sizes go together, and its seal."""
    place = folder / "manifest.json"
    require(place.is_file(), place, "must be there: a dataset is a folder with a manifest", "nothing")
    require(
        place.stat().st_size <= _MANIFEST_BYTES,
        place,
        f"must have at most {_MANIFEST_BYTES} bytes",
        place.stat().st_size,
    )
    data = place.read_bytes()
    end = re.search(rb'\n(  "sha256" : "([0-9a-f]{64})"\n}\n)\Z', data[-100:])
    require(end is not None, place, "must end with its own SHA-256", repr(data[-24:]))
    seal = end[2].decode()
    found = hashlib.sha256(data[: len(data) - len(end[1])]).hexdigest()
    require(found == seal, place, f"its SHA-256 must be {seal}", found)
    manifest = _parsed(data, place)
    require(manifest.get("schema") == 1, place, "this version knows schema 1", manifest.get("schema"))
    shards, columns, totals = (manifest.get(key) for key in ("shards", "columns", "totals"))
    require(
        isinstance(shards, list) and 1 <= len(shards) <= _SHARDS, place, "must list from 1 to 2^20 shards", type(shards)
    )
    right = isinstance(columns, dict) and all(isinstance(column, dict) for column in columns.values())
    require(right, place, "'columns' must be descriptions by name", columns)
    for name in columns:
        require(
            name in _COLUMNS or _NAME.fullmatch(name) is not None,
            place,
            "'columns' must be paths of columns",
            repr(name),
        )
    needed = ("observations", "actions", "episode_lengths", "episode_indices")
    for name in needed:
        require(bool(columns.get(name, {}).get("type")), place, f"must list the column '{name}'", "nothing")
    before, episodes, steps = -1, 0, 0
    for shard in shards:
        require(isinstance(shard, dict), place, "a shard must be values by name", shard)
        before = whole(shard.get("index"), before + 1, NUMBERS, place, "index")
        require(
            shard.get("file") == f"shards/shard-{before:05d}.h5", place, f"must name shard {before}", shard.get("file")
        )
        whole(shard.get("bytes"), 1, _BYTES, place, "bytes")
        steps += whole(shard.get("steps"), 1, _STEPS, place, "steps")
        episodes += _count(shard.get("episodes"), place)
        right = isinstance(shard.get("sha256"), str) and re.fullmatch("[0-9a-f]{64}", shard["sha256"]) is not None
        require(right, place, "'sha256' must be 64 hexadecimal digits", shard.get("sha256"))
    origins = [kind for kind in _ORIGINS if isinstance(manifest.get(kind), dict)]
    require(len(origins) == 1, place, f"must have one of {', '.join(_ORIGINS)}", origins)
    found = {key: totals.get(key) for key in ("episodes", "steps")} if isinstance(totals, dict) else totals
    require(
        found == {"episodes": episodes, "steps": steps}, place, f"must total {episodes} episodes, {steps} steps", found
    )
    return manifest, seal
