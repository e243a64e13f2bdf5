"""What threads left behind of a dot product, a matrix product or a histogram.

What threads left behind: results, orders of arrival, and how far each is from the truth.

What came of comparing orders: how far they spread, and what the same bits cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import bits_of, ulp_at, ulp_distance
from fpdrift.serialization import Result
from fpdrift.validation import check_choice


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ThreadRun(Result):
    """Many sums of the same numbers by one number of threads."""

    threads: int
    #: the exact sum of the numbers, rounded once to float64
    exact: float
    #: (tries,) sums in the dtype, partial sums added as they arrived
    values: npt.NDArray[Any]
    #: (tries,) sums of the same partial sums, added from the first chunk to the last
    fixed: npt.NDArray[Any]
    #: (tries, chunks) numbers of the chunks in the order in which they arrived
    arrivals: npt.NDArray[Any]

    @property
    def distinct(self) -> int:
        """How many different results, by their bits."""
        return _distinct(self.values)

    @property
    def distinct_fixed(self) -> int:
        """How many different results in the fixed order: one, if nothing else is at work."""
        return _distinct(self.fixed)

    @property
    def orders(self) -> int:
        """How many different orders of arrival."""
        return len(np.unique(self.arrivals, axis=0))

    @property
    def spread(self) -> int:
        """Distance in ulps between the smallest and the largest result."""
        return int(ulp_distance(self.values.max(), self.values.min()))

    @property
    def errors(self) -> npt.NDArray[np.float64]:
        """Distance of each result from the exact sum, (tries,), signed."""
        return self.values.astype(np.float64) - self.exact

    @property
    def ulps(self) -> npt.NDArray[np.float64]:
        """Distance of each result from the exact sum in ulps of the latter, (tries,), signed."""
        return self.errors / self.ulp

    @property
    def fixed_ulps(self) -> npt.NDArray[np.float64]:
        """The same for the fixed order."""
        return (self.fixed.astype(np.float64) - self.exact) / self.ulp

    @property
    def ulp(self) -> float:
        """Spacing of the dtype's floats at the exact sum."""
        return float(ulp_at(self.exact, self.values.dtype))

    def __repr__(self) -> str:
        return (
            f"ThreadRun({many(self.threads, 'thread')}, {many(len(self.values), 'try')}: "
            f"{many(self.distinct, 'result')} within {many(self.spread, 'ulp')}, "
            f"{many(self.orders, 'order')} of arrival)"
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ThreadSums(Result):
    """The same numbers, summed many times by several numbers of threads."""

    n: int
    chunks: int
    #: sums per number of threads
    tries: int
    seed: int
    dtype: str
    #: xxh3 of the numbers' bytes: whether a replay draws the same
    digest: str
    #: the exact sum, rounded once to float64
    exact: float
    #: no order whatever can be further from the exact sum: gamma_(n-1) * sum(abs(x)), Higham,
    #: Accuracy and Stability, 2nd edition, eq. 4.4; infinite where n is too large for the dtype
    bound: float
    #: no two orders of the same partial sums p can be further apart: 2 * gamma_(chunks-1) *
    #: sum(abs(p)), from the same equation
    spread_bound: float
    runs: tuple[ThreadRun, ...]

    def run(self, threads: int) -> ThreadRun:
        """Return the run of one number of threads.

        Raises
        ------
        FpdriftError
            If that number was not tried.
        """
        run: ThreadRun = find_run(self.runs, threads)
        return run

    def __repr__(self) -> str:
        runs = "; ".join(
            f"{many(run.threads, 'thread')}: {many(run.distinct, 'result')}" for run in self.runs
        )
        return f"ThreadSums({self.n:,} {self.dtype} in {self.chunks} chunks; {runs})"


def _distinct(values: npt.NDArray[Any]) -> int:
    return len(np.unique(bits_of(values)))


def find_run(runs: tuple[Any, ...], threads: Any) -> Any:
    """Return the run of a number of threads, or say which there are."""
    for run in runs:
        if run.threads == threads:
            return run
    tried = ", ".join(str(run.threads) for run in runs)
    message = f"no run with {short_repr(threads)} threads; there are runs with {tried}"
    raise FpdriftError(message)


def many(count: int, noun: str) -> str:
    """Write a number with its noun."""
    plural = "tries" if noun == "try" else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class OperationRun(Result):
    """Many tries of one operation by one number of threads."""

    threads: int
    #: (tries, ...) results in the dtype, partial results added as they arrived
    values: npt.NDArray[Any]
    #: (tries, chunks) numbers of the chunks in the order in which they arrived
    arrivals: npt.NDArray[Any]

    @property
    def distinct(self) -> int:
        """How many different results, by the bits of all their elements."""
        return len({value.tobytes() for value in self.values})

    @property
    def orders(self) -> int:
        """How many different orders of arrival."""
        return len(np.unique(self.arrivals, axis=0))

    @property
    def spreads(self) -> npt.NDArray[np.uint64]:
        """Distance in ulps between each element's smallest and largest result, (...)."""
        return np.asarray(ulp_distance(self.values.max(axis=0), self.values.min(axis=0)))

    @property
    def spread(self) -> int:
        """The largest of them."""
        return int(self.spreads.max())

    @property
    def changing(self) -> int:
        """How many elements of the result did not come out the same in all tries."""
        return int(np.count_nonzero(self.spreads))

    def __repr__(self) -> str:
        return (
            f"OperationRun({many(self.threads, 'thread')}, {many(len(self.values), 'try')}: "
            f"{many(self.distinct, 'result')} within {many(self.spread, 'ulp')}, "
            f"{many(self.orders, 'order')} of arrival)"
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ThreadOperation(Result):
    """The same operation on the same numbers, many times by several numbers of threads."""

    #: "sum", "positive sum", "dot", "matmul", "histogram" or "scatter-add"
    operation: str
    #: how many terms: of each element of a product, of all elements of a histogram together
    n: int
    chunks: int
    #: results per number of threads
    tries: int
    seed: int
    dtype: str
    #: xxh3 of the numbers' bytes: whether a replay draws the same
    digest: str
    #: (...) the exact result, each element rounded once to float64
    exact: npt.NDArray[np.float64]
    #: (...) no order whatever can take an element further from the exact one
    bound: npt.NDArray[np.float64]
    #: (...) the result of the chunks added from the first to the last
    fixed: npt.NDArray[Any]
    runs: tuple[OperationRun, ...]

    def run(self, threads: int) -> OperationRun:
        """Return the run of one number of threads.

        Raises
        ------
        FpdriftError
            If that number was not tried.
        """
        run: OperationRun = find_run(self.runs, threads)
        return run

    def errors(self, threads: int) -> npt.NDArray[np.float64]:
        """Distance of each result of one number of threads from the exact one, (tries, ...)."""
        return self.run(threads).values.astype(np.float64) - self.exact

    def __repr__(self) -> str:
        runs = "; ".join(
            f"{many(run.threads, 'thread')}: {many(run.distinct, 'result')}" for run in self.runs
        )
        shape = "x".join(map(str, self.exact.shape))
        made = f"{self.operation} to {shape}" if shape else self.operation
        return f"ThreadOperation({made}, {self.n:,} {self.dtype} in {self.chunks} chunks; {runs})"


@dataclass(frozen=True, kw_only=True, slots=True)
class GrowthPoint(Result):
    """How far apart one set of partial sums can end, in ulps of its exact sum."""

    n: int
    chunks: int
    #: the exact result, rounded once to float64
    exact: float
    #: spacing of the dtype's floats there
    ulp: float
    #: from the smallest to the largest result of real threads
    threads_spread: float
    #: how many different results threads gave, and in how many orders of arrival
    threads_results: int
    threads_orders: int
    #: from the smallest to the largest result of orders that were drawn
    drawn_spread: float
    drawn_results: int
    #: 2 * sqrt(chunks - 1) * u * sum(abs(p)): what rounding errors that cancel by chance suggest
    law: float
    #: 2 * gamma_(chunks-1) * sum(abs(p)): no two orders of the partial sums p can be further apart
    bound: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SpreadGrowth(Result):
    """How the spread over orders grows with the numbers and with the chunks."""

    operation: str
    dtype: str
    seed: int
    #: the number of threads, and how many results they gave for each point
    threads: int
    tries: int
    #: how many orders were drawn for each point
    drawn: int
    #: one for each n and number of chunks, in this order
    points: tuple[GrowthPoint, ...]

    def __repr__(self) -> str:
        widest = max(self.points, key=lambda point: point.drawn_spread)
        return (
            f"SpreadGrowth({self.operation} in {self.dtype}, {many(len(self.points), 'point')}: "
            f"up to {widest.drawn_spread:.0f} ulps at {widest.n:,} in "
            f"{many(widest.chunks, 'chunk')})"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Strategy(Result):
    """One way of adding what threads bring, and what it costs."""

    #: "order of arrival", "fixed order", "float64 accumulator" or "reproducible"
    name: str
    #: whether it gives the same bits in every order, by its design
    same_bits: bool
    #: how many different results all tries of all numbers of threads gave
    results: int
    #: the largest distance in ulps between two results of an element
    spread: int
    #: the largest distance of an element from the exact one, in ulps of the latter
    error: float
    #: median time over that of the order of arrival, in the same run
    times_arrival: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Strategies(Result):
    """Ways to the same bits, side by side."""

    operation: str
    n: int
    chunks: int
    seed: int
    dtype: str
    #: numbers of threads that were tried; times are of the last
    threads: tuple[int, ...]
    #: results of each strategy at each number of threads, in so many rounds of them
    tries: int
    rounds: int
    rows: tuple[Strategy, ...]

    def row(self, name: str) -> Strategy:
        """Return the strategy of a name.

        Raises
        ------
        FpdriftError
            If it is not there.
        """
        rows = {row.name: row for row in self.rows}
        check_choice("strategy", name, rows)
        return rows[name]

    def __repr__(self) -> str:
        rows = "; ".join(
            f"{row.name}: {many(row.results, 'result')}, {row.times_arrival:.2g} times"
            for row in self.rows
        )
        return f"Strategies({self.operation}, {self.n:,} {self.dtype}; {rows})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class OrderSpread(Result):
    """One set of numbers, added one after the other in many orders that were drawn."""

    n: int
    seed: int
    dtype: str
    #: the exact sum, rounded once to float64
    exact: float
    #: spacing of the dtype's floats there
    ulp: float
    #: (orders,) sums in the dtype
    values: npt.NDArray[Any]
    #: what real ways of adding give, by their names: (k,) different sums of the dtype
    marks: dict[str, npt.NDArray[Any]]
    #: sqrt(n - 1) * u * sum(abs(x)): what rounding errors that cancel by chance suggest
    law: float
    #: gamma_(n-1) * sum(abs(x)): no order whatever can be further from the exact sum
    bound: float

    @property
    def ulps(self) -> npt.NDArray[np.float64]:
        """Distance of each sum from the exact one, in ulps of the latter, (orders,), signed."""
        return self.in_ulps(self.values)

    @property
    def distinct(self) -> int:
        """How many different sums."""
        return len(np.unique(self.values))

    def in_ulps(self, sums: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the same for other sums, such as those of a mark."""
        return (np.asarray(sums, np.float64) - self.exact) / self.ulp

    def __repr__(self) -> str:
        return (
            f"OrderSpread({self.n:,} {self.dtype}, {many(len(self.values), 'order')}: "
            f"{many(self.distinct, 'result')} from {self.ulps.min():.1f} to "
            f"{self.ulps.max():.1f} ulps; {', '.join(self.marks)})"
        )
