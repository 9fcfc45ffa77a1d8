"""Models of the research log with given parameters, of torch.nn's modules, for ModelReferenceTests.

Standard input: JSON of a list of {"settings", "parameters": {name: {"shape", "values"}}, "states", "goals": tensors,
"sequence": {"states", "actions": tensors, "holds": [...], "times", "starts", "goals", "columns"}}.
Standard output: JSON of a list of the outputs for actions, a row after the other.

Each function says in full what the log's code does of which it is named, in our own words: github.com/miladsamim/GCRL at
63b1e7e, gcsl/gcsl/algo.
"""

import json
import sys

import torch
from torch import nn


def take(given):
    """What is given of one model, by the names that the functions below read it by."""
    tensor = lambda item: torch.tensor(item["values"], dtype=torch.float32).reshape(item["shape"])
    sequence = given["sequence"]
    states = tensor(sequence["states"])
    rows, steps = states.shape[:2]
    return {
        "a": given["settings"],
        "p": {name: tensor(item) for name, item in given["parameters"].items()},
        "present": tensor(given["states"]),
        "goals": tensor(given["goals"]),
        "states": states,
        "actions": tensor(sequence["actions"]),
        "rows": rows,
        "steps": steps,
        "holds": torch.tensor(sequence["holds"]).reshape(rows, steps),
        "times": torch.tensor(sequence["times"]).reshape(rows, steps),
        "starts": torch.tensor(sequence["starts"]),
        "ends": torch.tensor(sequence["goals"]),
        "columns": sequence["columns"],
    }


def dense(name, x):
    """Layers with rectifiers between them."""
    k = 0
    while f"{name}.{k}.weight" in p:
        x = nn.functional.linear(torch.relu(x) if k else x, p[f"{name}.{k}.weight"], p[f"{name}.{k}.bias"])
        k += 2
    return x


def loaded(module, prefix):
    """A module with the parameters of a prefix."""
    names = {k[len(prefix):].replace("in_proj.", "in_proj_"): v for k, v in p.items() if k.startswith(prefix)}
    module.load_state_dict(names, strict=True)
    return module.train()  # without dropout the same numbers, and none of the fast paths that eval mode takes


def layer():
    return nn.TransformerEncoderLayer(
        a["width"], a["heads"], a["feedForward"], 0.0, a["activation"], batch_first=True, norm_first=a["normFirst"])


def encoder():
    # What the log makes has no normalisation behind it; layers that begin with one need it.
    norm = nn.LayerNorm(a["width"]) if a["normFirst"] else None
    return loaded(nn.TransformerEncoder(layer(), a["layers"], norm, enable_nested_tensor=False), "encoder.")


def mask(hidden, queries):
    """The mask of attention that hides keys `[B, S]` from every query and head; padding masks need more packages."""
    shown = torch.zeros(hidden.shape).masked_fill(hidden, -torch.inf)
    return shown[:, None].expand(-1, queries, -1).repeat_interleave(a["heads"], 0)


def goal_post(name="post"):
    return dense(name, torch.cat([present, goals], 1))


def decoder():
    """traj_idm_dec.py: FiLM, GatedFusion, DiscreteTrajDEC_IDMPolicy; traj_idm_dec_simple.py with its position."""
    g, h = goal_post(), dense("state", states)
    if "places.weight" in p:
        h = h + p["places.weight"][times]
    if a["conditioning"] == "film":
        gamma, beta = dense("film", g)[:, None].chunk(2, 2)
        h = gamma * h + beta + h
    elif a["conditioning"] == "gate":
        attention = loaded(nn.MultiheadAttention(a["width"], 1, batch_first=True), "gate.attention.")
        norm = loaded(nn.LayerNorm(a["width"]), "gate.norm.")
        attended = norm(h + attention(h, g[:, None], g[:, None])[0])
        share = torch.sigmoid(
            nn.functional.linear(h, p["gate.state.weight"], p["gate.state.bias"])
            + nn.functional.linear(attended, p["gate.goal.weight"], p["gate.goal.bias"]))
        h = (1 - share) * h + share * attended
    width, token = a["width"], g[:, None]
    if a["conditioning"] == "concatenation":
        h, width, token = torch.cat([h, token.expand(-1, steps, -1)], 2), 2 * width, torch.cat([token, token], 2)
    hidden = ~holds
    if a["conditioning"] == "token" or a["keepsGoal"]:
        h, hidden = torch.cat([h, token], 1), torch.cat([hidden, torch.zeros(rows, 1, dtype=torch.bool)], 1)
    asked = p["token.weight"].expand(rows, 1, -1)
    if "times.weight" in p:
        asked = asked + p["times.weight"][times[torch.arange(rows), starts]][:, None]
    if a["goalInTokens"]:
        asked = asked + g[:, None]
    net = nn.Transformer(
        width, a["heads"], a["layers"], a["decoderLayers"], a["feedForward"], 0.0, a["activation"], batch_first=True,
        norm_first=a["normFirst"])
    for part in ("encoder", "decoder"):
        loaded(getattr(net, part), part + ".")
    y = net.train()(h, asked, src_mask=mask(hidden, h.shape[1]), memory_mask=mask(hidden, 1))
    return dense("out", y[:, 0])


