"""Who made a run or a dataset, by its `provenance.json`."""

import json
import pathlib


def commits(folder):
    """The commits of the code that made it, oldest first, with blanks between; empty where they are not known."""
    made = json.loads((pathlib.Path(folder) / "provenance.json").read_text())
    # Before it had parts, the file was the one part.
    parts = made.get("parts", [made])
    return " ".join(dict.fromkeys(part["commit"] for part in parts if part.get("commit")))
