"""What goes wrong, in one sentence."""

from __future__ import annotations

from typing import Any


class GoalpostError(Exception):
    """What is wrong with a file, a setting or a call of the tool: rule, what was found, where.

    `status` is the tool's exit status: 1 for an error at run time, also of this package; 64 for wrong arguments.
    """

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


def require(holds: bool, place: Any, rule: str, found: Any) -> None:
    """Raises `GoalpostError` unless a rule holds; what was found is cut short."""
    if not holds:
        text = str(found)
        raise GoalpostError(f"{place}: {rule}, found {text if len(text) <= 100 else text[:97] + '...'}")


def whole(value: Any, low: int, high: int, place: Any, name: str) -> int:
    """A whole number from outside, of a range."""
    holds = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    require(holds, place, f"'{name}' must be a whole number from {low} to {high}", repr(value))
    return value
