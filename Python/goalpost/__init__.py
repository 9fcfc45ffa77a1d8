"""Goalpost from Python: its datasets, its relabelling, its policies and its verbs.

    load_dataset(path)                      a dataset's columns as numpy views
    relabelled(data, scheme, ...)           batches with relabelled goals, the rows that the tool draws
    load_policy(path)                       a checkpoint's policy, in numpy or PyTorch
    run("train", learner=..., ...)          the tool's verbs

Every error is a `GoalpostError`: one sentence. `README.md` has examples.
"""

from .dataset import Dataset, Episode, load_dataset
from .errors import GoalpostError
from .policies import Actor, Policy, load_policy
from .sampling import CURRENT, ORIGINAL, RANDOM, TRAJECTORY, Batch, Relabelled, relabelled
from .task import Task
from .tool import run
from .version import VERSION

__version__ = VERSION

__all__ = [
    "Actor",
    "Batch",
    "CURRENT",
    "Dataset",
    "Episode",
    "GoalpostError",
    "ORIGINAL",
    "Policy",
    "RANDOM",
    "Relabelled",
    "TRAJECTORY",
    "Task",
    "load_dataset",
    "load_policy",
    "relabelled",
    "run",
]
