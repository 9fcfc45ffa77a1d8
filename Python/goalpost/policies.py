"""A checkpoint's policy in numpy or PyTorch: `load_policy`.

`Documentation/Checkpoints.md` says what a checkpoint holds, `Documentation/Transformers.md` what the parts of a
transformer are. A policy acts as the tool's, but for the last bits: the tool adds in an order of its own.
"""

from __future__ import annotations

import json
import math
import pathlib
import re
from typing import Any

import numpy

from .arrays import NumpyArrays, TorchArrays, arrays
from .errors import GoalpostError, require, whole
from .generators import Philox
from .task import Task

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}
_POLICY_STREAM = 1  # of what a policy draws in an episode


def load_policy(path: str | pathlib.Path, backend: str = "numpy", device: str | None = None) -> Policy:
    """The policy of a run (its last checkpoint), of a checkpoint's folder or of a `policy.safetensors`.

    Every learner and head. With the backend `torch`, calls take and give tensors, and `parameters` may be trained.
    Raises `GoalpostError` for what is no checkpoint, and for weights that do not go with the settings.
    """
    file = _policy_file(pathlib.Path(path))
    tensors, metadata = read_safetensors(file)
    try:
        head = json.loads(metadata["goalpost"])
        learner, task, settings = str(head["learner"]), Task.read(head["task"], file), head["settings"]
        kind = _kind(task, settings, tensors)
        policy = kind(learner, task, settings, tensors, arrays(backend, device), file)
        policy.begin(numpy.zeros(task.goal)).act(numpy.zeros(task.observation))  # whether all goes together
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError, RecursionError) as error:
        raise GoalpostError(f"{file}: head and weights must be those of a policy, found: {_short(error)}") from None
    policy.head = head
    return policy


