"""What threads left behind: results, orders of arrival, and how far each is from the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import format_of, ulp_distance
from fpdrift.results import Result


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
        fmt = format_of(self.values.dtype)
        exponent = math.frexp(self.exact)[1] - 1 if self.exact else fmt.emin
        return math.ldexp(1.0, max(exponent, fmt.emin) - fmt.fraction_bits)

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
        """Give the run of one number of threads.

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
    return len(np.unique(values.view(f"uint{8 * values.itemsize}")))


def find_run(runs: tuple[Any, ...], threads: Any) -> Any:
    """Give the run of a number of threads, or say which there are."""
    for run in runs:
        if run.threads == threads:
            return run
    tried = ", ".join(str(run.threads) for run in runs)
    message = f"no run with {shown(threads)} threads; there are runs with {tried}"
    raise FpdriftError(message)


def many(count: int, noun: str) -> str:
    """Write a number with its noun."""
    plural = "tries" if noun == "try" else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"
