"""What several seeds say together: a mean, its interval, and a verdict on a published number.

The intervals are the tool's own (`goalpost intervals`): no formula stands here.
"""

import functools
import json
import statistics
import subprocess


@functools.cache
def _asked(question):
    answer = subprocess.run(["goalpost", "intervals"], input=f"[{question}]", capture_output=True, text=True)
    if answer.returncode != 0:
        raise RuntimeError(answer.stderr.strip())
    return json.loads(answer.stdout)[0]


def interval(values, least=0, most=None, episodes=None, shares_starts=False):
    """The mean of one value a seed, and the ends of its 95 % interval over them (None of one seed).

    Values lie from `least` to `most` (None for no bound). Seeds were each evaluated on starts of their own unless
    `shares_starts`; then the values must be shares of so many `episodes`.
    """
    if len(values) == 1:
        return values[0], None, None
    question = {"values": values, "low": least, "high": most, "episodes": episodes, "shares_starts": shares_starts}
    found = _asked(json.dumps({name: value for name, value in question.items() if value is not None}))
    return statistics.mean(values), found["low"], found["high"]


def text(values, digits, **how):
    """The mean and its interval as they stand in a table."""
    mean, low, high = interval(values, **how)
    ends = "" if low is None else f" [{low:.{digits}f}, {high:.{digits}f}]"
    return f"{mean:.{digits}f}{ends}"


def verdict(values, published, **how):
    """What the interval over at least three seeds says of a published number; nothing without such a number."""
    if published is None or len(values) < 3:
        return ""
    _, low, high = interval(values, **how)
    if low > published:
        return "exceeded"
    return "reproduced" if published <= high else "below"


def apart(values, others, **how):
    """Whether the interval over at least three seeds lies above or below that of others; nothing where they overlap."""
    if min(len(values), len(others)) < 3:
        return ""
    _, low, high = interval(values, **how)
    _, least, greatest = interval(others, **how)
    return "above" if low > greatest else "below" if high < least else ""
