"""Measure how much the results of one operation vary, as in Shanmugavelu et al. 2024.

"Impacts of floating-point non-associativity on reproducibility for HPC and deep learning
applications" (SC24 workshops; arXiv 2408.05148) compares each result with that of a deterministic
implementation. All three measures are 0 for equal bits. Minus zero instead of zero counts as
different, but with a relative variation of 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from fpdrift.floats import same_bits
from fpdrift.reduction.gpu._results import GpuRun
from fpdrift.serialization import read_only

_Array = npt.NDArray[Any]


def scalar_variability(result: Any, reference: Any) -> float:
    """Return V_s = 1 - abs(result / reference) for two sums.

    It is computed as (abs(reference) - abs(result)) / abs(reference): the difference of two close
    numbers is exact, whereas 1 - abs(quotient) would round away the quantity of interest.
    """
    with np.errstate(all="ignore"):
        expected, got = np.abs(np.float64(reference)), np.abs(np.float64(result))
        return 0.0 if expected == got else float((expected - got) / expected)


def count_variability(result: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Return V_c, the fraction of elements whose bits differ, for two arrays of one dtype."""
    return float(np.mean(~same_bits(result, reference)))


def mean_relative_variation(result: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Return V_ermv, the mean of abs(reference - result) / abs(reference) over all elements.

    Equal elements count as 0, including pairs of zeros and pairs of NaNs.
    """
    with np.errstate(all="ignore"):
        expected, got = (np.asarray(x).astype(np.float64) for x in (reference, result))
        same = (expected == got) | (np.isnan(expected) & np.isnan(got))
        return float(np.mean(np.where(same, 0, np.abs(expected - got) / np.abs(expected))))


class Tally:
    """Variability of an operation's results against a reference, updated one result at a time."""

    def __init__(self, reference: npt.ArrayLike) -> None:
        self.reference = np.asarray(reference)
        self.sums: list[Any] = []
        self.digests: set[str] = set()
        self.counts: list[float] = []
        self.variations: list[float] = []

    def add(self, result: npt.ArrayLike) -> None:
        """Add a result, in the reference's shape and dtype."""
        array = np.ascontiguousarray(result)
        self.digests.add(xxhash.xxh3_128_hexdigest(array.tobytes()))
        self.counts.append(count_variability(array.reshape(self.reference.shape), self.reference))
        self.variations.append(mean_relative_variation(array, self.reference))
        if self.reference.size == 1:
            self.sums.append(array.reshape(())[()])

    def run(
        self,
        operation: str,
        n: int,
        *,
        deterministic: bool,
        reference_is: str,
        function: str | None = None,
    ) -> GpuRun:
        """Return the results as a run."""
        single = self.reference.size == 1
        reference = self.reference.reshape(-1)[0]
        v_s = [scalar_variability(value, reference) for value in self.sums]
        return GpuRun(
            operation=operation,
            n=n,
            outputs=self.reference.size,
            deterministic=deterministic,
            reference_is=reference_is,
            reference=reference if single else None,
            values=read_only(self.sums, self.reference.dtype) if single else None,
            distinct=len(self.digests),
            v_s=read_only(v_s, np.float64) if single else None,
            v_c=read_only(self.counts, np.float64),
            v_ermv=read_only(self.variations, np.float64),
            function=function,
        )
