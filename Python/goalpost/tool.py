"""The tool's verbs from Python: `run`."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Any

from .errors import GoalpostError


def tool() -> str:
    """The executable: what `GOALPOST_TOOL` names, else `goalpost` on the path."""
    named = os.environ.get("GOALPOST_TOOL")
    found = shutil.which(named or "goalpost")
    if found is None:
        what = f"GOALPOST_TOOL is {named}, which cannot be run" if named else "there is no goalpost on the path"
        raise GoalpostError(f"{what}: build it with `make build`, or name it with GOALPOST_TOOL")
    return found


def run(verb: str, *arguments: Any, show_progress: bool = False, **options: Any) -> Any:
    """Runs a verb of the tool: gives parsed JSON if the verb has `--json`, else the text that it prints.

    Options are the verb's own with `_` for `-`; a `_` behind a name is left out, as of `from_`. True is a flag, None
    and False are left out, a list repeats an option, a dictionary repeats it as `name:weight`, for `set` `key=value`.
    With `show_progress` what the tool says of its progress goes to standard error.

    Raises `GoalpostError` with the tool's sentence and exit status.
    """
    command = [tool(), verb, *map(str, arguments), *flags(options)]
    if "json" not in options and has_json(command[0], verb):
        command.append("--json")
    lines: list[str] = []
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, text=True, errors="replace"
        )
        try:
            for line in process.stderr:
                lines = lines[-1000:] + [line]
                if show_progress:
                    sys.stderr.write(line)
            status = process.wait()
        except BaseException:
            # What is done is kept, as after Ctrl-C in a terminal.
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
        finally:
            process.stderr.close()
        output.seek(0)
        text = output.read().decode()
    if status != 0:
        raise GoalpostError(_sentence("".join(lines), verb, status), status)
    return json.loads(text) if "--json" in command else text


def flags(options: dict[str, Any]) -> list[str]:
    """Options as the tool takes them."""
    words: list[str] = []
    for name, value in options.items():
        flag = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(flag)
            continue
        if isinstance(value, dict):
            values = [
                f"{key}={_text(item)}" if name == "set" else f"{key}:{_text(item)}" for key, item in value.items()
            ]
        else:
            values = [_text(item) for item in (value if isinstance(value, (list, tuple)) else [value])]
        for item in values:
            # A value that begins with a hyphen would be taken for an option.
            words += [f"{flag}={item}"] if item.startswith("-") else [flag, item]
    return words


@functools.lru_cache(maxsize=None)
def has_json(executable: str, verb: str) -> bool:
    """Whether a verb has `--json`, as its help says."""
    found = subprocess.run([executable, "help", verb], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return "--json" in found.stdout.split()


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (str, pathlib.PurePath)) else json.dumps(value)


def _sentence(text: str, verb: str, status: int) -> str:
    """What the tool says is wrong, without its usage."""
    said = re.search(r"^Error: (.*?)(\n\s*Usage:.*)?\Z", text, re.DOTALL | re.MULTILINE)
    return said[1].strip() if said else f"goalpost {verb} ended with status {status}"
