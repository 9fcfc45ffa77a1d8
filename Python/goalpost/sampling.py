"""Batches with relabelled goals, the same rows as the tool draws: `relabelled`."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import math
import operator
from typing import Any, Callable, Iterator, Sequence

import numpy

from .dataset import Dataset
from .errors import require, whole
from .generators import Philox, below, limit, unit, xoshiro256
from .schemes import check, draws_original
from .schemes import scheme as named_scheme

ORIGINAL, CURRENT, TRAJECTORY, RANDOM = range(4)
"""Where a goal comes from: it is the episode's own, the state before the step, another of the episode, or any state."""

_STREAM = 0x53414D50  # "SAMP", which tells the sampler's stream from a run's others
_Draw = Callable[[], int]


def relabelled(
    dataset: Dataset | Sequence[Dataset],
    scheme: str | dict[str, Any],
    batch_size: int | None = None,
    seed: int = 0,
    weights: Sequence[float] | None = None,
) -> Relabelled:
    """Batches of transitions with goals, drawn as `goalpost sample` and `goalpost train` draw them.

    `scheme` is `NAME` or `NAME:key=value,...` of `goalpost help sample`, or the JSON that `goalpost sample --json`
    prints under `settings`, also for a learner. With `weights` each dataset gives that share of every batch's rows,
    else all episodes are drawn alike.
    """
    datasets = [dataset] if isinstance(dataset, Dataset) else list(dataset)
    made = check(dict(scheme)) if isinstance(scheme, dict) else named_scheme(scheme)
    if batch_size is not None:
        made["batchSize"] = whole(batch_size, 1, 1 << 24, "relabelled", "batch_size")
    return Relabelled(datasets, made, whole(seed, 0, (1 << 28) - 1, "relabelled", "seed"), weights)


@dataclasses.dataclass
class Batch:
    """One batch of B rows; F numbers in a goal of the scheme's form.

    `offsets` are steps from the next state to the goal's, 0 for an original or random goal, −1 for the present state.
    `rewards` are the world's own of the rewarded state; `origins` are `ORIGINAL`, `CURRENT`, `TRAJECTORY`, `RANDOM`.
    """

    observations: Any  # [B, O]
    next_observations: Any  # [B, O]
    actions: Any  # [B, A], or [B] where they are discrete
    policy_goals: Any  # [B, F]
    policy_rewards: Any  # [B]
    policy_offsets: Any  # [B]
    policy_origins: Any  # [B]
    value_goals: Any  # [B, F]
    value_rewards: Any  # [B]
    value_offsets: Any  # [B]
    value_origins: Any  # [B]
    sources: Any  # [B]
    episodes: Any  # [B]
    steps: Any  # [B]
    subgoals: Any = None  # [B, F]; of schemes with subgoals only
    subgoal_observations: Any = None  # [B, O]
    low_goals: Any = None  # [B, F]


