"""Intervals of few runs, each by a method that was seen to cover; none where too few runs carry it.

Distances of runs scatter over decades, as lognormal numbers do: at six runs Student's t and the
bootstrap of such a mean cover half as often as they promise. The order statistics of a median
(Thompson, "On confidence ranges for the median and other expectation distributions", 1936) cover
whatever the distribution, a share's interval after Clopper and Pearson ("The use of confidence or
fiducial limits illustrated in the case of the binomial", 1934) whatever the share. What each
covers in simulation stands in ``docs/intervals.md``.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.serialization import Result

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

#: Of every interval.
CONFIDENCE = 0.95
#: Runs below which there is no interval: even from the smallest to the largest of five holds the
#: median in 94 % only.
FEWEST = 6
#: 97.5 % point of the normal distribution.
_Z = 1.959963984540054


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval(Result):
    """A 95 % interval and its method; or none, and why. It is true where there is one."""

    #: NaN where there is none
    low: float
    high: float
    #: how it was found, for a caption; None where there is none
    method: str | None
    #: why there is none
    reason: str | None = None

    def __bool__(self) -> bool:
        return self.method is not None

    def __repr__(self) -> str:
        told = f"{self.low:.2g} to {self.high:.2g}, {self.method}" if self else self.reason
        return f"Interval({told})"


def median_interval(
    values: Sequence[float], pairs: Sequence[tuple[Hashable, Hashable]] | None = None
) -> Interval:
    """Return the interval of the median of which some runs' figures are a sample.

    Parameters
    ----------
    values : sequence of float
        A figure of each run, or of each pair of runs.
    pairs : sequence of (hashable, hashable), optional
        The two runs of each figure. Pairs that share a run are not independent.

    Returns
    -------
    Interval
        None of fewer than 6 figures, of figures that are NaN, or of pairs that share a run.
    """
    shared = _shared(pairs or ())
    if shared:
        return no_interval(f"{shared[0]} is in several pairs, so they are not independent")
    if len(values) < FEWEST:
        return no_interval(f"{len(values)} of the {FEWEST} runs that an interval needs")
    if any(map(math.isnan, values)):
        return no_interval("a run left the finite numbers")
    from scipy.stats import binom

    n, ordered = len(values), sorted(values)
    below = int(binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))  # the first count that is not too rare
    return Interval(
        low=ordered[below - 1], high=ordered[n - below], method="order statistics of the median"
    )


def share_interval(count: int, n: int) -> Interval:
    """Return the interval of a share of which `count` out of `n` independent cases were seen.

    Raises
    ------
    FpdriftError
        If `n` is below 1 or `count` not from 0 to `n`.
    """
    if not 0 <= count <= n or n < 1:
        message = (
            f"{short_repr(count)} of {short_repr(n)} is no share; give 0 to n out of at least 1"
        )
        raise FpdriftError(message)
    if n < FEWEST:
        return no_interval(f"{n} of the {FEWEST} cases that an interval needs")
    from scipy.stats import binomtest

    found = binomtest(count, n).proportion_ci(CONFIDENCE, "exact")
    return Interval(low=float(found.low), high=float(found.high), method="Clopper-Pearson")


def no_interval(reason: str) -> Interval:
    """Return the interval that is not given, with the reason why."""
    return Interval(low=math.nan, high=math.nan, method=None, reason=reason)


def log_log_band(share: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return share ** exp(-+z * error), where the error is that of log(-log(share)).

    Parameters
    ----------
    share, variance : (k,) float64
        Shares that are left, and Greenwood's sum for each; 0 to 1 where the share is 0 or 1.
    """
    low, high = np.zeros_like(share), np.ones_like(share)
    inner = (share > 0) & (share < 1)
    s = share[inner]
    factor = np.exp(_Z * np.sqrt(variance[inner]) / -np.log(s))
    low[inner], high[inner] = s**factor, s ** (1 / factor)
    return low, high


def leader(columns: Sequence[Sequence[float]]) -> int | None:
    """Return which column exceeds each other one, row by row, by more than chance explains.

    A sign test at 5 %, two-sided, since the largest is chosen after looking; so six rows at least.
    Between two columns that are alike it names one in 5 % or fewer.

    Parameters
    ----------
    columns : sequence of sequence of float
        What is ranked, each in the same n rows; what shares a row may share a run.

    Returns
    -------
    int or None
        Its index; None where no column does, or there is no other one.
    """
    if len(columns) < 2:
        return None
    from scipy.stats import binomtest

    table = np.array(columns, np.float64)
    best = int(np.argmax(np.median(table, axis=1)))
    larger = (table[best] > np.delete(table, best, axis=0)).sum(axis=1)
    n = table.shape[1]
    ahead = 2 * larger.min() > n
    return best if ahead and binomtest(int(larger.min()), n).pvalue <= 1 - CONFIDENCE else None


def _shared(pairs: Sequence[tuple[Hashable, Hashable]]) -> list[Hashable]:
    seen = Counter(run for pair in pairs for run in dict.fromkeys(pair))
    return [run for run, times in seen.items() if times > 1]
