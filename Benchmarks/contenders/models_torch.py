"""Models of the research log in eager PyTorch, to be timed beside `contender model` and `contender model-acts`.

usage: models_torch.py update|act SETTINGS
SETTINGS is what experiments.py gives for a cell, as JSON: the forms mlp, tokens, decoder (with history, all actions,
gate, FiLM and concatenation), trajectory with a random-goal mask, and interleaved are here, of torch's own modules
with lunar lander's sizes. An update is that of a fixed batch of 256 with fused Adam, an EMA teacher and VICReg where
asked for. An act is one observation through the model in eval mode, with the history that it needs at step 25.
Prints `ready`; then for each line of stdin with a number of seconds works for that long and prints `amount seconds`.
"""

import copy
import json
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

from serving import serve

O, G, C, T, BATCH = 8, 5, 4, 50, 256


def mlp(*widths):
    layers = []
    for k in range(len(widths) - 1):
        layers += [nn.Linear(widths[k], widths[k + 1])] + ([nn.ReLU()] if k + 2 < len(widths) else [])
    return nn.Sequential(*layers)


class Gate(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attention, self.norm = nn.MultiheadAttention(width, 1, batch_first=True), nn.LayerNorm(width)
        self.state, self.goal = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, states, goal):
        attended = self.norm(states + self.attention(states, goal, goal, need_weights=False)[0])
        share = torch.sigmoid(self.state(states) + self.goal(attended))
        return (1 - share) * states + share * attended


class Model(nn.Module):
    def __init__(self, settings):
        super().__init__()
        part = settings.get("architecture", {})
        objectives = settings.get("objectives", {})
        self.form, self.how = part.get("form", "tokens"), part.get("conditioning", "token")
        self.all = objectives.get("imitation", {}).get("actions") == "all"
        self.history, self.reads = part.get("history", 1), part.get("reads", "token")
        width = part.get("width", 8)
        hidden = part.get("feedForward", 32)
        goal = O if settings.get("goals") == "full" else G
        self.goal_width = goal
        if self.form == "mlp":
            self.network = mlp(O + goal, 400, 300, C)
            return
        self.post = part.get("goal", "post") == "post"
        self.state = nn.Linear(O, width)
        if self.form != "trajectory":
            self.goal = mlp(O + goal, 400, 300, width) if self.post else nn.Linear(goal, width)
        if self.how == "gate":
            self.gate = Gate(width)
        elif self.how == "film":
            self.film = mlp(width, 128, 128, 2 * width)
        size = 2 * width if self.how == "concatenation" else width
        heads, layers = part.get("heads", 1), part.get("layers", 2)
        options = dict(dropout=0.0, activation=part.get("activation", "relu"), batch_first=True, norm_first=part.get("normFirst", True))
        if self.form == "decoder":
            self.transformer = nn.Transformer(size, heads, layers, part.get("decoderLayers", 2), hidden, **options)
        else:
            layer = nn.TransformerEncoderLayer(size, heads, hidden, **options)
            self.encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(size), enable_nested_tensor=False)
        if self.form in ("tokens", "decoder"):
            self.token = nn.Parameter(torch.randn(1, 1, size))
        if self.form == "decoder" and self.all:
            self.times = nn.Parameter(torch.randn(1, T + 1, size))
        if self.form == "trajectory":
            self.register_buffer("places", torch.randn(1, T + 1, size))
        if self.form == "interleaved":
            self.action, self.times = nn.Linear(C, width), nn.Parameter(torch.randn(1, T + 1, width))
        self.out = mlp(size, *part.get("outWidths", []), C)

    def conditioned(self, states, goal):
        if self.how == "gate":
            return self.gate(states, goal)
        if self.how == "film":
            scale, shift = self.film(goal).chunk(2, -1)
            return scale * states + shift + states
        return torch.cat([states, goal.expand_as(states)], -1)

    def forward(self, state, goal, states=None, actions=None, mask=None, hidden=None):
        if self.form == "mlp":
            return self.network(torch.cat([state, goal], -1))
        if self.form == "trajectory":
            return self.out(self.encoder(self.state(states) + self.places[:, : states.shape[1]], mask=mask))
        token = (self.goal(torch.cat([state, goal], -1)) if self.post else self.goal(goal))[:, None]
        if self.form == "interleaved":
            count = states.shape[1]
            pairs = torch.stack([self.state(states) + self.times[:, :count], self.action(actions) + self.times[:, :count]], 2)
            x = torch.cat([token, pairs.flatten(1, 2)], 1)
            return self.out(self.encoder(x, mask=mask, is_causal=True)[:, 1::2])
        source = self.state(states if self.history > 1 else state[:, None])
        if self.how == "token":
            source = torch.cat([source, token], 1)
        else:
            source = self.conditioned(source, token)
        asked = self.token.expand(len(state), -1, -1)
        if self.form == "tokens":
            if self.reads == "state":
                return self.out(self.encoder(source)[:, 0])
            x = torch.cat([source[:, :1], asked, source[:, 1:]], 1)
            return self.out(self.encoder(x)[:, 1])
        if self.all:
            asked = asked + self.times
            return self.out(self.transformer(source, asked, tgt_key_padding_mask=mask))
        return self.out(self.transformer(source, asked, src_key_padding_mask=hidden, memory_key_padding_mask=hidden)[:, 0])


