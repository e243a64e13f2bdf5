"""What a result looks like in 80 columns. Every figure stands in the result; none is computed anew.

So the lines printed from a saved result are the lines printed when it was made.
"""

from fpdrift.cli.screens import (
    batch,
    compared,
    courses,
    ensemble,
    fiveruns,
    floats,
    gpu,
    long,
    many,
    question,
    sources,
    steps,
    study,
    sums,
    threads,
    trap,
    trees,
)
from fpdrift.cli.screens.screen import count, screen
from fpdrift.cli.screens.steps import verdict

__all__ = [
    "batch",
    "compared",
    "count",
    "courses",
    "ensemble",
    "fiveruns",
    "floats",
    "gpu",
    "long",
    "many",
    "question",
    "screen",
    "sources",
    "steps",
    "study",
    "sums",
    "threads",
    "trap",
    "trees",
    "verdict",
]