class Relabelled:
    """Batches of a scheme. Batch k is a function of the seed, k, the weights and the episodes, of nothing else.

    `batch(k)` is one; iterating gives batches 0, 1, 2, ... without end; `torch(count)` is a dataset for PyTorch.
    """

    def __init__(
        self, datasets: list[Dataset], scheme: dict[str, Any], seed: int, weights: Sequence[float] | None = None
    ) -> None:
        require(len(datasets) > 0, "relabelled", "at least one dataset is needed", "none")
        self._parts = (datasets, scheme, seed, weights)
        self.scheme, self.seed, self.task = scheme, seed, datasets[0].task
        for data in datasets:
            same = data.manifest["task"] == datasets[0].manifest["task"]
            require(same, data.folder, f"must be of the world {self.task.identifier}", data.task.identifier)
            lacks = draws_original(scheme) and "desired_goals" not in data.columns
            require(not lacks, data.folder, "has no desired goals, of which the scheme draws some", "no column")
        counts = [len(data) for data in datasets]
        if weights is None:
            counts, weights = [sum(counts)], [1.0]
        right = len(weights) == len(counts) and all(w >= 0 and math.isfinite(w) for w in weights) and sum(weights) > 0
        require(right, "relabelled", "needs a weight of at least 0 for each dataset, one above 0", weights)
        self._weights = list(weights)
        self._sources = numpy.cumsum([0, *counts])  # where the episodes of each source begin
        # Episodes, steps and states are counted over all shards.
        self._shards = [shard for data in datasets for shard in data.shards]
        self._lengths = numpy.concatenate([data.lengths for data in datasets])
        first_step = numpy.cumsum([0, *self._lengths])
        self._first_state = first_step + numpy.arange(len(first_step))
        # Lists, as the draw reads one number at a time.
        self._steps, self._first_steps = self._lengths.tolist(), first_step.tolist()
        self._first_episode = numpy.cumsum([0] + [shard.episodes for shard in self._shards])

    def __reduce__(self) -> tuple:
        return Relabelled, self._parts

    def __iter__(self) -> Iterator[Batch]:
        number = 0
        while True:
            yield self.batch(number)
            number += 1

    def torch(self, count: int) -> Any:
        """Batches 0 up to below `count` as a map-style `torch.utils.data.Dataset` of dictionaries of tensors.

        For `DataLoader(..., batch_size=None, num_workers=n)`: the batches are the same for any n.
        """
        from .pytorch import RelabelledDataset

        return RelabelledDataset(self, count)

    def batch(self, number: int) -> Batch:
        """Batch `number`, from 0."""
        drawn = numpy.array(
            self._draw(whole(operator.index(number), 0, (1 << 63) - 1, "batch", "number")), dtype=numpy.int64
        )
        episode, step = drawn[:, 0], drawn[:, 1]
        state = self._first_state[episode] + step
        source = numpy.searchsorted(self._sources, episode, side="right") - 1
        form = "observations" if self.scheme["goalForm"] == "observation" else "achieved_goals"
        rewarded = self.scheme["rewarded"]
        here = self._rows("achieved_goals", state + (rewarded == "next"), episode)
        made: dict[str, Any] = {
            "observations": self._rows("observations", state, episode),
            "next_observations": self._rows("observations", state + 1, episode),
            "actions": self._rows("actions", state, episode),
            "sources": source.astype(numpy.int32),
            "episodes": (episode - self._sources[source]).astype(numpy.int32),
            "steps": step.astype(numpy.int32),
        }
        for name, goal in (("policy", drawn[:, 2:5]), ("value", drawn[:, 5:8])):
            origin, of, at = goal.T
            place, asked = self._first_state[of] + at, origin == ORIGINAL
            achieved = self._rows("achieved_goals", place, of)
            if asked.any():
                achieved[asked] = self._rows("desired_goals", place[asked], of[asked])
            if rewarded == "index":
                rewards = numpy.where(~asked & (place == state), 0, -1).astype(numpy.float32)
            else:
                rewards = self.task.reward(here, achieved)
            made[f"{name}_goals"] = achieved if form == "achieved_goals" else self._rows(form, place, of)
            made[f"{name}_rewards"] = rewards
            made[f"{name}_offsets"] = numpy.where(_inside(origin), at - step - 1, 0).astype(numpy.int32)
            made[f"{name}_origins"] = origin.astype(numpy.uint8)
        if self.scheme.get("subgoalSteps"):
            origin, _, at = drawn[:, 2:5].T
            low = numpy.minimum(step + self.scheme["subgoalSteps"], self._lengths[episode] - 1)
            high = numpy.where(_inside(origin), numpy.minimum(low, at), low)
            made["subgoals"] = self._rows(form, state - step + high, episode)
            made["subgoal_observations"] = self._rows("observations", state - step + high, episode)
            made["low_goals"] = self._rows(form, state - step + low, episode)
        return Batch(**made)

    def _rows(self, name: str, states: numpy.ndarray, episodes: numpy.ndarray) -> numpy.ndarray:
        """A column's rows that belong to states of episodes, floats as 4 bytes."""
        made: Any = None
        of = numpy.searchsorted(self._first_episode, episodes, side="right") - 1
        for k in numpy.unique(of):
            rows, shard = of == k, self._shards[k]
            place, first = episodes[rows], self._first_episode[k]
            if shard.axes[name] != "episodes":
                place, first = states[rows], self._first_state[first]
            if shard.axes[name] == "steps":
                place, first = place - episodes[rows], first - self._first_episode[k]
            found = shard[name][place - first]
            if made is None:
                dtype = numpy.float32 if found.dtype.kind == "f" else found.dtype
                made = numpy.empty((len(states), *found.shape[1:]), dtype=dtype)
            made[rows] = found
        return made

    # The draw, row by row, in the tool's order of numbers.

    def _draw(self, number: int) -> list[tuple[int, ...]]:
        """Rows of episode and step, and of each goal its origin, episode and state."""
        key = Philox(self.seed, _STREAM, number)
        draw, shared = xoshiro256(key.next()), key.next()
        scheme, sharing, lengths = self.scheme, self.scheme["sharing"], self._steps
        policy, own = _Law(scheme["policyGoals"]), scheme["valueGoals"].get("own")
        value = _Law(own["_0"]) if own else None
        original = 0 if own else limit(scheme["valueGoals"]["policys"]["original"])
        draw_episode = self._episodes(draw)

        def placed(law: _Law, goal: tuple[int, int], episode: int, step: int) -> tuple[int, int, int]:
            origin, state = goal
            if origin == RANDOM:
                other = draw_episode()
                return origin, other, law.random_state(lengths[other], draw)
            return origin, episode, step if origin == ORIGINAL else state

        rows: list[tuple[int, ...]] = []
        for _ in range(scheme["batchSize"]):
            episode = draw_episode()
            length, own_draw = lengths[episode], draw
            if sharing == "goalOfStep":
                step = below(draw, length)
                own_draw = xoshiro256(shared + step)
                goal = policy.goal(step, length, own_draw)
            else:
                if sharing == "pair":
                    own_draw = xoshiro256(shared)
                step, goal = policy.draw(length, own_draw)
            first = second = placed(policy, goal, episode, step)
            if value is not None:
                second = placed(value, value.goal(step, length, own_draw), episode, step)
            elif original > 0 and draw() >> 11 < original:
                second = (ORIGINAL, episode, step)
            rows.append((episode, step, *first, *second))
        return rows

    def _episodes(self, draw: _Draw) -> Callable[[], int]:
        """Draws a source by the weights, and an episode of it."""
        live = [k for k, weight in enumerate(self._weights) if weight > 0]
        sums = list(itertools.accumulate(self._weights))
        bounds = [1.0 if k >= live[-1] else part / sums[-1] for k, part in enumerate(sums)]
        firsts, by_steps = self._sources.tolist(), self.scheme["episodes"] == "steps"
        steps = self._first_steps

        def episode() -> int:
            source = live[0] if len(live) == 1 else bisect.bisect_right(bounds, unit(draw))
            first, end = firsts[source], firsts[source + 1]
            if not by_steps:
                return first + below(draw, end - first)
            return bisect.bisect_right(steps, steps[first] + below(draw, steps[end] - steps[first])) - 1

        return episode