def vicreg(z):
    z = z - z.mean(0)
    deviation = torch.sqrt(z.square().sum(0) / (len(z) - 1) + 1e-4)
    covariance = (z.T @ z) / (len(z) - 1)
    off = covariance - torch.diag(covariance.diag())
    return functional.relu(1 - deviation).mean(), off.square().sum() / z.shape[1]


def main():
    kind, settings = sys.argv[1], json.loads(sys.argv[2])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Model(settings)
    objectives = settings.get("objectives", {})
    rows = BATCH if kind == "update" else 1
    draw = numpy.random.default_rng(0)
    numbers = lambda *shape: draw.standard_normal(shape).astype(numpy.float32)
    state, goal, choice = numbers(rows, O), numbers(rows, model.goal_width), draw.integers(0, C, rows)
    count = T + 1 if kind == "update" else 26
    history = model.history if kind == "update" else min(model.history, 26)
    states = numbers(rows, history if model.form == "decoder" else count, O)
    window = draw.integers(0, C, (rows, count))
    onehot = numpy.eye(C, dtype=numpy.float32)[window]

    def inputs():
        """What an update makes of a batch's arrays."""
        made = [torch.from_numpy(state), torch.from_numpy(goal)]
        if model.form == "trajectory":
            mask = torch.triu(torch.full((count, count), float("-inf")), 1)
            for q in range(count - 1):
                mask[q, draw.integers(q + 1, count)] = 0
            return made + [torch.from_numpy(states), None, mask]
        if model.form == "interleaved":
            mask = nn.Transformer.generate_square_subsequent_mask(2 * count + 1)
            return made + [torch.from_numpy(states), torch.from_numpy(onehot), mask]
        if model.form == "decoder" and model.all:
            steps = torch.from_numpy(draw.integers(1, T, rows))
            return made + [None, None, torch.arange(T + 1)[None] >= steps[:, None]]
        if model.form == "decoder" and model.history > 1:
            hidden = torch.zeros(rows, history + (model.how == "token"), dtype=torch.bool)
            return made + [torch.from_numpy(states), None, None, hidden]
        return made

    if kind == "act":
        model.eval()

        def work():
            with torch.no_grad():
                logits = model(*inputs())
                return logits.reshape(-1, C)[-1].argmax().item()

    else:
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, fused=True)
        teacher = copy.deepcopy(model) if objectives.get("teacher") else None
        weights = objectives.get("vicreg", {})

        def work():
            logits = model(*inputs())
            if logits.dim() == 3:
                logits, target = logits[:, : T], window[:, : T].reshape(-1)
            else:
                target = choice
            logits = logits.reshape(-1, C)
            loss = functional.cross_entropy(logits, torch.from_numpy(target)) * objectives.get("imitation", {}).get("weight", 1)
            if weights:
                variance, covariance = vicreg(logits)
                loss = loss + weights["variance"] * variance + weights["covariance"] * covariance
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if teacher is not None:
                with torch.no_grad():
                    torch._foreach_lerp_(list(teacher.parameters()), list(model.parameters()), 0.01)

    for _ in range(3):
        work()

    def piece():
        work()
        return 1

    serve(piece)


main()