class Policy:
    """A policy: `policy.begin(goal)` acts in an episode, `policy(observations, goals)` on rows.

    Attributes: `learner`; `task`; `settings`; `head`, what the checkpoint says of itself; `parameters`, by the names of
    the checkpoint, arrays of the backend.
    """

    head: dict[str, Any] = {}
    prefix = ""

    def __init__(
        self,
        learner: str,
        task: Task,
        settings: dict[str, Any],
        tensors: dict[str, numpy.ndarray],
        backend: NumpyArrays | TorchArrays,
        file: pathlib.Path,
    ) -> None:
        self.learner, self.task, self.settings, self.file = learner, task, settings, file
        self.arrays = backend
        self.parameters = {name: backend.array(values) for name, values in tensors.items()}
        self.normaliser = settings["normalizer"]
        self.sampled = settings.get("choosing") == "sampled"
        self.codec: Any = _codec(task, settings)

    def begin(self, goal: Any, seed: int = 0) -> Actor:
        """The policy at work in an episode towards a goal `[G]`; what it draws is keyed by the episode's world seed."""
        return Actor(self, numpy.asarray(goal, dtype=numpy.float32), seed)

    def __call__(self, observations: Any, goals: Any, step: int = 0) -> Any:
        """The world's actions `[..., A]`, or choices `[...]`, at observations `[..., O]` towards goals `[..., G]`.

        Choices are the most probable ones. `step` is the number of steps done, which policies that count steps read.
        """
        return self.actions(self.outputs(observations, goals, step))

    def outputs(self, observations: Any, goals: Any, step: int = 0) -> Any:
        """What the network says, `[..., K]`: logits, or what `actions` takes for the world's actions."""
        raise NotImplementedError

    def actions(self, outputs: Any) -> Any:
        """The world's actions of outputs `[..., K]`, choices being the most probable ones."""
        if self.codec is None:
            return self._scaled(self.arrays.tanh(outputs))
        choices = outputs.reshape(*outputs.shape[:-1], self.codec.heads, self.codec.classes).argmax(-1)
        return self._chosen(choices)

    # What subclasses are made of.

    def parameter(self, name: str) -> Any:
        """The parameter of a name, within the policy's own."""
        return self.parameters[self.prefix + name]

    def has(self, name: str) -> bool:
        """Whether there is a parameter of a name."""
        return self.prefix + name in self.parameters

    def dense(self, name: str, x: Any, gelu: bool = False) -> Any:
        """Dense layers with a rectifier, or GELU and where there are gains a normalisation, between them."""
        step = 3 if gelu and self.has(f"{name}.2.weight") and len(self.parameter(f"{name}.2.weight").shape) == 1 else 2
        k = 0
        while True:
            x = self.arrays.linear(x, self.parameter(f"{name}.{k}.weight"), self.parameter(f"{name}.{k}.bias"))
            if not self.has(f"{name}.{k + step}.weight"):
                return x
            x = self.arrays.gelu_tanh(x) if gelu else self.arrays.rectified(x)
            if step == 3:
                gain, shift = (self.parameter(f"{name}.{k + 2}.{part}") for part in ("weight", "bias"))
                x = self.arrays.normalised(x, gain, shift, 1e-6)
            k += step

    def normalised(self, values: Any, start: int) -> Any:
        """Numbers `[..., K]` as networks read them, those from `start` on of observation and goal side by side."""
        x, norm = self.arrays.array(values), self.normaliser
        if not norm["isOn"]:
            return x
        part = slice(start, start + x.shape[-1])
        mean, deviation = (self.parameters[f"normalizer.{name}"][part] for name in ("mean", "deviation"))
        x = self.arrays.clipped(x, -norm["inputClip"], norm["inputClip"])
        return self.arrays.clipped((x - mean) / deviation, -norm["outputClip"], norm["outputClip"])

    def _joined(self, observations: Any, goals: Any) -> Any:
        """Observations and goals side by side, of which one may be a single row."""
        shape = numpy.broadcast_shapes(observations.shape[:-1], goals.shape[:-1])
        zeros = self.arrays.array(numpy.zeros((*shape, 1)))
        return self.arrays.concatenated([observations + zeros, goals + zeros], -1)

    def _scaled(self, u: Any) -> Any:
        low, high = self.task.low, self.task.high
        middle, half = (self.arrays.array(x) for x in ((low + high) / 2, (high - low) / 2))
        low, high = self.arrays.array(low), self.arrays.array(high)
        return self.arrays.clipped(middle + half * u, low, high)

    def _chosen(self, choices: Any) -> Any:
        """The world's actions of choices `[..., H]`."""
        if self.codec.values is None:
            return choices[..., 0]
        values = self.arrays.array(self.codec.values)
        return self.arrays.stacked([values[k][digit] for k, digit in enumerate(self.codec.digits(choices))], -1)


class Actor:
    """A policy at work in one episode: `act` in each state, one after the other."""

    policy: Any

    def __init__(self, policy: Policy, goal: numpy.ndarray, seed: int) -> None:
        require(goal.shape == (policy.task.goal,), "begin", f"a goal has {policy.task.goal} numbers", goal.shape)
        self.policy, self.goal, self.steps = policy, goal, 0
        self._generator = Philox(seed, _POLICY_STREAM)

    def act(self, observation: Any) -> Any:
        """The world's action `[A]`, or the number of one, in the state of an observation `[O]`."""
        state, task = numpy.asarray(observation, dtype=numpy.float32), self.policy.task
        require(
            state.shape == (task.observation,), "act", f"an observation has {task.observation} numbers", state.shape
        )
        outputs = self._outputs(state)
        if self.policy.codec is not None and self.policy.sampled:
            action = self.policy.codec.action(self._draws(self.policy.arrays.to_numpy(outputs)))
        else:
            action = self.policy.arrays.to_numpy(self.policy.actions(outputs))
        self.steps += 1
        return int(action) if task.choices is not None else action

    def _outputs(self, state: numpy.ndarray) -> Any:
        return self.policy.outputs(state, self.goal, self.steps)

    def _draws(self, outputs: numpy.ndarray) -> list[int]:
        """A class of each head: the first at which the distribution function passes a number drawn from [0, 1)."""
        classes = self.policy.codec.classes
        choices = []
        for head in outputs.astype(numpy.float64).reshape(-1, classes):
            shares = numpy.exp(head - head.max() - math.log(numpy.exp(head - head.max()).sum()))
            left, place = self._generator.unit(), -1
            while left >= 0 and place < classes - 1:
                place += 1
                left -= shares[place]
            choices.append(place)
        return choices


