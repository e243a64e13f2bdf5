"""How long a difference lasts: which nudges are absorbed, and when.

Kaplan and Meier, "Nonparametric estimation from incomplete observations" (1958), for the share that
is still there; Greenwood, "The natural duration of cancer" (1926), for its variance, on the scale
of log(-log), which keeps an interval between 0 and 1; Wilson, "Probable inference, the law of
succession, and statistical inference" (1927), for a count.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.drift.parting import common_steps
from fpdrift.errors import FpdriftError, shown
from fpdrift.results import Result, read_only

if TYPE_CHECKING:
    import os

    import numpy.typing as npt

    from fpdrift.records.record import Record

    Floats = npt.NDArray[np.float64]

#: 97.5 % point of the normal distribution.
_Z = 1.959963984540054


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Survival(Result):
    """Which share of differences is still there after how many steps; arrays are read-only.

    A share holds from its step up to the next one. Intervals are at 95 %, each for one step.
    """

    #: steps at which a difference was absorbed, ascending (k,)
    steps: npt.NDArray[np.int64]
    #: differences that were there and watched until then (k,)
    at_risk: npt.NDArray[np.int64]
    #: of them absorbed at that step (k,)
    absorbed: npt.NDArray[np.int64]
    #: share that is left (k,)
    share: npt.NDArray[np.float64]
    #: its interval; 0 to 1 where nothing is left, since Greenwood's variance is none there (k,)
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    #: steps after which the watching of a difference ended that was still there, ascending (c,)
    censored: npt.NDArray[np.int64]
    #: differences watched
    n: int

    @property
    def events(self) -> int:
        """How many were absorbed."""
        return int(self.absorbed.sum())

    @property
    def absorbed_interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share that is absorbed while it is watched."""
        return wilson(self.events, self.n)

    @property
    def median(self) -> int | None:
        """First step at which at most half are left; None if more than that last."""
        below = np.flatnonzero(self.share <= 0.5)
        return int(self.steps[below[0]]) if len(below) else None

    def __repr__(self) -> str:
        return f"Survival({self})"

    def __str__(self) -> str:
        low, high = self.absorbed_interval
        half = "more than half last" if self.median is None else f"half by step {self.median}"
        return f"{self.events} of {self.n} absorbed ({low:.0%} to {high:.0%}), {half}"


def survival_curve(durations: Any, events: Any) -> Survival:
    """Estimate how the share of differences that are still there falls with the steps.

    A difference that is absorbed and one whose watching ends, both after the same step, count as
    absorbed first: the other one was still there.

    Parameters
    ----------
    durations : (n,) array_like of int
        Steps for which each difference was there and watched, 0 or more; 0 with an event is a
        nudge that left no bit behind.
    events : (n,) array_like of bool
        Whether it was absorbed then; False if it was still there when the watching ended.

    Returns
    -------
    Survival

    Raises
    ------
    FpdriftError
        If there is no pair, the lengths differ, a duration is no such number or an event neither
        True nor False.
    """
    durations, events = _pairs(durations, events)
    steps, absorbed = np.unique(durations[events], return_counts=True)
    at_risk = len(durations) - np.searchsorted(np.sort(durations), steps)
    share = np.cumprod(1 - absorbed / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore"):  # where nothing is left
        variance = np.cumsum(absorbed / (at_risk * (at_risk - absorbed)), dtype=np.float64)
    low, high = _log_log_interval(share, variance)
    return Survival(
        steps=read_only(steps),
        at_risk=read_only(at_risk),
        absorbed=read_only(absorbed),
        share=read_only(share),
        low=read_only(low),
        high=read_only(high),
        censored=read_only(np.sort(durations[~events])),
        n=len(durations),
    )


def lasting(
    a: Record | str | os.PathLike[str], b: Record | str | os.PathLike[str]
) -> tuple[int, bool]:
    """Tell for how many steps two runs differ in their bits, and whether they have re-merged.

    Of many pairs these are the durations and events of `survival_curve`.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records of one model, from one step on, or the files that hold them.

    Returns
    -------
    steps : int
        From their first common step to that from which all bits are equal; if they never are, to
        the last common one.
    merged : bool
        Whether all bits are equal at the last one.

    Raises
    ------
    FpdriftError
        As `compare`.
    """
    _, _, steps, apart = common_steps(a, b)
    differs = np.flatnonzero(apart.any(axis=1))
    if not len(differs):
        return 0, True
    merged = bool(differs[-1] < len(steps) - 1)
    return int(steps[differs[-1] + merged] - steps[0]), merged


def wilson(count: int, n: int) -> tuple[float, float]:
    """Give Wilson's 95 % interval of a share of which `count` out of `n` were seen.

    Raises
    ------
    FpdriftError
        If `n` is below 1 or `count` not from 0 to `n`.
    """
    if not 0 <= count <= n or n < 1:
        message = f"{shown(count)} of {shown(n)} is no share; give 0 to n out of at least 1"
        raise FpdriftError(message)
    share, z2 = count / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # rounding must not exclude a share that was seen
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def _log_log_interval(share: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Give share ** exp(-+z * error), where the error is that of log(-log(share))."""
    low, high = np.zeros_like(share), np.ones_like(share)
    inner = (share > 0) & (share < 1)
    s = share[inner]
    factor = np.exp(_Z * np.sqrt(variance[inner]) / -np.log(s))
    low[inner], high[inner] = s**factor, s ** (1 / factor)
    return low, high


def _pairs(durations: Any, events: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    try:
        steps, given = np.array(durations), np.array(events)
    except ValueError:  # rows of several lengths
        steps = given = np.empty((0, 0))
    # a bool is an integer to NumPy too
    numbers = steps.dtype.kind in "iu" and given.dtype.kind == "b"
    if not numbers or steps.ndim != 1 or not steps.size or given.shape != steps.shape:
        message = (
            f"durations {shown(durations)} and events {shown(events)}; "
            "give a whole number and True or False for each difference"
        )
        raise FpdriftError(message)
    wrong = steps[(steps < 0) | (steps >= 1 << 53)]
    if len(wrong):
        message = f"a duration is {shown(int(wrong[0]))}; count its steps, from 0 on"
        raise FpdriftError(message)
    return steps.astype(np.int64), given
