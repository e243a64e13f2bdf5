"""Results of threads: values, orders of arrival and errors; the spread and cost of strategies."""

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
    """Many sums of the same numbers with one thread count."""

    threads: int
    #: the exact sum of the numbers, rounded once to float64
    exact: float
    #: (tries,) sums in the dtype, partial sums added as they arrived
    values: npt.NDArray[Any]
    #: (tries,) sums of the same partial sums, added from the first chunk to the last
    fixed: npt.NDArray[Any]
    #: (tries, chunks) indices of the chunks in the order in which they arrived
    arrivals: npt.NDArray[Any]

    @property
    def distinct(self) -> int:
        """Number of different results, by their bits."""
        return _distinct(self.values)

    @property
    def distinct_fixed(self) -> int:
        """Number of different results in the fixed order: one, unless there is another cause."""
        return _distinct(self.fixed)

    @property
    def orders(self) -> int:
        """Number of different orders of arrival."""
        return len(np.unique(self.arrivals, axis=0))

    @property
    def spread(self) -> int:
        """Distance in ulps between the smallest and the largest result."""
        return int(ulp_distance(self.values.max(), self.values.min()))

    @property
    def errors(self) -> npt.NDArray[np.float64]:
        """Signed distance of each result from the exact sum, (tries,)."""
        return self.values.astype(np.float64) - self.exact

    @property
    def ulps(self) -> npt.NDArray[np.float64]:
        """Signed distance of each result from the exact sum, in ulps of that sum, (tries,)."""
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
    """The same numbers, summed many times with several thread counts."""

    n: int
    chunks: int
    #: sums per thread count
    tries: int
    seed: int
    dtype: str
    #: xxh3 of the numbers' bytes, to check that a replay draws the same numbers
    digest: str
    #: the exact sum, rounded once to float64
    exact: float
    #: error bound for every order: gamma_(n-1) * sum(abs(x)), Higham, Accuracy and Stability,
    #: 2nd edition, eq. 4.4; infinite if n is too large for the dtype
    bound: float
    #: bound for the distance between any two orders of the same partial sums p:
    #: 2 * gamma_(chunks-1) * sum(abs(p)), from the same equation
    spread_bound: float
    runs: tuple[ThreadRun, ...]

    def run(self, threads: int) -> ThreadRun:
        """Return the run with a thread count.

        Raises
        ------
        FpdriftError
            If that thread count was not tried.
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
    """Return the run with a thread count, or raise FpdriftError with the available ones."""
    for run in runs:
        if run.threads == threads:
            return run
    tried = ", ".join(str(run.threads) for run in runs)
    message = f"no run with {short_repr(threads)} threads; choose from {tried}"
    raise FpdriftError(message)


def many(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural if needed."""
    plural = "tries" if noun == "try" else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class OperationRun(Result):
    """Many tries of one operation with one thread count."""

    threads: int
    #: (tries, ...) results in the dtype, partial results added as they arrived
    values: npt.NDArray[Any]
    #: (tries, chunks) indices of the chunks in the order in which they arrived
    arrivals: npt.NDArray[Any]

    @property
    def distinct(self) -> int:
        """Number of different results, by the bits of all their elements."""
        return len({value.tobytes() for value in self.values})

    @property
    def orders(self) -> int:
        """Number of different orders of arrival."""
        return len(np.unique(self.arrivals, axis=0))

    @property
    def spreads(self) -> npt.NDArray[np.uint64]:
        """Distance in ulps between each element's smallest and largest result, (...)."""
        return np.asarray(ulp_distance(self.values.max(axis=0), self.values.min(axis=0)))

    @property
    def spread(self) -> int:
        """The largest of `spreads`."""
        return int(self.spreads.max())

    @property
    def changing(self) -> int:
        """Number of elements that differ between tries."""
        return int(np.count_nonzero(self.spreads))

    def __repr__(self) -> str:
        return (
            f"OperationRun({many(self.threads, 'thread')}, {many(len(self.values), 'try')}: "
            f"{many(self.distinct, 'result')} within {many(self.spread, 'ulp')}, "
            f"{many(self.orders, 'order')} of arrival)"
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ThreadOperation(Result):
    """The same operation on the same numbers, many times with several thread counts."""

    #: "sum", "positive sum", "dot", "matmul", "histogram" or "scatter-add"
    operation: str
    #: number of terms: of each element of a product, of all elements of a histogram together
    n: int
    chunks: int
    #: results per thread count
    tries: int
    seed: int
    dtype: str
    #: xxh3 of the numbers' bytes, to check that a replay draws the same numbers
    digest: str
    #: (...) the exact result, each element rounded once to float64
    exact: npt.NDArray[np.float64]
    #: (...) error bound of each element for every order
    bound: npt.NDArray[np.float64]
    #: (...) the result if the chunks are added from the first to the last
    fixed: npt.NDArray[Any]
    runs: tuple[OperationRun, ...]

    def run(self, threads: int) -> OperationRun:
        """Return the run with a thread count.

        Raises
        ------
        FpdriftError
            If that thread count was not tried.
        """
        run: OperationRun = find_run(self.runs, threads)
        return run

    def errors(self, threads: int) -> npt.NDArray[np.float64]:
        """Return the signed distance of each result with a thread count from the exact one."""
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
    """The spread of one set of partial sums over orders, in ulps of its exact sum."""

    n: int
    chunks: int
    #: the exact result, rounded once to float64
    exact: float
    #: spacing of the dtype's floats at `exact`
    ulp: float
    #: distance between the smallest and the largest result of real threads
    threads_spread: float
    #: number of different results of threads, and of their orders of arrival
    threads_results: int
    threads_orders: int
    #: distance between the smallest and the largest result of random orders
    drawn_spread: float
    drawn_results: int
    #: 2 * sqrt(chunks - 1) * u * sum(abs(p)): expected if rounding errors cancel by chance
    law: float
    #: 2 * gamma_(chunks-1) * sum(abs(p)): bound for any two orders of the partial sums p
    bound: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SpreadGrowth(Result):
    """Growth of the spread over orders with the count of numbers and with the chunks."""

    operation: str
    dtype: str
    seed: int
    #: number of threads, and of their results for each point
    threads: int
    tries: int
    #: number of random orders for each point
    drawn: int
    #: one point for each n and number of chunks, in this order
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
    """One strategy for adding the parts of threads, and its cost."""

    #: "order of arrival", "fixed order", "float64 accumulator" or "reproducible"
    name: str
    #: whether it gives the same bits in every order, by design
    same_bits: bool
    #: number of different results over all tries and thread counts
    results: int
    #: largest distance in ulps between two results of an element
    spread: int
    #: largest distance of an element from the exact one, in ulps of the exact one
    error: float
    #: median ratio of its time to that of the order of arrival, in the same run
    times_arrival: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Strategies(Result):
    """Comparison of strategies for reproducible results."""

    operation: str
    n: int
    chunks: int
    seed: int
    dtype: str
    #: thread counts that were tried; times are those of the last
    threads: tuple[int, ...]
    #: results per strategy, thread count and round; and number of rounds
    tries: int
    rounds: int
    rows: tuple[Strategy, ...]

    def row(self, name: str) -> Strategy:
        """Return the row of a strategy.

        Raises
        ------
        FpdriftError
            If there is no such strategy.
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


#: How screens and figures call the real orders whose names in a result are less clear.
ORDER_NAMES = {"in turn": "first to last", "from the end": "last to first"}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class OrderSpread(Result):
    """One set of numbers, added one after the other in many random orders."""

    n: int
    seed: int
    dtype: str
    #: the exact sum, rounded once to float64
    exact: float
    #: spacing of the dtype's floats at `exact`
    ulp: float
    #: (orders,) sums in the dtype
    values: npt.NDArray[Any]
    #: name of a real order -> its different sums, (k,) of the dtype
    marks: dict[str, npt.NDArray[Any]]
    #: sqrt(n - 1) * u * sum(abs(x)): expected if rounding errors cancel by chance
    law: float
    #: gamma_(n-1) * sum(abs(x)): error bound for every order
    bound: float

    @property
    def ulps(self) -> npt.NDArray[np.float64]:
        """Signed distance of each sum from the exact one, in ulps of that, (orders,)."""
        return self.in_ulps(self.values)

    @property
    def distinct(self) -> int:
        """Number of different sums."""
        return len(np.unique(self.values))

    def in_ulps(self, sums: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the signed distance of sums, such as a mark's, from the exact one in ulps."""
        return (np.asarray(sums, np.float64) - self.exact) / self.ulp

    def __repr__(self) -> str:
        return (
            f"OrderSpread({self.n:,} {self.dtype}, {many(len(self.values), 'order')}: "
            f"{many(self.distinct, 'result')} from {self.ulps.min():.1f} to "
            f"{self.ulps.max():.1f} ulps; {', '.join(self.marks)})"
        )
