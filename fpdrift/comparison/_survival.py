"""How long a difference lasts: which nudges are absorbed, and when.

Kaplan and Meier, "Nonparametric estimation from incomplete observations" (1958), for the share that
is still there; Greenwood, "The natural duration of cancer" (1926), for its variance, on the scale
of log(-log), which keeps an interval between 0 and 1. That has no width where nothing was absorbed
yet; there, and for a count, stands the interval of Clopper and Pearson.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.comparison._compare import common_steps
from fpdrift.comparison._intervals import FEWEST, Interval, log_log_band, share_interval
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.serialization import Result, read_only

if TYPE_CHECKING:
    import os

    import numpy.typing as npt

    from fpdrift.records import Record

#: Half, as far as it can be told from a product of rounded shares.
_HALF = 0.5 + 1e-9


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
    #: its interval; 0 to 1 where nothing is left, since Greenwood's variance is none there; NaN of
    #: fewer than 6 differences (k,)
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
    def absorbed_interval(self) -> Interval:
        """The interval of the share that is absorbed while it is watched."""
        return share_interval(self.events, self.n)

    @property
    def median(self) -> int | None:
        """First step at which at most half are left; None if more than that last."""
        for row in np.flatnonzero(self.share <= _HALF):
            # a product of rounded shares may miss one half by an ulp: the counts themselves decide
            if self.share[row] < 1 - _HALF or self._halved(int(row)):
                return int(self.steps[row])
        return None

    def _halved(self, row: int) -> bool:
        """Tell from whole numbers whether at most half are left."""
        at_risk, absorbed = (x[: row + 1].tolist() for x in (self.at_risk, self.absorbed))
        left = math.prod(risk - gone for risk, gone in zip(at_risk, absorbed, strict=True))
        return bool(2 * left <= math.prod(at_risk))

    def band(self, step: int) -> tuple[float, float]:
        """Return the interval of the share that is left at a step; NaN of fewer than 6 differences.

        Until the first is absorbed it is that of none out of those that were watched until then.
        """
        if self.n < FEWEST:
            return math.nan, math.nan
        row = int(np.searchsorted(self.steps, step, side="right")) - 1
        if row >= 0:
            return float(self.low[row]), float(self.high[row])
        last = self.at_risk[0] if len(self.steps) else (self.censored == self.censored[-1]).sum()
        return 1 - share_interval(0, int(last)).high, math.nan if last < FEWEST else 1.0

    def __repr__(self) -> str:
        return f"Survival({self})"

    def __str__(self) -> str:
        half = "more than half last" if self.median is None else f"half by step {self.median}"
        its = self.absorbed_interval
        between = f" ({its.low:.0%} to {its.high:.0%}, 95 % {its.method})" if its else ""
        return f"{self.events} of {self.n} absorbed{between}, {half}"


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
    # scipy.stats.ecdf has the same formulas, but a third of its shares end in other bits than those
    # of saved results, and its interval warns where nothing is left
    share = np.cumprod(1 - absorbed / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore"):  # where nothing is left
        variance = np.cumsum(absorbed / (at_risk * (at_risk - absorbed)), dtype=np.float64)
    low, high = log_log_band(share, variance)
    if len(durations) < FEWEST:
        low, high = (np.full_like(share, math.nan) for _ in range(2))
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
    """Report for how many steps two runs differ in their bits, and whether they have re-merged.

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


def _pairs(durations: Any, events: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    try:
        steps, given = np.array(durations), np.array(events)
    except ValueError:  # rows of several lengths
        steps = given = np.empty((0, 0))
    # a bool is an integer to NumPy too
    numbers = steps.dtype.kind in "iu" and given.dtype.kind == "b"
    if not numbers or steps.ndim != 1 or not steps.size or given.shape != steps.shape:
        message = (
            f"durations {short_repr(durations)} and events {short_repr(events)}; "
            "give a whole number and True or False for each difference"
        )
        raise FpdriftError(message)
    wrong = steps[(steps < 0) | (steps >= 1 << 53)]
    if len(wrong):
        message = f"a duration is {short_repr(int(wrong[0]))}; count its steps, from 0 on"
        raise FpdriftError(message)
    return steps.astype(np.int64), given
