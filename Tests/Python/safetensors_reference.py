"""Reads the file of the first argument with Python's safetensors, prints it as JSON, and writes its
tensors and one more to the file of the second."""

import json
import sys

import numpy
from safetensors import safe_open
from safetensors.numpy import save_file

source, target = sys.argv[1:]
with safe_open(source, "numpy") as file:
    metadata = file.metadata()
    tensors = {name: file.get_tensor(name) for name in file.keys()}
found = {
    name: {"dtype": str(t.dtype), "shape": list(t.shape), "values": t.flatten().tolist()}
    for name, t in tensors.items()
}
print(json.dumps({"metadata": metadata, "tensors": found}, sort_keys=True))
tensors["extra"] = numpy.arange(3, dtype=numpy.int32)
save_file(tensors, target, metadata={"from": "python"})
