"""Sampling schemes by name, as values: the JSON that `goalpost sample --json` prints under `settings`.

`Documentation/Sampling.md` says what each draws. A test compares every one with the tool's.
"""

from __future__ import annotations

import json
import math
from typing import Any, Callable

from .errors import GoalpostError, require

_STATES = {"states": "beforeActions"}
_STEPS = {"steps": "10"}
_MIXTURE = {
    "current": "0.2",
    "trajectory": "0.5",
    "random": "0.3",
    "discount": "0.99",
    "actor-random": "0",
    "halves-ends": "true",
}
_COMMON = {"batch": "256", "draw": "episodes", "form": "achieved"}
_CHOICES = {
    "states": ("all", "beforeActions"),
    "rule": ("gcsl", "secondBelowLast", "withoutSwap"),
    "draw": ("episodes", "steps"),
    "form": ("achieved", "observation"),
}
_WHOLE = ("batch", "k", "steps", "minimum", "subgoal-steps")


def _pair(values: dict[str, Any], rule: str) -> dict:
    return {"pair": {"_0": rule, "states": values["states"]}}


def _mixture(values: dict[str, Any]) -> dict:
    random, halves = values["actor-random"], values["halves-ends"]
    policy = {"current": 0, "trajectory": 1 - random, "random": random, "halvesEnds": halves}
    value = {name: values[name] for name in ("current", "trajectory", "random")} | {"halvesEnds": halves}
    if values["discount"] != 0:
        value["discount"] = values["discount"]
    return {
        "policyGoals": {"mixture": {"_0": policy}},
        "valueGoals": {"own": {"_0": {"mixture": {"_0": value}}}},
        "episodes": "steps",
        "rewarded": "index",
    }


def _goals(policy: dict, original: float = 0, sharing: str = "none") -> dict:
    return {"policyGoals": policy, "valueGoals": {"policys": {"original": original}}, "sharing": sharing}


# The parameters of each with their defaults as the tool prints them, and what they make.
SCHEMES: dict[str, tuple[dict[str, str], Callable[[dict[str, Any]], dict]]] = {
    "original": ({}, lambda v: _goals({"original": {}})),
    "wgcsl": ({"original": "0.2"}, lambda v: _goals({"future": {"fraction": 1}}, v["original"])),
    "future": ({"fraction": "1"}, lambda v: _goals({"future": {"fraction": v["fraction"]}})),
    "her-future": ({"k": "4"}, lambda v: _goals({"future": {"fraction": 1 - 1 / (1 + v["k"])}})),
    "final": ({}, lambda v: _goals({"final": {}})),
    "episode": ({}, lambda v: _goals({"episode": {}})),
    "random": ({}, lambda v: _goals({"random": {}})),
    "bounded": (_STEPS, lambda v: _goals({"bounded": {"steps": v["steps"]}})),
    "fixed": (_STEPS, lambda v: _goals({"fixed": {"steps": v["steps"]}})),
    "subgoal": (_STEPS, lambda v: _goals({"ahead": {"steps": v["steps"]}})),
    "gcsl-pair": (_STATES, lambda v: _goals(_pair(v, "gcsl"))),
    "ogbench": (_MIXTURE, _mixture),
    "hiql": (_MIXTURE | {"subgoal-steps": "25"}, lambda v: _mixture(v) | {"subgoalSteps": v["subgoal-steps"]}),
    "random-goal-mask": ({}, lambda v: _goals({"future": {"fraction": 1}}, sharing="goalOfStep")),
    "k-ahead-mask": (_STEPS, lambda v: _goals({"ahead": {"steps": v["steps"]}})),
    "one-pair-per-batch": (
        {"rule": "secondBelowLast"} | _STATES,
        lambda v: _goals(_pair(v, v["rule"]), sharing="pair"),
    ),
    "pair-without-swap": (
        {"shared": "true"} | _STATES,
        lambda v: _goals(_pair(v, "withoutSwap"), sharing="pair" if v["shared"] else "none"),
    ),
    "chop": (
        {"minimum": "3"} | _STATES,
        lambda v: _goals({"chop": {"minimum": v["minimum"], "states": v["states"]}}, sharing="pair"),
    ),
}


