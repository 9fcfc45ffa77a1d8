"""torch.nn.Transformer with given parameters, for TransformerReferenceTests.

Standard input: JSON of {"width", "heads", "layers", "feedForward", "activation", "normFirst", "parameters": {name: {"shape",
"values"}}, "source", "target": {"shape", "values"}, "hidden": [[...]]}, where hidden marks source tokens that none sees.
Standard output: JSON of the values that come out.
"""

import json
import sys

import torch

given = json.load(sys.stdin)
tensor = lambda item: torch.tensor(item["values"], dtype=torch.float32).reshape(item["shape"])
model = torch.nn.Transformer(
    given["width"], given["heads"], given["layers"], given["layers"], given["feedForward"], dropout=0.0,
    activation=given["activation"], batch_first=True, norm_first=given["normFirst"],
)
names = {name.replace("in_proj.", "in_proj_"): tensor(item) for name, item in given["parameters"].items()}
model.load_state_dict(names, strict=True)
hidden = torch.tensor(given["hidden"])
with torch.no_grad():
    model.train()  # without dropout the same numbers, and none of the fast paths that eval mode takes
    output = model(tensor(given["source"]), tensor(given["target"]), src_key_padding_mask=hidden, memory_key_padding_mask=hidden)
json.dump(output.flatten().tolist(), sys.stdout)
