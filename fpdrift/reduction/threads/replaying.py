"""Add again, without threads, in an order that threads once left behind."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpdrift.checks import whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.reduction.threads.operated import ThreadOperation
from fpdrift.reduction.threads.operations import Task, added, parts
from fpdrift.reduction.threads.threadsums import ThreadSums


def replay(result: ThreadSums | ThreadOperation, index: int, *, threads: int | None = None) -> Any:
    """Add in the order of arrival of one try again, with no threads at all.

    The numbers are drawn again from the result's seed, and what their chunks give is kept for the
    next replay. On the machine that made the result, this gives the try's bits.

    Parameters
    ----------
    result : ThreadSums or ThreadOperation
        Made here, or read from JSON.
    index : int
        Which try, 0 to ``result.tries - 1``.
    threads : int, optional
        Of which thread count; by default the highest there is.

    Returns
    -------
    numpy scalar or numpy.ndarray
        The sum or the operation's result, in the result's dtype.

    Raises
    ------
    FpdriftError
        If there is no such try or result, or this NumPy draws other numbers from the seed.
    """
    if not isinstance(result, ThreadSums | ThreadOperation):
        message = f"result is {shown(result)}; give a ThreadSums, as thread_sums makes it"
        raise FpdriftError(message)
    if not result.runs:
        message = "no runs in this result, so no try to replay"
        raise FpdriftError(message)
    run = result.run(max(r.threads for r in result.runs) if threads is None else threads)
    order = run.arrivals[whole("index", index, 0, len(run.arrivals) - 1)].tolist()
    if sorted(order) != list(range(result.chunks)):
        message = f"try {index} does not hold each of the {result.chunks} chunks once"
        raise FpdriftError(message)
    name = "sum" if isinstance(result, ThreadSums) else result.operation
    task = Task.checked(name, result.n, result.chunks, result.seed, result.dtype)
    of_chunks, digest = parts(task)
    if digest != result.digest:
        message = f"this NumPy {np.__version__} draws other numbers from seed {result.seed}"
        raise FpdriftError(message)
    return added(task, (of_chunks[chunk] for chunk in order))[()]
