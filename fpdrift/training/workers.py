"""How many trainings this machine does at a time."""

from __future__ import annotations

import math
import os
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from fpdrift.provenance import available_cores

MOST_WORKERS = 1024
#: Bytes of memory below which one training at a time has to do: each may take 1.5e9.
_FOR_TWO = 4e9


def few() -> int:
    """Choose how many trainings go on at a time: two, where there are two cores and memory."""
    try:
        memory: float = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):  # Windows does not tell
        memory = math.inf
    return min(2, available_cores()) if memory >= _FOR_TWO else 1


def workers_here(count: int) -> AbstractContextManager[Executor | None]:
    """Give what an ensemble takes as its executor: threads, or None where it is one at a time."""
    return nullcontext() if count == 1 else ThreadPoolExecutor(count)
