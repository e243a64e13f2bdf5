"""Sums in order of arrival, and beside them the fixed order in which NumPy adds by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.reduction import Revealed, ThreadSums, reveal, thread_sums
from fpdrift.results import Result

if TYPE_CHECKING:
    from fpdrift.experiments.settings import Settings

#: So many numbers have a tree that can be read in one line.
_FEW = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadsAndTree(Result):
    """What threads made of one sum, and the tree in which NumPy adds a few numbers."""

    sums: ThreadSums
    #: of `numpy.sum` on a few float32 numbers, here
    tree: Revealed

    def __repr__(self) -> str:
        return f"ThreadsAndTree({self.sums!r}, {self.tree!r})"


def threads(settings: Settings) -> ThreadsAndTree:
    """Sum in order of arrival, with one thread and with all; reveal NumPy's own order."""
    sums = thread_sums(
        seed=settings.seed, progress=partial(settings.progress, "adding as they arrive")
    )
    return ThreadsAndTree(sums=sums, tree=reveal(np.sum, _FEW, "float32", name="numpy:sum"))
