"""What came of comparing orders: how far they spread, and what the same bits cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.checks import check_choice
from fpdrift.reduction.threads.threadsums import many
from fpdrift.results import Result


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
        """Give the strategy of a name.

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
        """Give the same for other sums, such as those of a mark."""
        return (np.asarray(sums, np.float64) - self.exact) / self.ulp

    def __repr__(self) -> str:
        return (
            f"OrderSpread({self.n:,} {self.dtype}, {many(len(self.values), 'order')}: "
            f"{many(self.distinct, 'result')} from {self.ulps.min():.1f} to "
            f"{self.ulps.max():.1f} ulps; {', '.join(self.marks)})"
        )