def _inside(origins: numpy.ndarray) -> numpy.ndarray:
    """Whether goals are states of the row's own episode that were drawn as such."""
    return (origins == CURRENT) | (origins == TRAJECTORY)


class _Law:
    """How a step and a goal state of an episode of T steps are drawn: `GoalSelection` of Sources/Replay."""

    def __init__(self, selection: dict[str, Any]) -> None:
        ((self._kind, values),) = selection.items()
        self._values = values
        if self._kind == "future":
            self._fraction, self._partial = limit(values["fraction"]), values["fraction"] < 1
        if self._kind == "mixture":
            mixture = values["_0"]
            self._current = limit(mixture["current"])
            # With no random part rounding must not leave one.
            self._random = limit(mixture["current"] + mixture["trajectory"]) if mixture["random"] > 0 else 1 << 64
            discount = mixture.get("discount")
            self._geometric, self._halves = discount is not None, mixture["halvesEnds"]
            self._scale = 1 / math.log(discount) if discount else 0.0

    def draw(self, length: int, draw: _Draw) -> tuple[int, tuple[int, int]]:
        """A step, and a goal as origin and state."""
        kind, values = self._kind, self._values
        if kind == "fixed":
            horizon = min(values["steps"], length)
            step = below(draw, length - horizon + 1)
            return step, (TRAJECTORY, step + horizon)
        if kind in ("pair", "chop"):
            states = length + 1 if values["states"] == "all" else max(2, length)
            if kind == "chop":
                shortest = min(values["minimum"], states - 1)
                return 0, (TRAJECTORY, shortest + below(draw, states - shortest))
            first = below(draw, states - 1)
            if values["_0"] == "withoutSwap":
                second = below(draw, states)
                start = min(first, second)
                return start, (TRAJECTORY, second if second > start else start + 1)
            second = below(draw, states if values["_0"] == "gcsl" else states - 1)
            if first == second:
                second += 1
            return min(first, second), (TRAJECTORY, max(first, second))
        step = below(draw, length)
        return step, self.goal(step, length, draw)

    def goal(self, step: int, length: int, draw: _Draw) -> tuple[int, int]:
        """A goal for a step that was drawn uniformly."""
        kind, values = self._kind, self._values
        if kind == "original":
            return ORIGINAL, 0
        if kind == "random":
            return RANDOM, 0
        if kind == "future":
            if self._partial and draw() >> 11 >= self._fraction:
                return ORIGINAL, 0
            return TRAJECTORY, step + 1 + below(draw, length - step)
        if kind == "final":
            return TRAJECTORY, length
        if kind == "episode":
            state = below(draw, length + 1)
            return (CURRENT if state == step else TRAJECTORY), state
        if kind == "bounded":
            return TRAJECTORY, step + 1 + below(draw, min(values["steps"], length - step))
        if kind == "ahead":
            return TRAJECTORY, min(step + values["steps"], length)
        return self._mixed(step, length, draw)

    def _mixed(self, step: int, length: int, draw: _Draw) -> tuple[int, int]:
        part = draw() >> 11
        if part < self._current:
            return CURRENT, step
        if part >= self._random:
            return RANDOM, 0
        later = length - 1 - step
        if later == 0:
            return CURRENT, step
        if self._geometric:
            drawn = math.log(1 - unit(draw)) * self._scale
            return TRAJECTORY, step + 1 + min(int(min(drawn, 2.0**31)), later - 1)
        if not self._halves:
            return TRAJECTORY, step + 1 + below(draw, later)
        place = (later - 1) * (1 - unit(draw))
        return TRAJECTORY, step + 1 + (int(2 * place) + 1) // 2

    def random_state(self, length: int, draw: _Draw) -> int:
        """The state of a random goal's episode."""
        return below(draw, length if self._kind == "mixture" else length + 1)
