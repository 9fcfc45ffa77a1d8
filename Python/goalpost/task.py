"""The goal side of a world: sizes, distance, success and reward."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy

from .errors import require, whole

# The largest sizes that the tool knows.
NUMBERS, ACTIONS, HORIZON = 1 << 20, 1 << 16, 1 << 24


def _places(value: Any, bound: int, place: Any, name: str) -> tuple[int, ...]:
    require(isinstance(value, list) and len(value) <= NUMBERS, place, f"'{name}' must be a list of places", value)
    return tuple(whole(item, 0, bound - 1, place, name) for item in value)


@dataclasses.dataclass(frozen=True)
class Task:
    """What a world asks for, without its simulator, as a manifest or a checkpoint states it.

    m(s) = s[goal_indices];  d(a, g) = ‖a[D] − g[D]‖₂ over the dimensions D of the distance, or another measure
    reward(a, g) = −1 if d(a, g) > threshold, else 0;  is_reached(a, g) = d(a, g) < threshold
    """

    identifier: str
    observation: int
    goal: int
    horizon: int
    threshold: float
    low: Any  # [A], or None where actions are discrete
    high: Any
    choices: int | None
    goal_indices: tuple[int, ...]
    distance_dimensions: tuple[int, ...]
    measure: str | None

    @staticmethod
    def read(value: Any, place: Any) -> Task:
        """Reads a task from JSON; raises `GoalpostError` for one that no world can have."""
        require(isinstance(value, dict), place, "'task' must be values by name", value)
        spec, measure = value.get("spec"), value.get("measure")
        require(isinstance(spec, dict), place, "'task.spec' must be values by name", spec)
        observation = whole(spec.get("observation"), 1, NUMBERS, place, "task.spec.observation")
        goal = whole(spec.get("goal"), 1, NUMBERS, place, "task.spec.goal")
        threshold, action = spec.get("successThreshold"), spec.get("action")
        require(isinstance(threshold, (int, float)), place, "'task.spec.successThreshold' must be a number", threshold)
        require(isinstance(action, dict) and len(action) == 1, place, "'task.spec.action' must be one kind", action)
        low = high = choices = None
        if "discrete" in action:
            choices = whole((action["discrete"] or {}).get("count"), 1, ACTIONS, place, "task.spec.action.count")
        else:
            low, high = (_bounds(action, end, place) for end in ("low", "high"))
            require(
                low.shape == high.shape and bool((low < high).all()),
                place,
                "an action's low must be below high",
                action,
            )
        require(measure in (None, "angle", "farthest-place"), place, "'task.measure' must be known here", measure)
        indices = _places(value.get("goalIndices"), observation, place, "task.goalIndices")
        require(len(indices) in (0, goal), place, f"'task.goalIndices' must be none, or {goal}", len(indices))
        dimensions = _places(value.get("distanceDimensions"), goal, place, "task.distanceDimensions")
        return Task(
            identifier=str(value.get("identifier")),
            observation=observation,
            goal=goal,
            horizon=whole(spec.get("horizon"), 1, HORIZON, place, "task.spec.horizon"),
            threshold=float(threshold),
            low=low,
            high=high,
            choices=choices,
            goal_indices=indices,
            distance_dimensions=dimensions,
            measure=measure,
        )

    @property
    def action(self) -> int:
        """Numbers in a stored action."""
        return 1 if self.low is None else len(self.low)

    @property
    def goals_are_observations(self) -> bool:
        """Whether m(s) = s, so that achieved goals need no column."""
        return self.goal_indices == tuple(range(self.observation))

    def distance(self, achieved: Any, desired: Any) -> numpy.ndarray:
        """d of goals `[..., G]`, `[...]`, in 64 bits and in the tool's order of sums."""
        a, g = (numpy.asarray(x, dtype=numpy.float64) for x in (achieved, desired))
        dimensions = self.distance_dimensions
        if self.measure == "angle":
            x, y = dimensions
            angle = numpy.frompyfunc(math.atan2, 2, 1)
            difference = numpy.abs((angle(a[..., y], a[..., x]) - angle(g[..., y], g[..., x])).astype(numpy.float64))
            return numpy.minimum(difference, 2 * math.pi - difference)
        pairs = [dimensions] if self.measure is None else list(zip(dimensions[::2], dimensions[1::2]))
        return numpy.maximum.reduce([numpy.sqrt(sum((a[..., k] - g[..., k]) ** 2 for k in pair)) for pair in pairs])

    def reward(self, achieved: Any, desired: Any) -> numpy.ndarray:
        """The world's own reward of goals `[..., G]`, float32 `[...]`."""
        return numpy.where(self.distance(achieved, desired) > self.threshold, -1, 0).astype(numpy.float32)

    def is_reached(self, achieved: Any, desired: Any) -> numpy.ndarray:
        """Whether goals `[..., G]` count as reached, `[...]`."""
        return self.distance(achieved, desired) < self.threshold


def _bounds(action: dict, end: str, place: Any) -> numpy.ndarray:
    values = (action.get("continuous") or {}).get(end)
    holds = isinstance(values, list) and 1 <= len(values) <= ACTIONS
    require(
        holds and all(isinstance(x, (int, float)) and math.isfinite(x) for x in values),
        place,
        f"'task.spec.action.continuous.{end}' must be finite numbers",
        values,
    )
    return numpy.array(values, dtype=numpy.float32)
