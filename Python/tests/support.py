"""What the tests share: the tool, and what it made once."""

from __future__ import annotations

import atexit
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile
import unittest

import goalpost

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


def _find_tool() -> str | None:
    """The tool that the environment names, or the one that was built last in this checkout."""
    if "GOALPOST_TOOL" in os.environ:
        return os.environ["GOALPOST_TOOL"]
    built = [file for file in CHECKOUT.glob(".build/*/goalpost") if os.access(file, os.X_OK) and file.is_file()]
    return str(max(built, key=lambda file: file.stat().st_mtime)) if built else None


TOOL = _find_tool()
if TOOL is not None:
    os.environ["GOALPOST_TOOL"] = TOOL
needs_tool = unittest.skipIf(TOOL is None, "the tool is not built: `make build` builds it")

try:
    import torch

    torch.set_num_threads(1)
    BACKENDS = ["numpy", "torch"]
except ImportError:
    BACKENDS = ["numpy"]
needs_torch = unittest.skipIf("torch" not in BACKENDS, "PyTorch is not installed")


@functools.lru_cache(maxsize=None)
def folder() -> pathlib.Path:
    """A folder that goes when the tests end."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="goalpost-python-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.lru_cache(maxsize=None)
def collected(environment: str, episodes: int = 6, name: str = "", **options: object) -> pathlib.Path:
    """A dataset that the tool collects."""
    made = folder() / (name or f"{environment}-data")
    options = {"policy": "random", "seed": 3} | options
    goalpost.run("collect", environment=environment, episodes=episodes, output=made, **options)
    return made


def plane() -> pathlib.Path:
    """A dataset of a small world."""
    return collected("point-reach", 5, policy="scripted", noise=0.2, random_actions=0.3)


def lander() -> pathlib.Path:
    """A dataset of a world with discrete actions."""
    return collected("lunar-lander", 4)


# Settings besides the small network's, so that all of a policy takes part.
_SETTINGS = {"hiql": {"normalizer.isOn": True}, "goal-transformer": {"head": "continuous"}}


@functools.lru_cache(maxsize=None)
def _trained(learner: str, name: str, settings: str, data: pathlib.Path) -> pathlib.Path:
    made = folder() / name
    small = {"batchSize": 16, "hiddenWidths": [16, 16]} | _SETTINGS.get(learner, {}) | json.loads(settings)
    goalpost.run("train", learner=learner, dataset=data, updates=2, seed=1, evaluate_every=0, set=small, output=made)
    return made


def trained(learner: str, name: str = "", data: pathlib.Path | None = None, **settings: object) -> pathlib.Path:
    """A run of a small network, on the small world unless there is other data."""
    return _trained(learner, name or f"{learner}-run", json.dumps(settings), data or plane())


def episodes_of(run: pathlib.Path, environment: str = "point-reach") -> pathlib.Path:
    """Episodes of a run's policy."""
    return collected(environment, 2, name=run.name + "-episodes", policy=run, seed=9)


def side_by_side(jobs: list) -> list:
    """The results of functions, two of which run at a time, as the tool does the work."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return [job.result() for job in [pool.submit(job) for job in jobs]]


def copied(data: pathlib.Path, name: str) -> pathlib.Path:
    """A copy of a dataset, to be altered."""
    made = folder() / name
    shutil.copytree(data, made)
    return made


def altered(data: pathlib.Path, alter: object) -> None:
    """Alters a manifest, parsed, and seals it again."""
    file = data / "manifest.json"
    manifest = json.loads(file.read_text())
    del manifest["sha256"]
    manifest = alter(manifest) or manifest
    text = json.dumps(manifest, indent=2, sort_keys=True)[: -len("\n}")] + ",\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(text + f'  "sha256" : "{digest}"\n}}\n')


def resealed(data: pathlib.Path) -> None:
    """Lists the first shard's present size and digest."""

    def alter(manifest: dict) -> None:
        shard = manifest["shards"][0]
        content = (data / shard["file"]).read_bytes()
        shard["bytes"], shard["sha256"] = len(content), hashlib.sha256(content).hexdigest()

    altered(data, alter)


def blocks(document: pathlib.Path) -> list[str]:
    """The blocks of Python in a document."""
    return re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL)
