"""Puts a shard's actions where the shard's bytes are not: FILE KIND RAW."""

import os
import sys

import h5py

path, kind, raw = sys.argv[1:]
with h5py.File(path) as file:
    columns = {}
    file.visititems(
        lambda name, item: columns.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None
    )
os.unlink(path)
actions = columns.pop("actions")
with h5py.File(path, "w", libver="v110") as file:
    for name, values in columns.items():
        file.create_dataset(name, data=values)
    if kind == "external storage":
        with open(raw, "wb") as bytes:
            bytes.write(actions.tobytes())
        file.create_dataset("actions", shape=actions.shape, dtype=actions.dtype, external=[(raw, 0, actions.nbytes)])
    elif kind == "a soft link":
        file["elsewhere"] = actions
        file["actions"] = h5py.SoftLink("/elsewhere")
    else:
        with h5py.File(raw, "w") as other:
            other["x"] = actions
        if kind == "a link to another file":
            file["actions"] = h5py.ExternalLink(raw, "x")
        else:
            layout = h5py.VirtualLayout(actions.shape, actions.dtype)
            layout[:] = h5py.VirtualSource(raw, "x", actions.shape)
            file.create_virtual_dataset("actions", layout)
