"""Decide which growth law a distance follows between its jumps, if the data allow it.

A law is reported only if it is clearly more likely than every other law and than a smooth curve,
its residuals look like noise, and a substantial bend can be excluded. A bend is reported only if it
is clearly more likely than every law. Otherwise the result is "cannot tell", with the reason. Where
no law holds, the local exponent in each decade of steps describes the growth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fpdrift.comparison._growth_fit import (
    Estimate,
    Fitted,
    Law,
    Screen,
    estimate,
    fit_flat,
    fit_law,
    fit_smooth,
)
from fpdrift.serialization import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

Kind = Literal["none", "flat", "power law", "exponential", "bends", "cannot tell"]
Doubt = Literal[
    "far apart from the start",
    "too few distances",
    "too many jumps",
    "several laws fit about as well",
    "too much scatter",
    "what is left does not look like noise",
    "a bend cannot be excluded",
]

#: How a doubt is printed; the stored values are older.
_WORDING = {
    "several laws fit about as well": "several laws fit about equally well",
    "what is left does not look like noise": "the residuals do not look like noise",
}

#: With fewer distances than this, laws cannot be distinguished.
LEAST_POINTS = 8
#: With more jumps than this, little is left between them to fit a law to.
MOST_JUMPS = 12
#: Odds that a law needs against the next best one.
ODDS = 9.0
#: The largest factor, with certainty, by which a flat distance changes over all steps.
FLAT_WITHIN = 2.0
#: The largest factor, with certainty, by which the distances of a floor or a plateau change.
LEVEL_WITHIN = 1.5
#: The largest factor (one standard deviation) by which the distances may scatter around a law.
FITS_WITHIN = 1.5
#: The largest difference, with certainty, of the slopes at both ends of a law, relative to it.
BENDS_WITHIN = 0.5
#: A curve is reported to bend only if the best law deviates from it by more than this factor.
MISSES_BY = 1.1
#: The memory of noise is less than this share of all steps.
_MEMORY = 1 / 6
#: Fewer runs of one sign than expected by this many standard deviations are not noise.
_RUNS = 2.6
#: Residuals smaller than this factor everywhere need not look like noise.
_NEXT_TO_NOTHING = 1.01
#: Most points to fit a trend to; more would hardly improve it.
_MOST_POINTS = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Level(Result):
    """A range of steps over which the distance is constant, apart from noise and jumps."""

    distance: float
    first: int
    last: int

    def __repr__(self) -> str:
        return f"Level({self.distance:.1e}, steps {self.first} to {self.last})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend(Result):
    """The law between the jumps."""

    kind: Kind
    #: exponent of a power law, or increase of the logarithm per step of an exponential; None for
    #: other kinds
    rate: float | None = None
    #: 95 % interval of the rate; None with a floor or a plateau, whose shape changes the rate by
    #: more
    low: float | None = None
    high: float | None = None
    #: probability of each law if one of them is right: exp(-BIC/2), scaled to a sum of 1
    evidence: dict[str, float]
    #: standard deviation of the logarithm of the distance around the law
    noise: float | None = None
    #: steps after which the correlation of the noise has fallen to 1/e; 0 = uncorrelated
    memory: float | None = None
    #: why no law can be named; None if one is, or if an older file does not record it
    doubt: Doubt | None = None
    #: for a curve that bends: the most likely law, and the largest factor between curve and law
    nearest: str | None = None
    missed: float | None = None

    def __repr__(self) -> str:
        return f"Trend({self})"

    def __str__(self) -> str:
        if self.kind == "bends":
            return "no simple law"
        if self.kind == "cannot tell":
            doubt = self.doubt and _WORDING.get(self.doubt, self.doubt)
            return f"cannot tell: {doubt}" if doubt else "cannot tell"
        if self.rate is None:
            return self.kind
        what = "exponent" if self.kind == "power law" else "rate per step"
        if self.low is None:
            return f"{self.kind}, {what} about {self.rate:.2g}"
        return f"{self.kind}, {what} {self.rate:.3g} ({self.low:.3g} to {self.high:.3g})"

    @property
    def miss(self) -> str:
        """How far the most likely law deviates from a curve that bends, in words."""
        if self.nearest is None or self.missed is None:
            return ""
        law = "a constant" if self.nearest == "flat" else f"the best {self.nearest}"
        part = f"{100 * (self.missed - 1):.0f} %"
        most = part if self.missed < 2 else f"a factor of {self.missed:.2g}"
        return f"{law} deviates from a smooth curve by up to {most}"


def fit_trend(
    since: Floats, logs: Floats, jumps: Sequence[int]
) -> tuple[Trend, Floats | None, Law | None]:
    """Choose the law of a distance.

    Parameters
    ----------
    since : (n,) float64
        Steps since the runs were equal, above 0, ascending.
    logs : (n,) float64
        Natural logarithms of the distances then.
    jumps : sequence of int
        Index of the first point after each jump.

    Returns
    -------
    Trend, (n,) float64 or None, Law or None
        The logarithms are those of the law, or of the most likely curve if no law is named; None if
        there are too few points. The law is given only if it has a rate; its ends are indices of
        the given points.
    """
    if len(logs) - len(jumps) < LEAST_POINTS:
        return Trend(kind="cannot tell", evidence={}, doubt="too few distances"), None, None
    if len(jumps) > MOST_JUMPS:
        return Trend(kind="cannot tell", evidence={}, doubt="too many jumps"), None, None
    rows = _choose_points(since, jumps)
    case = _Case(since[rows], logs[rows], np.array([j in jumps for j in rows]))
    trend, fitted, law = case.decide()
    line = np.interp(np.log(since), np.log(since[rows]), fitted.line)
    return trend, line, None if law is None else _with_level_ends(law, rows)


def _with_level_ends(law: Law, rows: npt.NDArray[np.int64]) -> Law:
    """Move the ends of floor and plateau from the knee to where the growth leaves their level."""
    first, last = law.line.ends
    risen, missing = (
        np.abs(law.slope * (law.line.axis - knee)) < np.log(MISSES_BY) for knee in law.line.knees
    )
    if first > 0:
        first = max(int(risen.sum()) - 1, 0)
    if last < len(rows) - 1:
        last = len(rows) - max(int(missing.sum()), 1)
    return law._replace(line=law.line._replace(ends=(int(rows[first]), int(rows[last]))))


def _choose_points(since: Floats, jumps: Sequence[int]) -> npt.NDArray[np.int64]:
    """Choose points to fit: half evenly spaced, half logarithmically, and the ends of each jump."""
    n = len(since)
    if n <= _MOST_POINTS:
        return np.arange(n)
    half = _MOST_POINTS // 2
    wanted = np.r_[np.linspace(since[0], since[-1], half), np.geomspace(since[0], since[-1], half)]
    nearest = np.minimum(np.searchsorted(since, wanted), n - 1)
    return np.unique(np.r_[nearest, jumps, np.array(jumps, np.int64) - 1].astype(np.int64))


class _Case:
    """All fits of one curve, and the conclusion from them."""

    def __init__(self, since: Floats, logs: Floats, jumped: npt.NDArray[np.bool_]) -> None:
        self.since, self.logs = since, logs
        self.levels = np.vstack([np.ones(len(logs)), np.tri(len(logs))[:, jumped].T])
        self.flat = fit_flat(since, logs, self.levels)
        screen = Screen(since, logs, self.levels)
        axes: dict[Kind, Floats] = {"power law": np.log(since), "exponential": since}
        found = {kind: fit_law(screen, axis) for kind, axis in axes.items()}
        self.growing = {kind: law for kind, law in found.items() if law is not None}
        self.smooth = fit_smooth(since, logs, self.levels)

    def decide(self) -> tuple[Trend, Fitted, Law | None]:
        """Return the law, or the reason why none can be named, and the most likely curve."""
        bics: dict[str, float] = {"flat": self.flat.bic}
        bics |= {kind: law.bic for kind, law in self.growing.items()}
        if self.smooth is not None:
            bics["bends"] = self.smooth.bic
        likely = min(bics, key=lambda name: bics[name])
        kind, doubt = self._choose(bics)
        law = self.growing.get(kind)
        named = likely if kind == "cannot tell" else kind
        fitted = self._fit(named)
        odds = {name: float(np.exp((bics[likely] - bic) / 2)) for name, bic in bics.items()}
        more: dict[str, Any] = self._largest_miss(bics) if kind == "bends" else {}
        if law is not None:
            more = self._fit_rate(law)
        trend = Trend(
            kind=kind,
            **more,
            evidence={name: value / sum(odds.values()) for name, value in odds.items()},
            noise=fitted.noise,
            memory=fitted.memory,
            doubt=doubt,
        )
        return trend, fitted, law

    def _fit(self, name: str) -> Fitted:
        if name == "bends" and self.smooth is not None:
            return self.smooth
        return (self.flat if name == "flat" else self.growing[name]).fitted  # type: ignore[index]

    def _choose(self, bics: dict[str, float]) -> tuple[Kind, Doubt | None]:
        clear = 2 * np.log(ODDS)
        laws = sorted((name for name in bics if name != "bends"), key=lambda name: bics[name])
        if self._is_exact("flat"):
            return "flat", None
        if self._is_exact(laws[0]):  # a smooth curve that fits the residuals is no evidence
            bics = {name: bics[name] for name in laws}
        smooth = bics.get("bends", np.inf)
        if smooth < bics[laws[0]] - clear:
            return self._choose_bend(bics)
        if "flat" in laws[:1] or bics["flat"] - bics[laws[0]] <= clear:
            if self._most_rise() >= np.log(FLAT_WITHIN):
                return "cannot tell", "several laws fit about as well"
            doubt = self._noise_doubt("flat")
            return ("flat", None) if doubt is None else ("cannot tell", doubt)
        best: Kind = laws[0]  # type: ignore[assignment]
        others = [bics[name] for name in bics if name != best]
        if min(others) - bics[best] <= clear:
            return "cannot tell", "several laws fit about as well"
        doubt = self._noise_doubt(best) or self._bend_doubt(self.growing[best])
        return (best, None) if doubt is None else ("cannot tell", doubt)

    def _choose_bend(self, bics: dict[str, float]) -> tuple[Kind, Doubt | None]:
        """Report a bend if the most likely law deviates from it by more than a little."""
        if not self._close("bends"):
            return "cannot tell", "too much scatter"
        if self._largest_miss(bics)["missed"] < MISSES_BY:
            return "cannot tell", "what is left does not look like noise"
        return "bends", None

    def _largest_miss(self, bics: dict[str, float]) -> dict[str, Any]:
        """Return the most likely law, and the largest factor between it and the smooth curve."""
        law = min((name for name in bics if name != "bends"), key=lambda name: bics[name])
        largest = np.abs(self._fit(law).line - self._fit("bends").line).max()
        with np.errstate(over="ignore"):
            return {"nearest": law, "missed": float(np.exp(largest))}

    def _is_exact(self, name: str) -> bool:
        missed = np.abs(self.logs - self._fit(name).line).max()
        return bool(missed < np.log(_NEXT_TO_NOTHING))

    def _close(self, name: str) -> bool:
        return bool(self._fit(name).noise < np.log(FITS_WITHIN))

    def _most_rise(self) -> float:
        """Return the largest change of the distance that the interval allows."""
        most = 0.0
        for axis in (self.since, np.log(self.since)):
            slope = self._estimate((axis - axis[0]) / np.ptp(axis))
            most = max(most, abs(slope.low), abs(slope.high))
        return most

    def _estimate(self, *rows: Floats) -> Estimate:
        return estimate(self.since, self.logs, np.vstack([self.levels, *rows]))

    def _noise_doubt(self, name: str) -> Doubt | None:
        """Return a doubt if the residuals of a law scatter too widely or are not noise."""
        fit = self._fit(name)
        if not self._close(name):
            return "too much scatter"
        if not self._is_exact(name) and (
            fit.memory > _MEMORY * np.ptp(self.since) or too_few_runs(fit.residuals)
        ):
            return "what is left does not look like noise"
        return None

    def _bend_doubt(self, law: Law) -> Doubt | None:
        """Return a doubt unless a bend and a change of floor or plateau can be excluded."""
        first, last = law.line.ends
        axis = law.line.axis
        low, high = axis[first], axis[last]
        place = np.clip((2 * axis - low - high) / (high - low), -1, 1)
        bend = self._estimate(axis, place**2)
        # the slopes at both ends are those of the line and 2 bends more, and 2 less
        rise = law.slope * (high - low) / 2
        certain = 4 * max(abs(bend.low), abs(bend.high)) < BENDS_WITHIN * abs(rise)
        since, end = self.since, len(axis) - 1
        for part in ((first, 0) if first else None, (last, end) if last < end else None):
            if part is not None:
                ramp = np.clip((since - since[part[0]]) / (since[part[1]] - since[part[0]]), 0, 1)
                change = self._estimate(axis, ramp)
                certain &= max(abs(change.low), abs(change.high)) < np.log(LEVEL_WITHIN)
        return None if certain else "a bend cannot be excluded"

    def _fit_rate(self, law: Law) -> dict[str, float]:
        if law.line.ends != (0, len(self.since) - 1):
            return {"rate": law.slope}
        rate = self._estimate(law.line.axis)
        return {"rate": rate.value, "low": rate.low, "high": rate.high}


def too_few_runs(residuals: Floats) -> bool:
    """Return whether residuals keep their sign for longer than noise would.

    This is the one-sided runs test of Wald and Wolfowitz ("On a test whether two samples are from
    the same population", 1940).
    """
    above = residuals > np.median(residuals)
    n, m = int(above.sum()), int((~above).sum())
    if not n or not m:
        return False
    runs = 1 + int(np.count_nonzero(np.diff(above)))
    mean = 1 + 2 * n * m / (n + m)
    variance = (mean - 1) * (mean - 2) / (n + m - 1)
    return bool(variance > 0 and (runs - mean) / np.sqrt(variance) < -_RUNS)


#: Fewest points for a slope, and least ratio of their last to their first step.
_POINTS, _REACH = 4, 1.5
#: Slopes that differ by at most this share of the steepest do not show a bend to the reader.
ALIKE = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class DecadeSlope(Result):
    """The local exponent in a decade of steps: d log(distance) / d log(step)."""

    #: first and last step of the fit
    first: int
    last: int
    slope: float

    def __str__(self) -> str:
        return f"{self.slope:.2g}"


def differ(slopes: Sequence[DecadeSlope]) -> bool:
    """Return whether the slopes, as printed, show a bend."""
    shown = [float(str(part)) for part in slopes]
    return bool(shown) and max(shown) - min(shown) > ALIKE * max(map(abs, shown))


def decade_slopes(
    steps: npt.NDArray[np.int64], since: Floats, logs: Floats, jumps: Sequence[int]
) -> list[DecadeSlope]:
    """Fit a slope to each decade of steps by least squares, with a separate level after each jump.

    Parameters
    ----------
    steps : (n,) int64
        Step numbers to report.
    since : (n,) float64
        Steps since the runs were equal, above 0, ascending; they define the decades.
    logs : (n,) float64
        Natural logarithms of the distances then.
    jumps : sequence of int
        Index of the first point after each jump.
    """
    found = []
    for rows in _decades(since):
        inside = [jump for jump in jumps if rows.start < jump < rows.stop]
        points = np.arange(rows.start, rows.stop)
        levels = [points >= jump for jump in (rows.start, *inside)]
        design = np.array([np.log(since[rows]), *levels], np.float64).T
        slope = np.linalg.lstsq(design, logs[rows], rcond=None)[0][0]
        first, last = steps[rows.start], steps[rows.stop - 1]
        found.append(DecadeSlope(first=int(first), last=int(last), slope=float(slope)))
    return found


def _decades(since: Floats) -> Iterator[slice]:
    """Yield the points of each decade with enough of them, both ends included."""
    for power in range(int(np.ceil(np.log10(since[-1]))) if len(since) else 0):
        start = int(np.searchsorted(since, 10.0**power))
        end = int(np.searchsorted(since, 10.0 ** (power + 1), side="right"))
        if end - start >= _POINTS and since[end - 1] >= _REACH * since[start]:
            yield slice(start, end)
