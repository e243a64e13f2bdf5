"""How many trainings this machine does at a time."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from fpdrift.provenance import available_cores

MOST_WORKERS = 1024


def few() -> int:
    """Choose a number of trainings: two take 3 GB of memory, and no laptop longer than one."""
    return min(2, available_cores())


def workers_here(count: int) -> AbstractContextManager[Executor | None]:
    """Give what an ensemble takes as its executor: threads, or None where it is one at a time."""
    return nullcontext() if count == 1 else ThreadPoolExecutor(count)