class NetworkPolicy(Policy):
    """One network of normalised observation and goal: tanh of it is the action, or it gives logits of choices.

    With `stepsLeft` the network also reads how many steps are left, as H numbers of which number k is 1 where
    k ≥ H − 1 − step.
    """

    def outputs(self, observations: Any, goals: Any, step: int = 0) -> Any:
        o, g = self.normalised(observations, 0), self.normalised(goals, self.task.observation)
        x = self._joined(o, g)
        if self.settings.get("stepsLeft"):
            code = numpy.arange(self.task.horizon) >= self.task.horizon - 1 - step
            x = self._joined(x, self.arrays.array(code))
        return self.dense("actor", x)


class GaussianPolicy(Policy):
    """The mean of a normal distribution, moved to the nearest action of [−1, 1]: OGBench's learners."""

    def outputs(self, observations: Any, goals: Any, step: int = 0) -> Any:
        goals = self.goals(goals)
        parts = [name for name in ("dual_goal", "dual_goal_1") if self.has(f"{name}.0.weight")]
        if parts:
            goals = sum(self.dense(name, goals, gelu=True) for name in parts) / len(parts)
        return self.dense("actor", self._joined(self.normalised(observations, 0), goals), gelu=True)

    def goals(self, goals: Any) -> Any:
        """Goals in the learner's form, normalised."""
        if self.settings["goalForm"] == "observation":
            goals = self.arrays.array(goals)
            places = [self.task.goal_indices.index(k) for k in range(self.task.observation)]
            goals = goals[..., places]
        return self.normalised(goals, self.task.observation)

    def actions(self, outputs: Any) -> Any:
        return self._scaled(self.arrays.clipped(outputs, -1, 1))


class HierarchicalPolicy(GaussianPolicy):
    """Two levels, of `hiql` and `lavl`: the high one proposes a subgoal's representation z, the low one goes there.

    z = √d · μ_h(s, g) / ‖μ_h(s, g)‖
    """

    def outputs(self, observations: Any, goals: Any, step: int = 0) -> Any:
        state = self.normalised(observations, 0)
        means = self.dense("actor.high", self._joined(state, self.goals(goals)), gelu=True)
        z = means / self.arrays.length(means) * math.sqrt(means.shape[-1])
        return self.dense("actor.low", self._joined(state, z), gelu=True)


class Codec:
    """The map between a world's actions and `heads` choices among `classes`; `values` `[A, bins]` of each dimension.

    One head with a class for each action of a discrete world, or for each combination of values, the first dimension
    counting fastest; beyond `limit` combinations a head for each dimension.
    """

    def __init__(self, task: Task, bins: int, limit: int) -> None:
        self.bins = bins
        self.values: Any = None
        if task.choices is not None:
            self.heads, self.classes = 1, task.choices
            return
        require(
            bins * task.action <= 1 << 20,
            "head",
            "a head has at most 2^20 values",
            f"{bins} in {task.action} dimensions",
        )
        share = numpy.arange(bins) / (bins - 1)
        low, high = (end.astype(numpy.float64)[:, None] for end in (task.low, task.high))
        self.values = (low + share * (high - low)).astype(numpy.float32)
        self.heads, self.classes = (1, bins**task.action) if bins**task.action <= limit else (task.action, bins)

    def digits(self, choices: Any) -> list[Any]:
        """The place of each dimension's value among its values, of choices `[..., H]`."""
        return [
            choices[..., 0] // self.bins**k % self.bins if self.heads == 1 else choices[..., k]
            for k in range(len(self.values))
        ]

    def action(self, choices: list[int]) -> Any:
        """The world's action of choices `[H]`."""
        if self.values is None:
            return choices[0]
        return self.values[range(len(self.values)), [int(digit) for digit in self.digits(numpy.array(choices))]]

    def features(self, action: Any) -> numpy.ndarray:
        """An action as a model reads it, `[K]`: ones at the choices that it comes nearest to."""
        if self.values is None:
            choices = [int(action)]
        else:
            low, high = self.values[:, 0].astype(numpy.float64), self.values[:, -1].astype(numpy.float64)
            place = (numpy.asarray(action, dtype=numpy.float64) - low) / (high - low) * (self.bins - 1)
            # Halves go away from 0.
            digits = numpy.clip(numpy.floor(numpy.abs(place) + 0.5) * numpy.sign(place), 0, self.bins - 1).astype(int)
            choices = (
                [int(sum(digit * self.bins**k for k, digit in enumerate(digits)))] if self.heads == 1 else list(digits)
            )
        made = numpy.zeros((self.heads, self.classes), dtype=numpy.float32)
        made[range(self.heads), choices] = 1
        return made.ravel()