def scheme(text: str) -> dict[str, Any]:
    """The scheme of `NAME` or `NAME:key=value,...`, as `goalpost sample --scheme` takes it."""
    name, _, rest = text.partition(":")
    require(name in SCHEMES, "scheme", f"must be one of {', '.join(SCHEMES)}", repr(name))
    defaults, make = SCHEMES[name]
    texts = _COMMON | defaults
    given = {}
    for part in rest.split(",") if rest else []:
        key, equals, value = part.partition("=")
        require(equals == "=" and key in texts, name, f"takes key=value with the keys {', '.join(texts)}", repr(part))
        given[key] = value
    values = {key: _value(name, key, value) for key, value in (texts | given).items()}
    common = {"batchSize": values["batch"], "goalForm": values["form"], "rewarded": "next", "sharing": "none"}
    made = common | {"episodes": "episodes"} | make(values)
    if "draw" in given:
        made["episodes"] = values["draw"]
    return check(made, name)


def _value(name: str, key: str, text: str) -> Any:
    """A parameter's value of its text."""
    if key in _CHOICES:
        require(text in _CHOICES[key], name, f"{key} must be one of {', '.join(_CHOICES[key])}", repr(text))
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if key in ("halves-ends", "shared"):
        require(isinstance(value, bool), name, f"{key} must be true or false", repr(text))
    elif key in _WHOLE:
        holds = type(value) is int and 1 <= value <= 1 << 24
        require(holds, name, f"{key} must be a whole number from 1 to {1 << 24}", repr(text))
    else:
        holds = type(value) in (int, float) and math.isfinite(value)
        require(holds, name, f"{key} must be a finite number", repr(text))
    return value


def check(scheme: dict[str, Any], name: str = "scheme") -> dict[str, Any]:
    """The scheme itself, once it is found to be one that can be drawn; raises `GoalpostError`."""
    if scheme.get("window") is not None:
        raise GoalpostError(f"{name}: windows of states are not drawn in Python: leave 'window' out")
    try:
        policy, value = scheme["policyGoals"], scheme["valueGoals"]
        selections = [policy] + ([value["own"]["_0"]] if "own" in value else [])
        shares = [selection["future"]["fraction"] for selection in selections if "future" in selection]
        shares += [value["policys"]["original"]] if "policys" in value else []
        for mixture in [selection["mixture"]["_0"] for selection in selections if "mixture" in selection]:
            parts = [mixture[part] for part in ("current", "trajectory", "random")]
            require(abs(sum(parts) - 1) < 1e-9, name, "current, trajectory and random must add up to 1", parts)
            require(0 <= mixture.get("discount", 0) < 1, name, "discount must be from 0 up to below 1", mixture)
            shares += parts
        for share in shares:
            require(0 <= share <= 1, name, "a share must be from 0 to 1", share)
        together = [kind for selection in selections for kind in ("fixed", "pair", "chop") if kind in selection]
        apart = "own" in value or scheme["sharing"] == "goalOfStep"
        require(not (apart and together), name, "needs steps that are drawn uniformly", together)
        full = scheme["goalForm"] == "observation" and draws_original(scheme)
        require(
            not full, name, "data hold no observation of an original goal, so goals must be achieved", "observation"
        )
        require(1 <= scheme["batchSize"] <= 1 << 24, name, "a batch has from 1 to 2^24 rows", scheme["batchSize"])
    except (KeyError, TypeError) as error:
        raise GoalpostError(
            f"{name}: must be a scheme as `goalpost sample --json` prints it, found no {error}"
        ) from None
    return scheme


def draws_original(scheme: dict[str, Any]) -> bool:
    """Whether it draws goals that episodes were collected with."""
    value = scheme["valueGoals"]
    selections = [scheme["policyGoals"]] + ([value["own"]["_0"]] if "own" in value else [])
    drawn = any(
        "original" in selection or selection.get("future", {}).get("fraction", 1) < 1 for selection in selections
    )
    return drawn or ("policys" in value and value["policys"]["original"] > 0)
