"""Transformers that act, `goal-transformer`: one row, its states as the tool's windows hold them.

Tokens are rows `[T, D]`. Places of a window that hold nothing are seen by no token that is read, and left out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy

from .errors import require
from .policies import Actor, Policy

_LONGEST = 1 << 13  # steps of an episode whose tokens attend to each other


class TransformerPolicy(Policy):
    """A model of the parts that `Documentation/Transformers.md` lists; `begin` gives an actor that remembers.

    Forms that read the present state alone can be called too, a row at a time.
    """

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.a, self.quirks = self.settings["architecture"], self.settings["quirks"]
        self.form, self.objectives = self.a["form"], self.settings["objectives"]
        teacher = self.objectives["teacher"]
        taught = teacher["role"] in ("evaluating", "both") and any(
            name.startswith("teacher.") for name in self.parameters
        )
        self.prefix = "teacher." if taught else "actor."
        drops = taught and teacher["dropsOut"] and self.a["dropout"] > 0
        require(not drops, self.file, "a policy must not drop numbers while it acts", "objectives.teacher.dropsOut")
        self.asks_all = self.objectives["imitation"]["actions"] == "all"
        horizon = self.task.horizon
        require(horizon <= _LONGEST, self.file, f"a transformer acts for at most {_LONGEST} steps", horizon)
        self.goal_of_each = self.a["mask"] in ("random-goal", "ahead")
        self.has_goal_state = self.form in ("trajectory", "trajectory-decoder") or (
            self.form == "interleaved" and self.goal_of_each
        )
        reads_history = self.a["history"] > 1 or self.a["positions"] != "none"
        self.window = horizon + 1
        if self.form in ("mlp", "branches", "attention", "tokens", "action-encoder"):
            self.window = 0
        elif self.form == "decoder" and not self.asks_all:
            self.window = min(self.a["history"], horizon + 1) if reads_history else 0

    def begin(self, goal: Any, seed: int = 0) -> Actor:
        return _TransformerActor(self, numpy.asarray(goal, dtype=numpy.float32), seed)

    def outputs(self, observations: Any, goals: Any, step: int = 0) -> Any:
        require(
            self.window == 0, self.file, "a policy that reads more than the present state acts by `begin`", self.form
        )
        rows = self.arrays.array(observations).reshape(-1, self.task.observation)
        asked = self._joined(rows, self.arrays.array(goals).reshape(-1, self.task.goal))
        width = self.task.observation
        said = [self._said(row[:width], self._full(row[width:]), None) for row in asked]
        return self.arrays.stacked(said, 0).reshape(*numpy.shape(observations)[:-1], -1)

    # What a model reads.

    def _full(self, goal: Any) -> Any:
        """The goal in the learner's form, before it is normalised."""
        if self.settings["goals"] != "full":
            return goal
        state = numpy.zeros(self.task.observation, dtype=numpy.float32)
        state[list(self.task.goal_indices)] = self.arrays.to_numpy(self.arrays.array(goal))
        return state

    def normalised(self, values: Any, start: int) -> Any:
        norm = self.normaliser
        if self.settings["normalizes"]:
            return super().normalised(values, start)
        return self.arrays.clipped(self.arrays.array(values), -norm["inputClip"], norm["inputClip"])

    def _features(self, action: Any) -> numpy.ndarray:
        if self.codec is not None:
            return self.codec.features(action)
        low, high = self.task.low, self.task.high
        return (numpy.asarray(action, dtype=numpy.float32) - (low + high) / 2) / ((high - low) / 2)

    # The layers.

    def _cat(self, *parts: Any) -> Any:
        return self.arrays.concatenated(list(parts), -1)

    def _rows(self, *tokens: Any) -> Any:
        return self.arrays.concatenated([x.reshape(-1, x.shape[-1]) for x in tokens], 0)

    def _embedded(self, x: Any) -> Any:
        """Rows `[..., I]` as tokens; without layers the rows' first numbers, with zeros behind them."""
        if not self.quirks["omitsEmbedding"]:
            return self.dense("state", x)
        width = self.a["width"]
        missing = max(0, width - x.shape[-1])
        return self._cat(x, self.arrays.array(numpy.zeros((*x.shape[:-1], missing))))[..., :width]

    def _goal_token(self, s: Any, g: Any) -> Any:
        return self.dense("post", self._cat(s, g)) if self.a["goal"] == "post" else self.dense("goal", g)

    def _linear(self, name: str, x: Any) -> Any:
        return self.arrays.linear(x, self.parameter(name + ".weight"), self.parameter(name + ".bias"))

    def _norm(self, name: str, x: Any) -> Any:
        return self.arrays.normalised(x, self.parameter(name + ".weight"), self.parameter(name + ".bias"), 1e-5)

    def _positions(self, name: str, x: Any, places: Any, kind: str | None = None) -> Any:
        """Tokens `[T, D]` with what belongs to their places."""
        kind = kind or self.a["positions"]
        if self.has(name + ".weight"):
            return x + self.parameter(name + ".weight")[list(places)]
        if kind != "sinusoidal":
            return x
        width = x.shape[-1]
        d = numpy.arange(width)
        angles = numpy.array(list(places), dtype=numpy.float64)[:, None] / 10_000.0 ** (d // 2 * 2 / width)
        return x + self.arrays.array(numpy.where(d % 2 == 0, numpy.sin(angles), numpy.cos(angles)))

    def _attention(self, name: str, x: Any, keys: Any, mask: Any = None, heads: int | None = None) -> Any:
        """Tokens `[T, D]` that attend to keys `[S, D]`; `mask` `[T, S]` or `[S]` says what is seen."""
        width, heads = x.shape[-1], heads or self.a["heads"]
        weight, bias = self.parameter(name + ".in_proj.weight"), self.parameter(name + ".in_proj.bias")

        def part(k: int, y: Any) -> Any:
            cut = slice(k * width, (k + 1) * width)
            return self.arrays.linear(y, weight[cut], bias[cut]).reshape(-1, heads, width // heads).swapaxes(0, 1)

        scores = part(0, x) @ part(1, keys).swapaxes(1, 2) / math.sqrt(width / heads)
        if mask is not None:
            scores = self.arrays.masked(scores, mask)
        attended = self.arrays.softmax(scores) @ part(2, keys)
        return self._linear(name + ".out_proj", attended.swapaxes(0, 1).reshape(-1, width))

    def _layer(self, name: str, x: Any, mask: Any = None, memory: Any = None, memory_mask: Any = None) -> Any:
        """Self-attention, attention to a memory where there is one, and two dense layers."""
        rule = self.arrays.rectified if self.a["activation"] == "relu" else self.arrays.gelu
        parts = [lambda y: self._attention(name + ".self_attn", y, y, mask)]
        if memory is not None:
            parts.append(lambda y: self._attention(name + ".multihead_attn", y, memory, memory_mask))
        parts.append(lambda y: self._linear(name + ".linear2", rule(self._linear(name + ".linear1", y))))
        for k, part in enumerate(parts):
            norm = f"{name}.norm{k + 1}"
            x = x + part(self._norm(norm, x)) if self.a["normFirst"] else self._norm(norm, x + part(x))
        return x

    def _stack(self, name: str, x: Any, mask: Any = None, memory: Any = None, memory_mask: Any = None) -> Any:
        k = 0
        while self.has(f"{name}.layers.{k}.norm1.weight"):
            x = self._layer(f"{name}.layers.{k}", x, mask, memory, memory_mask)
            k += 1
        return self._norm(name + ".norm", x) if self.has(name + ".norm.weight") else x

    def _conditioned(self, states: Any, goal: Any) -> Any:
        """States' tokens `[T, D]` that know of the goal."""
        kind, width = self.a["conditioning"], self.a["width"]
        if kind == "concatenation":
            return self._cat(states, goal[None] + states * 0)
        if kind == "film":
            factors = self.dense("film", goal)
            return factors[:width] * states + factors[width:] + states
        if kind == "gate":
            attended = self._norm("gate.norm", states + self._attention("gate.attention", states, goal[None], heads=1))
            share = self.arrays.sigmoid(self._linear("gate.state", states) + self._linear("gate.goal", attended))
            return states + share * (attended - states)
        return states

    def _with_goal(self, states: Any, goal: Any) -> Any:
        """The same with the goal's own token behind them, where it has one."""
        made = self._conditioned(states, goal)
        if self.a["conditioning"] != "token" and not self.a["keepsGoal"]:
            return made
        return self._rows(made, self._cat(goal, goal) if self.a["conditioning"] == "concatenation" else goal)

    def _out(self, x: Any, goal: Any = None) -> Any:
        """Outputs `[K]` of a token."""
        if self.a["readsGoal"] and goal is not None:
            x = self._cat(x, goal)
        if self.a["tiesActions"]:
            x = self.arrays.rectified(self.dense("out", x)) if self.has("out.0.weight") else x
            return x @ self.parameter("action.0.weight")
        if self.quirks["omitsOutput"]:
            return x[: self.codec.heads * self.codec.classes if self.codec else self.task.action]
        return self.dense("out", x)

    # The forms.

    def _said(self, observation: Any, goal: Any, w: Any) -> Any:
        """Outputs `[K]` at an observation `[O]` towards a goal `[F]`."""
        s, g = self.normalised(observation, 0), self.normalised(goal, self.task.observation)
        form = "attention_form" if self.form == "attention" else self.form.replace("-", "_")
        return getattr(self, "_" + form)(s, g, w)

    def _mlp(self, s: Any, g: Any, w: Any) -> Any:
        return self.dense("out", self._cat(s, g))

    def _branches(self, s: Any, g: Any, w: Any) -> Any:
        return self.dense("out", self._cat(self.dense("state", s), self.dense("goal", g)))

    def _attention_form(self, s: Any, g: Any, w: Any) -> Any:
        state, goal, kind = self._embedded(s), self._goal_token(s, g), self.a["keys"]
        both = self._rows(*[state] * self.a["copies"], goal)
        x = self.parameter("token.weight") if kind == "token" else both if kind == "self" else state[None]
        for k in range(self.a["layers"]):
            keys = x if kind == "self" else goal[None] if kind == "goal" else both
            x = self._attention(f"attention.{k}", x, keys)
        return self._out(x[0], goal)

    def _tokens(self, s: Any, g: Any, w: Any) -> Any:
        goal, reads, copies = self._goal_token(s, g), self.a["reads"], self.a["copies"]
        state = self._conditioned(self._embedded(s)[None], goal)
        parts = [state] * copies
        if reads == "token":
            asked = self.parameter("token.weight")
            if self.a["goalInTokens"]:
                asked = asked + goal
            if self.a["postInTokens"]:
                asked = asked + self.dense("token_post", self._cat(s, g))
            parts.append(asked)
        if self.a["conditioning"] == "token" or self.a["keepsGoal"]:
            parts.append(self._cat(goal, goal) if self.a["conditioning"] == "concatenation" else goal)
        x = self._rows(*parts)
        y = self._stack("encoder", self._positions("positions", x, range(len(x))))
        return self._out(y[{"state": 0, "token": copies, "goal": len(x) - 1}[reads]], goal)

    def _action_encoder(self, s: Any, g: Any, w: Any) -> Any:
        goal = self._goal_token(s, g)
        memory = self._stack("encoder", self.parameter("tokens.weight"))
        y = self._stack("decoder", self._rows(self._embedded(s), goal), memory=memory)
        return self._out(y[1 if self.a["reads"] == "goal" else 0], goal)

    def _decoder(self, s: Any, g: Any, w: Any) -> Any:
        goal, of = self._goal_token(s, g), self.a["positionsOf"]
        times = [0] if w is None else [w.times[place] for place in w.places]
        if w is not None and self.a["history"] > 1 and not self.asks_all and self.a["mask"] != "restrictive":
            states = self._embedded(self.normalised(numpy.stack(w.states), 0))
        else:
            states, times = self._embedded(s)[None], times[-1:]
        if w is not None:
            states = self._positions("places", states, times, "none" if of == "actions" else None)
        memory = self._stack("encoder", self._with_goal(states, goal))
        kind = "none" if of == "states" else None
        x = self.parameter("token.weight")
        if self.asks_all:
            count = max(1, w.goal - w.start + (1 if self.quirks["asksAtGoal"] else 0))
            x = self._positions("times", self._rows(*[x] * count), w.times[:count], kind)
        elif w is not None:
            x = self._positions("times", x, [w.times[w.start]], kind)
        if self.a["goalInTokens"]:
            x = x + goal
        y = self._stack("decoder", x, memory=memory)[0]
        return self._out(y, None if self.asks_all else goal)

    def _sees(self, q: int, k: int, w: _Window, start: int | None = None, goal: int | None = None) -> bool:
        """Whether the state at place q sees that at place k."""
        i, j = w.start if start is None else start, w.goal if goal is None else goal
        kind = self.a["mask"]
        if kind in ("causal", "random-goal", "ahead"):
            return k <= q or (kind != "causal" and k == w.goal)
        if kind == "base":
            return i <= k <= max(i, j)
        return {"all": True, "restrictive": k in (i, j), "pre": k <= j, "diagonal": k == q}[kind]

    def _trajectory(self, s: Any, g: Any, w: _Window) -> Any:
        x = self._embedded(self.normalised(numpy.stack(w.states), 0))
        if self.a["zeroes"]:
            x = x * self.arrays.array([[1 if place in (w.start, w.goal) else 0] for place in w.places])
        x = self._positions("positions", x, w.places)
        alone = self.form == "trajectory-decoder"
        mask = numpy.array([[k in (q, w.goal) if alone else self._sees(q, k, w) for k in w.places] for q in w.places])
        # A query that sees none sees itself.
        mask |= numpy.eye(len(mask), dtype=bool) & ~mask.any(1, keepdims=True)
        if alone:
            tokens = self._rows(*[self.parameter("token.weight")] * len(x))
            y = self._stack("decoder", tokens, numpy.eye(len(x), dtype=bool), x, mask)
        else:
            y = self._stack("encoder", x, mask)
        return self._out(y[w.places.index(w.read)])

    _trajectory_decoder = _trajectory

    def _trajectory_tokens(self, s: Any, g: Any, w: _Window) -> Any:
        goal, of = self._goal_token(s, g), self.a["positionsOf"]
        states = self._embedded(self.normalised(numpy.stack(w.states), 0))
        token = self.parameter("token.weight")
        if self.a["goalInTokens"]:
            token = token + goal
        x = self._rows(states, *[token] * (w.goal - w.start), goal)
        places = list(range(len(x)))
        if of == "all":
            x = self._positions("positions", x, places)
        elif of == "states":
            x = self._rows(self._positions("positions", x[: w.start + 1], range(w.start + 1)), x[w.start + 1 :])
        else:
            asked = self._positions("positions", x[w.start + 1 : -1], range(w.start, w.goal))
            x = self._rows(x[: w.start + 1], asked, x[-1:])
        first = w.start + 1 if self.quirks["hidesStart"] else w.start
        seen = [self._sees(w.start, place, w, first, w.goal + 1) for place in places]
        if self.has("reached.weight"):
            x, seen = self._rows(x, self.parameter("reached.weight")), seen + [True]
            if of == "all":
                last = self._positions("positions", x[-1:], [self.window + 1])
                x = self._rows(x[:-1], last)
        return self._out(self._stack("encoder", x, numpy.array(seen))[w.start + 1])

    def _steps(self, w: _Window, count: int) -> Any:
        """Tokens of states and actions by turns, `[2 count, D]`, of the first states of a window."""
        places = w.places[:count]
        states = self._positions("times", self._embedded(self.normalised(numpy.stack(w.states[:count]), 0)), places)
        features = self.arrays.array(numpy.stack(w.actions[:count]))
        actions = self._positions("times", self.dense("action", features), places)
        return self.arrays.stacked([states, actions], 1).reshape(2 * count, -1)

    def _interleaved(self, s: Any, g: Any, w: _Window) -> Any:
        count = len(w.places)
        x = self._steps(w, count)
        if self.has_goal_state:
            tokens = [(place, k) for place in w.places for k in (0, 1)]
            mask = numpy.array([[a <= b or a == (w.goal, 0) for a in tokens] for b in tokens])
            return self._out(self._stack("encoder", x, mask)[2 * w.places.index(w.read)])
        goal = self._goal_token(self.normalised(w.states[0], 0), g)
        # What stands behind the present state is not seen from there.
        x = self._rows(goal, x[:-1]) if self.a["goalFirst"] else x[:-1]
        y = self._stack("encoder", x, numpy.tril(numpy.ones((len(x), len(x)), dtype=bool)))
        return self._out(y[-1], goal)

    def _prompted(self, s: Any, g: Any, w: _Window) -> Any:
        goal = self._goal_token(self.normalised(w.states[0], 0), g)
        x = self._steps(w, len(w.places))[:-1]
        mask, hidden = numpy.tril(numpy.ones((len(x), len(x)), dtype=bool)), self.a["feedForward"]
        for k in range(self.a["layers"]):
            name = f"prompt.{k}"
            x = x + self._attention(name + ".attention", self._norm(name + ".norm1", x), goal[None])
            wide = self._linear(name + ".linear1", self._norm(name + ".norm2", x))
            x = x + self._linear(name + ".linear2", wide[:, :hidden] * self.arrays.gelu(wide[:, hidden:]))
            x = self._layer(f"layers.{k}", x, mask)
        return self._out(self._norm("norm", x)[-1], goal)

    def _planner(self, s: Any, g: Any, w: _Window) -> Any:
        history = self.a["history"]
        latest = [w.states[max(0, w.start - (history - 1 - k))] for k in range(history)]
        states = self._embedded(self.normalised(numpy.stack(latest), 0))
        plan = self.dense("plan_token", self.dense("plan", self._cat(s, g)))
        x = self._rows(plan, self._positions("positions", states, range(history)))
        return self._out(self._stack("encoder", x, numpy.tril(numpy.ones((len(x), len(x)), dtype=bool)))[-1])


class _Window:
    """What an actor's window holds: `states` and `actions` at ascending `places`, start, goal and what is read."""

    def __init__(self, actor: _TransformerActor) -> None:
        policy, done = actor.policy, actor.steps
        size, horizon, quirks = policy.window, policy.task.horizon, policy.quirks
        alone = policy.form == "decoder" and policy.asks_all or quirks["actsWithoutHistory"]
        self.states = actor.states[-1:] if alone else actor.states[-size:]
        before = policy.form == "decoder" and not policy.asks_all
        first = size - len(self.states) if before else 0
        self.start = first + len(self.states) - 1
        self.places = list(range(first, self.start + 1))
        self.goal = min(size - 1, self.start + (1 if quirks["oneActingToken"] else max(1, horizon - done)))
        self.times = [min(max(0, done + place - self.start), horizon) for place in range(size)]
        past = actor.actions[len(actor.actions) - len(self.states) + 1 :]
        none = policy._features(numpy.zeros(policy.task.action) if policy.task.choices is None else 0)
        self.read = self.start
        self.actions = [policy._features(action) for action in past]
        self.actions = [none * 0] * (len(self.states) - 1 - len(past)) + self.actions + [none]
        if policy.has_goal_state:
            self.goal = size - 1 if quirks["goalAtEnd"] else self.start + 1
            self.read = self.goal if quirks["readsLast"] else self.start
            self.places.append(self.goal)
            self.states = [*self.states, actor.goal_state]
            self.actions.append(none if self.read == self.goal else none * 0)


class _TransformerActor(Actor):
    """A transformer at work in one episode: it remembers what it saw and chose."""

    def __init__(self, policy: TransformerPolicy, goal: numpy.ndarray, seed: int) -> None:
        super().__init__(policy, goal, seed)
        needs_goal = policy.has_goal_state or policy.form == "trajectory-tokens"
        self.states: list[numpy.ndarray] = []
        self.actions: list[Any] = []
        self._room = max(1, max(1, policy.window) - (1 if needs_goal else 0))
        self.goal_state = numpy.zeros(policy.task.observation, dtype=numpy.float32)
        for value, place in zip(goal, policy.task.goal_indices):
            self.goal_state[place] = value

    def act(self, observation: Any) -> Any:
        action = super().act(observation)
        if self.policy.window:
            self.actions.append(action)
        return action

    def _outputs(self, state: numpy.ndarray) -> Any:
        if len(self.states) == self._room:
            self.states.pop(0)
            self.actions = self.actions[1:]
        self.states.append(state)
        window = _Window(self) if self.policy.window else None
        return self.policy._said(state, self.policy._full(self.goal), window)
