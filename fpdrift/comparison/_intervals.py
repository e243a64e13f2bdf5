"""Confidence intervals for few runs, by methods whose coverage was checked in simulation.

Distances between runs scatter over decades, like lognormal numbers: with six runs, Student's t and
bootstrap intervals of such a mean cover half as often as they promise. The order statistics of a
median (Thompson, "On confidence ranges for the median and other expectation distributions", 1936)
have the promised coverage for every distribution, and the interval of Clopper and Pearson ("The use
of confidence or fiducial limits illustrated in the case of the binomial", 1934) for every share.
With too few runs there is no interval. See ``docs/intervals.md`` for the simulated coverage.
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

#: Confidence level of every interval.
CONFIDENCE = 0.95
#: Fewest runs for an interval: even the whole range of five runs covers the median in only 94 %.
FEWEST = 6
#: 97.5 % point of the normal distribution.
_Z = 1.959963984540054


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval(Result):
    """A 95 % interval and its method, or the reason why there is none. True if there is one."""

    #: NaN if there is no interval
    low: float
    high: float
    #: name of the method, for a caption; None if there is no interval
    method: str | None
    #: why there is no interval; None if there is one
    reason: str | None = None

    def __bool__(self) -> bool:
        return self.method is not None

    def __repr__(self) -> str:
        text = f"{self.low:.2g} to {self.high:.2g}, {self.method}" if self else self.reason
        return f"Interval({text})"


def median_interval(
    values: Sequence[float], pairs: Sequence[tuple[Hashable, Hashable]] | None = None
) -> Interval:
    """Return a confidence interval for the median of the population of runs.

    Parameters
    ----------
    values : sequence of float
        One value for each run, or for each pair of runs.
    pairs : sequence of (hashable, hashable), optional
        The two runs of each value. Pairs that share a run are not independent.

    Returns
    -------
    Interval
        Without bounds for fewer than 6 values, values that are NaN, or pairs that share a run.
    """
    shared = _shared_runs(pairs or ())
    if shared:
        return no_interval(f"{shared[0]} is in several pairs, so they are not independent")
    if len(values) < FEWEST:
        return no_interval(f"{len(values)} runs; an interval needs {FEWEST}")
    if any(map(math.isnan, values)):
        return no_interval("a value is not finite")
    from scipy.stats import binom

    n, ordered = len(values), sorted(values)
    below = int(binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))  # the smallest count that is likely enough
    return Interval(
        low=ordered[below - 1], high=ordered[n - below], method="order statistics of the median"
    )


def share_interval(count: int, n: int) -> Interval:
    """Return a confidence interval for a share, given `count` out of `n` independent cases.

    Raises
    ------
    FpdriftError
        If `n` is below 1 or `count` not from 0 to `n`.
    """
    if not 0 <= count <= n or n < 1:
        message = (
            f"{short_repr(count)} of {short_repr(n)} is not a share; pass a count from 0 to n and "
            "n of at least 1"
        )
        raise FpdriftError(message)
    if n < FEWEST:
        return no_interval(f"{n} cases; an interval needs {FEWEST}")
    from scipy.stats import binomtest

    found = binomtest(count, n).proportion_ci(CONFIDENCE, "exact")
    return Interval(low=float(found.low), high=float(found.high), method="Clopper-Pearson")


def no_interval(reason: str) -> Interval:
    """Return an interval without bounds, with the reason."""
    return Interval(low=math.nan, high=math.nan, method=None, reason=reason)


def log_log_band(share: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return share ** exp(-+z * error), where error is the standard error of log(-log(share)).

    Parameters
    ----------
    share, variance : (k,) float64
        Surviving shares, and Greenwood's sum for each. The band is 0 to 1 where the share is 0 or
        1.
    """
    low, high = np.zeros_like(share), np.ones_like(share)
    inner = (share > 0) & (share < 1)
    s = share[inner]
    factor = np.exp(_Z * np.sqrt(variance[inner]) / -np.log(s))
    low[inner], high[inner] = s**factor, s ** (1 / factor)
    return low, high


def leader(columns: Sequence[Sequence[float]]) -> int | None:
    """Return the column that exceeds every other one, row by row, more often than by chance.

    This is a sign test at 5 %. It is two-sided because the largest column is chosen after looking
    at the data, so it needs at least six rows. For two columns from the same distribution it
    returns one in at most 5 % of the cases.

    Parameters
    ----------
    columns : sequence of sequence of float
        The columns to rank, with n rows each; values in the same row may share a run.

    Returns
    -------
    int or None
        Index of the column; None if there is no such column, or only one column.
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


def _shared_runs(pairs: Sequence[tuple[Hashable, Hashable]]) -> list[Hashable]:
    seen = Counter(run for pair in pairs for run in dict.fromkeys(pair))
    return [run for run, times in seen.items() if times > 1]
