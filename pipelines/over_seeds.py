"""What several seeds say together: a mean, its interval, and a verdict on a published number."""

import statistics

# Student's quantile for a 95 % interval, by the degrees of freedom.
STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
           2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045]  # fmt: skip


def interval(values):
    """The mean of one value a seed, and half of Student's 95 % interval over them (None of one seed); of 30 seeds at most."""
    mean = statistics.mean(values)
    if len(values) == 1:
        return mean, None
    return mean, STUDENT[len(values) - 2] * statistics.stdev(values) / len(values) ** 0.5


def text(values, digits):
    """The mean and its interval as they stand in a table."""
    mean, half = interval(values)
    ends = "" if half is None else f" [{mean - half:.{digits}f}, {mean + half:.{digits}f}]"
    return f"{mean:.{digits}f}{ends}"


def verdict(values, published):
    """What the interval over at least three seeds says of a published number; nothing without such a number."""
    if published is None or len(values) < 3:
        return ""
    mean, half = interval(values)
    if mean - half > published:
        return "exceeded"
    return "reproduced" if published <= mean + half else "below"