def trajectory_tokens():
    """traj_idm.py: DiscreteTrajIDMPolicy."""
    g, net, said = goal_post(), encoder(), []
    for b in range(rows):
        t1, t2 = int(starts[b]), int(ends[b])
        raw = nn.functional.pad(states[b], (0, a["width"] - states.shape[2]))
        tokens = p["token.weight"] + p["positions.weight"][t1:t2]
        x = torch.cat([raw[: t1 + 1], tokens, g[b : b + 1], raw[t2 + 1 :]])
        first, last = t1 + 1, t2 + 1
        shown = torch.zeros(len(x), dtype=torch.bool)
        if a["mask"] == "all":
            shown[:] = True
        elif a["mask"] == "base":
            shown[first : last + 1] = True
        elif a["mask"] == "pre":
            shown[: last + 1] = True
        elif a["mask"] == "restrictive":
            shown[[first, last]] = True
        y = net(x[None], mask=mask(~shown[None], len(x)))[0]
        said.append(y[first : last + 1])
    return dense("out", torch.cat(said))


def interleaved():
    """pact.py: DiscretePACTPolicy; under masking.py's goals of each step, or with a goal's token before the steps."""
    s = dense("state", states) + p["times.weight"][:steps]
    u = dense("action", actions) + p["times.weight"][:steps]
    x = torch.stack([s, u], 2).reshape(rows, 2 * steps, -1)
    g = None
    if a["mask"] != "random-goal":
        g = dense("goal", goals)
        x = torch.cat([g[:, None], x], 1)
    hidden = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool), 1)
    if g is None:
        for q, column in enumerate(columns):
            hidden[[2 * q, 2 * q + 1], 2 * column] = False
    y = encoder()(x, mask=hidden)
    y = y[:, 0 if g is None else 1 :: 2]
    if g is None:
        y = y[:, : steps - 1]
    if a["readsGoal"]:
        y = torch.cat([y, g[:, None].expand(-1, y.shape[1], -1)], 2)
    if "out.0.weight" in p:
        y = torch.relu(dense("out", y))
    return (y @ p["action.0.weight"]).flatten(0, 1)


def tokens():
    """idm_ssl.py: state, action token and goal, with a network of state and goal in the action token."""
    asked = p["token.weight"] + goal_post("token_post")
    y = encoder()(torch.stack([dense("state", present), asked, dense("goal", goals)], 1))
    return dense("out", y[:, 1])


def attention():
    """idm_ssl.py: an action token that attends to state and goal."""
    both = torch.stack([dense("state", present), dense("goal", goals)], 1)
    x = p["token.weight"].expand(rows, 1, -1)
    for k in range(a["layers"]):
        part = loaded(nn.MultiheadAttention(a["width"], a["heads"], batch_first=True), f"attention.{k}.")
        x = part(x, both, both)[0]
    return dense("out", x[:, 0])


said = []
with torch.no_grad():
    for given in json.load(sys.stdin):
        globals().update(take(given))
        said.append(globals()[a["form"].replace("-", "_")]().flatten().tolist())
json.dump(said, sys.stdout)
