"""One set of numbers in thousands of random orders, and where real ones lie among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.checks import check_callable, whole
from fpdrift.reduction import makers
from fpdrift.reduction.running import run_plan
from fpdrift.reduction.threads.found import OrderSpread
from fpdrift.reduction.threads.growing import law, random_orders
from fpdrift.reduction.threads.operated import ulp_at
from fpdrift.reduction.threads.operations import LARGEST_CHUNKS
from fpdrift.reduction.threads.summing import thread_sums
from fpdrift.reduction.threads.threadsums import ThreadSums
from fpdrift.reduction.threads.tries import Progress
from fpdrift.results import read_only

_LARGEST_N = 2**20


def order_spread(
    n: int = 10_000,
    *,
    orders: int = 10_000,
    chunks: int = 64,
    threads: int | Sequence[int] | None = None,
    tries: int = 200,
    seed: int = 1,
    dtype: str = "float32",
    progress: Progress | None = None,
) -> OrderSpread:
    """Sum the numbers of `thread_sums` one after the other in random orders, and in real ones.

    The real ones: in turn, in turn from the end, pairwise, `numpy.sum`, and what threads make of
    chunks in order of arrival.

    Parameters
    ----------
    n : int, default 10,000
        How many numbers, at most 2**20.
    orders : int, default 10,000
        How many random orders.
    chunks, threads, tries, seed, dtype, progress
        As for `thread_sums`.

    Returns
    -------
    OrderSpread

    Raises
    ------
    FpdriftError
        If an argument is out of its range, or the system refuses memory or threads.
    """
    check_callable("progress", progress)
    n = whole("n", n, 1, _LARGEST_N)
    orders = whole("orders", orders, 1, 10**6)
    sums = thread_sums(
        n,
        chunks=min(whole("chunks", chunks, 1, LARGEST_CHUNKS), n),
        threads=threads,
        tries=tries,
        seed=seed,
        dtype=dtype,
        progress=progress,
    )
    values = np.random.default_rng(sums.seed).standard_normal(n, np.dtype(sums.dtype))
    return OrderSpread(
        n=n,
        seed=sums.seed,
        dtype=sums.dtype,
        exact=sums.exact,
        ulp=float(ulp_at(sums.exact, sums.dtype)),
        values=read_only(random_orders(values, orders, np.random.default_rng([sums.seed, n]))),
        marks=_marks(values, sums),
        law=law(float(np.abs(values).sum(dtype=np.float64)), n, sums.dtype),
        bound=sums.bound,
    )


def _marks(values: npt.NDArray[Any], sums: ThreadSums) -> dict[str, npt.NDArray[Any]]:
    """Sum in the orders that programs have."""
    n = len(values)
    marks = {
        "in turn": run_plan(makers.sequential(n), values),
        "from the end": run_plan(makers.reversed_(n), values),
        "pairwise": run_plan(makers.pairwise(n), values),
        "numpy.sum": np.sum(values),
    }
    for run in sums.runs:
        name = "1 thread" if run.threads == 1 else f"{run.threads} threads"
        marks[name] = np.unique(run.values)
    return {name: read_only(np.atleast_1d(mark)) for name, mark in marks.items()}
