"""What threads left behind of a dot product, a matrix product or a histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.floats import format_of, ulp_distance
from fpdrift.reduction.threads.threadsums import find_run, many
from fpdrift.results import Result


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
        """Give the run of one number of threads.

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


def ulp_at(exact: Any, dtype: Any) -> npt.NDArray[np.float64]:
    """Give the spacing of a dtype's floats at some exact numbers, of the same shape."""
    fmt = format_of(dtype)
    exponents = np.where(np.equal(exact, 0), fmt.emin, np.frexp(exact)[1] - 1)
    spacing: npt.NDArray[np.float64] = np.ldexp(
        1.0, np.maximum(exponents, fmt.emin) - fmt.fraction_bits
    )
    return spacing
