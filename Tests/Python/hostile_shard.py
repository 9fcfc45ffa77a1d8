"""Gives a shard's observations one chunk of other rows, of which some 50 bytes are stored: hostile_shard.py SHARD ROWS"""

import sys

import h5py

path, rows = sys.argv[1], int(sys.argv[2])
with h5py.File(path, "r+", libver="v110") as file:
    shape = file["observations"].shape
    del file["observations"]
    values = file.create_dataset(
        "observations", shape=shape, maxshape=(None, shape[1]), chunks=(rows, shape[1]),
        dtype="f4", compression="gzip", shuffle=True)
    values.id.write_direct_chunk((0, 0), b"x\x9c" + bytes(50))