def _codec(task: Task, settings: dict[str, Any]) -> Codec | None:
    """The choices of a policy; None where its actions are numbers."""
    head = settings.get("head")
    numbers = head == "continuous" if head else settings.get("actions") != "discretized"
    if task.choices is None and numbers:
        return None
    bins = whole(settings.get("bins", 2), 2, 1 << 16, "head", "bins")
    limit = 0 if head == "independent" else whole(settings.get("jointLimit", 0), 0, 1 << 20, "head", "jointLimit")
    return Codec(task, bins, limit)


def _kind(task: Task, settings: dict[str, Any], tensors: dict[str, numpy.ndarray]) -> type[Policy]:
    """The class of a policy."""
    from .transformers import TransformerPolicy

    if "architecture" in settings:
        return TransformerPolicy
    if "actor.high.0.weight" in tensors:
        return HierarchicalPolicy
    return GaussianPolicy if "goalForm" in settings else NetworkPolicy


def _policy_file(path: pathlib.Path) -> pathlib.Path:
    """The policy's file that a path means: itself, a checkpoint's, or a run's last checkpoint's."""
    if not path.is_dir():
        require(path.is_file(), path, "must be a run, a checkpoint or its policy", "nothing there")
        return path
    if (path / "policy.safetensors").is_file():
        return path / "policy.safetensors"
    folders = sorted(one for one in path.glob("checkpoints/*") if re.fullmatch("[0-9]{9}", one.name))
    require(len(folders) > 0, path, "must be a run, a checkpoint or its policy", "no checkpoint in the folder")
    return folders[-1] / "policy.safetensors"


def read_safetensors(file: pathlib.Path) -> tuple[dict[str, numpy.ndarray], dict[str, str]]:
    """The tensors and the text of a safetensors file; raises `GoalpostError` for the first thing that is wrong.

    8 bytes with the length of the head, the head as JSON, the tensors' values without gaps.
    """
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    require(
        len(data) >= 8 and length <= len(data) - 8, file, "must have the head that it promises", f"{len(data)} bytes"
    )
    try:
        head = json.loads(data[8 : 8 + length])
        metadata = head.pop("__metadata__", {})
        made = {}
        for name, entry in head.items():
            kind, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
            require(kind in _TYPES, file, f"'{name}' must be of a type that is known here", kind)
            sizes = [whole(size, 0, 1 << 40, file, f"shape of {name}") for size in shape]
            size = math.prod(sizes) * numpy.dtype(_TYPES[kind]).itemsize
            place = type(start) is int and 0 <= start <= len(data) and end == start + size
            require(place and 8 + length + end <= len(data), file, f"'{name}' must lie within the file", (start, end))
            values = numpy.frombuffer(data, dtype=_TYPES[kind], count=math.prod(sizes), offset=8 + length + start)
            made[name] = values.reshape(sizes)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GoalpostError(f"{file}: must have a head as safetensors have, found: {_short(error)}") from None
    return made, metadata


def _short(error: Exception) -> str:
    text = f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
    return text if len(text) <= 100 else text[:97] + "..."
