"""Measure the spread of a sum over random orders, compare it with real orders, and its growth.

The spread grows with the count of the numbers and with the number of chunks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import format_of, ulp_at
from fpdrift.reduction import plans
from fpdrift.reduction._executor import run_plan, run_plans
from fpdrift.reduction._rounding import Floats
from fpdrift.reduction.parallel._operations import LARGEST_CHUNKS, LARGEST_N, Task, sizes_bound
from fpdrift.reduction.parallel._results import (
    GrowthPoint,
    OrderSpread,
    SpreadGrowth,
    ThreadSums,
)
from fpdrift.reduction.parallel._thread_pool import Progress, reporter, run_tries, thread_counts
from fpdrift.reduction.parallel._thread_sums import in_order_of_arrival, thread_sums
from fpdrift.serialization import read_only
from fpdrift.validation import check_callable, check_choice, check_int

#: Number of values in the orders drawn at a time.
_BLOCK = 2**20


def spread_growth(
    ns: Sequence[int] = (2**12, 2**14, 2**16, 2**18, 2**20),
    chunks: Sequence[int] = (16, 64, 256, 1024),
    *,
    operation: str = "positive sum",
    threads: int | None = None,
    tries: int = 50,
    drawn: int = 1000,
    seed: int = 1,
    dtype: str = "float32",
    progress: Progress | None = None,
) -> SpreadGrowth:
    """Measure the spread over orders for increasing counts of numbers and chunks.

    For each n and number of chunks, real threads sum chunks and add them as they arrive; and their
    partial sums are added in random orders, which shows on any machine what other orders can give.
    In ulps, the spread of numbers of one sign grows like the square root of the number of chunks
    and hardly with n, so with n as well if the chunk size is fixed. The bound grows like the number
    of chunks.

    Parameters
    ----------
    ns, chunks : sequence of int
        Every n is combined with every number of chunks up to n.
    operation : {"positive sum", "sum", "dot"}
        As for `thread_operation`. The exact sum of numbers of both signs, and its ulp, can be small
        by chance, so that the points of ``"sum"`` and ``"dot"`` do not lie on a smooth curve.
    threads : int, optional
        Number of threads; by default all available cores, at least 2.
    tries, drawn : int
        Number of results of threads, and of random orders, for each point.
    seed, dtype, progress
        As for `thread_sums`.

    Returns
    -------
    SpreadGrowth

    Raises
    ------
    FpdriftError
        If an argument is out of range, or the system refuses memory or threads.
    """
    check_callable("progress", progress)
    check_choice("operation", operation, ("positive sum", "sum", "dot"))
    threads = check_int("threads", max(thread_counts(None)) if threads is None else threads, 1, 256)
    drawn = check_int("drawn", drawn, 1, 10**6)
    sizes = _several("ns", ns, LARGEST_N)
    pairs = [(n, k) for n in sizes for k in _several("chunks", chunks, LARGEST_CHUNKS) if k <= n]
    if not pairs:
        message = f"no number of chunks in {short_repr(chunks)} is at most an n in {short_repr(ns)}"
        raise FpdriftError(message)
    tasks = [Task.checked(operation, n, k, seed, dtype) for n, k in pairs]
    tries = min(task.check_tries(tries, 1) for task in tasks)
    rng = np.random.default_rng(seed)
    points: list[GrowthPoint] = []
    for task in tasks:
        report = reporter(progress, len(points) * tries, len(tasks) * tries)
        try:
            points.append(_point(task, threads, tries, drawn, rng, report))
        except MemoryError:
            raise task.memory_error() from None
    return SpreadGrowth(
        operation=operation,
        dtype=tasks[0].dtype,
        seed=tasks[0].seed,
        threads=threads,
        tries=tries,
        drawn=drawn,
        points=tuple(points),
    )


def _point(
    task: Task,
    threads: int,
    tries: int,
    drawn: int,
    rng: np.random.Generator,
    report: Callable[[int], None],
) -> GrowthPoint:
    chunks, _ = task.draw()
    exact = float(task.exact_and_bound(chunks)[0])
    ulp = float(ulp_at(exact, task.dtype))
    strategy = in_order_of_arrival(task, chunks)
    totals, arrivals = run_tries(strategy, task.chunks, threads, tries, report)
    partials = np.array([strategy.part(chunk) for chunk in range(task.chunks)])
    sums = random_orders(partials, drawn, rng)
    sizes = float(np.abs(partials.astype(np.float64)).sum())
    return GrowthPoint(
        n=task.n,
        chunks=task.chunks,
        exact=exact,
        ulp=ulp,
        threads_spread=_spread(np.array(totals)) / ulp,
        threads_results=len(np.unique(totals)),
        threads_orders=len(np.unique(arrivals, axis=0)),
        drawn_spread=_spread(sums) / ulp,
        drawn_results=len(np.unique(sums)),
        law=2 * law(sizes, task.chunks, task.dtype) / ulp,
        bound=2 * sizes_bound(sizes, task.chunks - 1, task.dtype) / ulp,
    )


def random_orders(values: Floats, orders: int, rng: np.random.Generator) -> Floats:
    """Return the sums of (n,) numbers, added one by one in random orders, (orders,)."""
    inputs = np.arange(len(values), dtype=np.min_scalar_type(len(values)))
    size = max(1, _BLOCK // len(values))
    counts = [min(size, orders - before) for before in range(0, orders, size)]
    return np.concatenate(
        [run_plans(rng.permuted(np.tile(inputs, (k, 1)), axis=1), values) for k in counts]
    )


def law(sizes: float, n: int, dtype: str) -> float:
    """Return sqrt(n - 1) * u * sizes: n - 1 rounding errors that cancel by chance.

    Higham and Mary 2019, "A new approach to probabilistic rounding error analysis", SIAM Journal on
    Scientific Computing 41(5), with their constant taken as 1: an expectation, not a bound.
    """
    return math.sqrt(n - 1) * 2.0 ** -format_of(dtype).precision * sizes


def _spread(values: Floats) -> float:
    return float(values.max()) - float(values.min())


def _several(name: str, values: Any, most: int) -> list[int]:
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        message = f"{name} is {short_repr(values)}; pass several whole numbers, such as (16, 64)"
        raise FpdriftError(message)
    return [check_int(name, value, 1, most) for value in values]


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
    """Sum the numbers of `thread_sums` in random orders, and in the orders of real programs.

    The real orders: in turn, in turn from the end, pairwise, `numpy.sum`, and the order in which
    threads' chunks arrive.

    Parameters
    ----------
    n : int, default 10,000
        Number of values, at most 2**20.
    orders : int, default 10,000
        Number of random orders.
    chunks, threads, tries, seed, dtype, progress
        As for `thread_sums`.

    Returns
    -------
    OrderSpread

    Raises
    ------
    FpdriftError
        If an argument is out of range, or the system refuses memory or threads.
    """
    check_callable("progress", progress)
    n = check_int("n", n, 1, _LARGEST_N)
    orders = check_int("orders", orders, 1, 10**6)
    sums = thread_sums(
        n,
        chunks=min(check_int("chunks", chunks, 1, LARGEST_CHUNKS), n),
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
    """Return the sums in the orders of real programs."""
    n = len(values)
    marks = {
        "in turn": run_plan(plans.sequential(n), values),
        "from the end": run_plan(plans.reversed_(n), values),
        "pairwise": run_plan(plans.pairwise(n), values),
        "numpy.sum": np.sum(values),
    }
    for run in sums.runs:
        name = "1 thread" if run.threads == 1 else f"{run.threads} threads"
        marks[name] = np.unique(run.values)
    return {name: read_only(np.atleast_1d(mark)) for name, mark in marks.items()}
