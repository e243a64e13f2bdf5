"""Compare strategies for reproducible bits from threads that arrive in any order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np

from fpdrift.floats import ulp_at, ulp_distance
from fpdrift.reduction._rounding import Floats
from fpdrift.reduction.algorithms import Bins
from fpdrift.reduction.parallel._operations import Chunk, Task, add_parts
from fpdrift.reduction.parallel._results import Strategies, Strategy
from fpdrift.reduction.parallel._thread_pool import (
    Progress,
    ReductionStrategy,
    reporter,
    run_tries,
    thread_counts,
)
from fpdrift.reduction.parallel._thread_sums import in_order_of_arrival
from fpdrift.validation import check_callable, check_int

#: Strategies that give the same bits in every order by design.
_SAME_BITS = ("fixed order", "reproducible")


def strategies(
    operation: str = "sum",
    n: int | None = None,
    *,
    chunks: int = 64,
    threads: int | Sequence[int] | None = None,
    tries: int = 20,
    rounds: int = 5,
    seed: int = 1,
    dtype: str = "float32",
    progress: Progress | None = None,
) -> Strategies:
    """Run one operation with several strategies, alternately, and compare results and times.

    - *order of arrival*: each part is added as it arrives, which guarantees nothing;
    - *fixed order*: once all parts have arrived, they are added from the first to the last;
    - *float64 accumulator* (for float32 only): parts are computed and added in float64 as they
      arrive, and the total is rounded once. Orders still differ in float64, but hardly ever by
      enough to change the result, which is not guaranteed;
    - *reproducible*: each part is a sum in `Bins`, whose bits do not depend on any order.

    Parameters
    ----------
    operation, n, chunks, threads, seed, dtype, progress
        As for `thread_operation`. Times are measured with the last thread count.
    tries : int, default 20
        Results per strategy, thread count and round.
    rounds : int, default 5
        Number of rounds; the times of the strategies are compared within a round.

    Returns
    -------
    Strategies
        A row for each strategy, the order of arrival first. Here a sum in bins takes several NumPy
        calls for each element of a part, so it is slower than a compiled one.

    Raises
    ------
    FpdriftError
        If an argument is out of range, or the system refuses memory or threads.
    """
    check_callable("progress", progress)
    counts = thread_counts(threads)
    task = Task.checked(operation, n, chunks, seed, dtype)
    rounds = check_int("rounds", rounds, 1, 1000)
    tries = task.check_tries(tries, len(counts) * rounds)
    try:
        rows = _compare(task, counts, tries, rounds, progress)
    except MemoryError:
        raise task.memory_error() from None
    return Strategies(
        operation=task.operation,
        n=task.n,
        chunks=task.chunks,
        seed=task.seed,
        dtype=task.dtype,
        threads=counts,
        tries=tries,
        rounds=rounds,
        rows=rows,
    )


def _compare(
    task: Task, counts: tuple[int, ...], tries: int, rounds: int, progress: Progress | None
) -> tuple[Strategy, ...]:
    chunks, _ = task.draw()
    exact, _ = task.exact_and_bound(chunks)
    choices = _strategies_of(task, chunks)
    results: dict[str, list[Floats]] = {name: [] for name in choices}
    times: dict[str, list[float]] = {name: [] for name in choices}
    turns = _turns(list(choices), counts, rounds)
    for turn, (count, name) in enumerate(turns):
        report = reporter(progress, turn * tries, len(turns) * tries)
        began = time.perf_counter()
        totals, _ = run_tries(choices[name], task.chunks, count, tries, report)
        if count == counts[-1]:
            times[name].append(time.perf_counter() - began)
        results[name] += totals
    return tuple(
        _row(name, np.stack(results[name]), exact, times[name], times["order of arrival"])
        for name in choices
    )


def _turns(names: list[str], counts: tuple[int, ...], rounds: int) -> list[tuple[int, str]]:
    """Start each round with a different strategy, since the previous one affects the cache."""
    turns = []
    for turn in range(rounds):
        first = turn % len(names)
        order = names[first:] + names[:first]
        turns += [(count, name) for count in counts for name in order]
    return turns


def _strategies_of(task: Task, chunks: list[Chunk]) -> dict[str, ReductionStrategy]:
    arrival = in_order_of_arrival(task, chunks)
    choices = {"order of arrival": arrival, "fixed order": _in_fixed_order(task, arrival)}
    if task.dtype == "float32":
        choices["float64 accumulator"] = in_order_of_arrival(task, chunks, accumulator="float64")
    choices["reproducible"] = _in_bins(task, chunks)
    return choices


def _in_fixed_order(task: Task, arrival: ReductionStrategy) -> ReductionStrategy:
    def keep(waiting: dict[int, Any], chunk: int, part: Any) -> dict[int, Any]:
        waiting[chunk] = part
        return waiting

    def finish(waiting: dict[int, Any]) -> Floats:
        return add_parts(task, [waiting[chunk] for chunk in range(task.chunks)])

    return ReductionStrategy(begin=dict, part=arrival.part, add=keep, finish=finish)


def _in_bins(task: Task, chunks: list[Chunk]) -> ReductionStrategy:
    def part(chunk: int) -> list[Bins]:
        return [Bins.of(terms.ravel()) for terms in task.kind.terms(chunks[chunk])]

    def add(total: list[Bins], _chunk: int, part: list[Bins]) -> list[Bins]:
        return [a + b for a, b in zip(total, part, strict=True)]

    def finish(total: list[Bins]) -> Floats:
        return np.reshape([bins.total(task.dtype) for bins in total], task.kind.shape)

    return ReductionStrategy(
        begin=lambda: [Bins()] * task.elements, part=part, add=add, finish=finish
    )


def _row(
    name: str, values: Floats, exact: Floats, times: list[float], arrival: list[float]
) -> Strategy:
    errors = np.abs(values.astype(np.float64) - exact) / ulp_at(exact, values.dtype)
    return Strategy(
        name=name,
        same_bits=name in _SAME_BITS,
        results=len({value.tobytes() for value in values}),
        spread=int(np.max(ulp_distance(values.max(axis=0), values.min(axis=0)))),
        error=float(errors.max()),
        times_arrival=median(own / other for own, other in zip(times, arrival, strict=True)),
    )
