"""Survival of differences: which perturbations are absorbed, and after how many steps.

The surviving share is estimated after Kaplan and Meier, "Nonparametric estimation from incomplete
observations" (1958), and its variance after Greenwood, "The natural duration of cancer" (1926), on
the log(-log) scale, which keeps intervals between 0 and 1. As long as nothing was absorbed, that
interval has no width; the interval of Clopper and Pearson is used instead, as it is for counts.
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

#: One half, with a tolerance for the rounding errors of a product of shares.
_HALF = 0.5 + 1e-9


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Survival(Result):
    """Share of differences that survive a number of steps; arrays are read-only.

    Each share holds from its step up to the next one. Intervals are pointwise, at 95 %.
    """

    #: steps at which a difference was absorbed, ascending (k,)
    steps: npt.NDArray[np.int64]
    #: number of differences that still existed and were observed until then (k,)
    at_risk: npt.NDArray[np.int64]
    #: number of them absorbed at that step (k,)
    absorbed: npt.NDArray[np.int64]
    #: surviving share (k,)
    share: npt.NDArray[np.float64]
    #: interval of the share; 0 to 1 where no difference survives, since Greenwood's variance is
    #: undefined there; NaN for fewer than 6 differences (k,)
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    #: steps after which the observation of a surviving difference ended, ascending (c,)
    censored: npt.NDArray[np.int64]
    #: number of differences observed
    n: int

    @property
    def events(self) -> int:
        """Number of differences that were absorbed."""
        return int(self.absorbed.sum())

    @property
    def absorbed_interval(self) -> Interval:
        """Interval of the share of differences absorbed during the observation."""
        return share_interval(self.events, self.n)

    @property
    def median(self) -> int | None:
        """First step at which at most half survive; None if more than half survive to the end."""
        for row in np.flatnonzero(self.share <= _HALF):
            # a product of rounded shares may miss one half by an ulp, so the counts decide
            if self.share[row] < 1 - _HALF or self._halved(int(row)):
                return int(self.steps[row])
        return None

    def _halved(self, row: int) -> bool:
        """Return whether at most half survive, in exact integer arithmetic."""
        at_risk, absorbed = (x[: row + 1].tolist() for x in (self.at_risk, self.absorbed))
        left = math.prod(risk - gone for risk, gone in zip(at_risk, absorbed, strict=True))
        return bool(2 * left <= math.prod(at_risk))

    def band(self, step: int) -> tuple[float, float]:
        """Return the interval of the surviving share at a step; NaN for fewer than 6 differences.

        Before the first absorption, it is the interval of 0 out of the number observed so far.
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
        survive = "more than half survive"
        half = survive if self.median is None else f"half absorbed by step {self.median}"
        its = self.absorbed_interval
        between = f" ({its.low:.0%} to {its.high:.0%}, 95 % {its.method})" if its else ""
        return f"{self.events} of {self.n} absorbed{between}, {half}"


def survival_curve(durations: Any, events: Any) -> Survival:
    """Estimate the share of differences that survive, as a function of the step.

    If one difference is absorbed and the observation of another ends after the same step, the
    absorption counts as earlier: the other difference still existed.

    Parameters
    ----------
    durations : (n,) array_like of int
        Number of steps for which each difference existed and was observed, 0 or more. A duration of
        0 with an event is a nudge that changed no bit.
    events : (n,) array_like of bool
        True if the difference was absorbed then; False if it still existed when the observation
        ended.

    Returns
    -------
    Survival

    Raises
    ------
    FpdriftError
        If the sequences are empty or of unequal length, a duration is not an integer of at least 0,
        or an event is not a bool.
    """
    durations, events = _pairs(durations, events)
    steps, absorbed = np.unique(durations[events], return_counts=True)
    at_risk = len(durations) - np.searchsorted(np.sort(durations), steps)
    # scipy.stats.ecdf has the same formulas, but a third of its shares end in other bits than those
    # of saved results, and its interval warns where nothing is left
    share = np.cumprod(1 - absorbed / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore"):  # where no difference survives
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
    """Return for how many steps the bits of two runs differ, and whether the runs re-merged.

    For many pairs of runs, these are the durations and events of `survival_curve`.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records of the same model that start at the same step, or their files.

    Returns
    -------
    steps : int
        Number of steps from the first common step to the one from which all bits are equal, or to
        the last common step if the runs do not re-merge.
    merged : bool
        Whether all bits are equal at the last common step.

    Raises
    ------
    FpdriftError
        As in `compare`.
    """
    _, _, steps, differing = common_steps(a, b)
    differs = np.flatnonzero(differing.any(axis=1))
    if not len(differs):
        return 0, True
    merged = bool(differs[-1] < len(steps) - 1)
    return int(steps[differs[-1] + merged] - steps[0]), merged


def _pairs(durations: Any, events: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    try:
        steps, given = np.array(durations), np.array(events)
    except ValueError:  # nested sequences of unequal length
        steps = given = np.empty((0, 0))
    # a bool is an integer to NumPy too
    numbers = steps.dtype.kind in "iu" and given.dtype.kind == "b"
    if not numbers or steps.ndim != 1 or not steps.size or given.shape != steps.shape:
        message = (
            f"durations {short_repr(durations)} and events {short_repr(events)}; "
            "pass an integer and a bool for each difference"
        )
        raise FpdriftError(message)
    wrong = steps[(steps < 0) | (steps >= 1 << 53)]
    if len(wrong):
        message = f"a duration is {short_repr(int(wrong[0]))}; pass numbers of steps, at least 0"
        raise FpdriftError(message)
    return steps.astype(np.int64), given
