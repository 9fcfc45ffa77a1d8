#!/usr/bin/env python3
"""The cells of experiments.yaml with their settings resolved.

usage: experiments.py [ROW|ROW-VARIANT ...]    prints a list of {"cell", "row", "kind", "did", "shows", "from", "ours",
                                               "repeats", "settings"} as JSON

A cell is a row, or a variant of one: 74, 36-w16. Settings are those of what the row is like, in that order, then its
own, then the variant's: groups are merged, everything else is replaced.
"""

import json
import pathlib
import sys

import yaml


def merged(settings, own):
    """Settings with others over them."""
    result = dict(settings)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def cells(path=pathlib.Path(__file__).with_name("experiments.yaml")):
    """Every cell of the table, in its order."""
    table = yaml.safe_load(pathlib.Path(path).read_text())
    rows = {row["row"]: row for row in table["rows"]}

    def resolved(entry):
        settings = {}
        for name in entry.get("like", []):
            if name not in table["presets"] and name not in rows:
                sys.exit(f"experiments.yaml: 'like' names presets and rows, found {name!r}")
            settings = merged(settings, table["presets"][name] if name in table["presets"] else resolved(rows[name]))
        return merged(settings, entry.get("settings", {}))

    for row in table["rows"]:
        about = {"row": row["row"], "kind": row.get("kind", "run")}
        about |= {key: row.get(key) for key in ["did", "shows", "from", "ours"]}
        base = resolved(row)
        for name, variant in row.get("variants", {"": {}}).items():
            start = merged(resolved({"like": variant["like"]}), row.get("settings", {})) if "like" in variant else base
            yield about | {
                "cell": f"{row['row']}-{name}" if name else str(row["row"]),
                "repeats": variant.get("repeats", row.get("repeats")),
                "settings": merged(start, variant.get("settings", {})),
            }


def chosen(names):
    """The cells of some rows, or some cells; all where no name is given."""
    every = list(cells())
    known = {cell["cell"] for cell in every} | {str(cell["row"]) for cell in every}
    for name in names:
        if name not in known:
            sys.exit(f"experiments.yaml: rows are 1 to {every[-1]['row']} and their variants, found '{name}'")
    return [cell for cell in every if not names or {cell["cell"], str(cell["row"])} & set(names)]


if __name__ == "__main__":
    json.dump(chosen(sys.argv[1:]), sys.stdout, indent=1)
