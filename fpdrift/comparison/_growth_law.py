"""Which law a distance follows between its jumps, if any: decided by what the data exclude.

A law is named only if it is clearly likelier than every other law and than a smooth curve, what it
leaves looks like noise, and a bend of more than a part of its slope is excluded. A bend is named
only if it is clearly likelier than every law. Anything else cannot be told, for a reason.

How steep a distance rises in each decade of steps: what is left to say where no law holds.
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

#: With fewer distances than this, no law can be told from another.
LEAST_POINTS = 8
#: With more jumps than this, there is hardly a law between them.
MOST_JUMPS = 12
#: Odds that a law needs against the next best one.
ODDS = 9.0
#: A level distance surely changes by less than this over all steps.
FLAT_WITHIN = 2.0
#: A floor or a plateau is not named if its distances surely change by more than this.
LEVEL_WITHIN = 1.5
#: A law that misses the distances by more than this (one standard deviation) is not named.
FITS_WITHIN = 1.5
#: The slopes at both ends of a law surely differ by less than this part of the slope.
BENDS_WITHIN = 0.5
#: A curve that no law misses by more than this is not said to bend.
MISSES_BY = 1.1
#: Noise remembers less than this part of all steps.
_MEMORY = 1 / 6
#: So few runs of one sign, in standard deviations, are not those of noise.
_RUNS = 2.6
#: What a law leaves need not look like noise where it is less than this everywhere.
_NEXT_TO_NOTHING = 1.01
#: Points that a trend is fitted to at most; more hardly sharpen it.
_MOST_POINTS = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Level(Result):
    """A stretch of steps over which the distance stays as it is, apart from noise and jumps."""

    distance: float
    first: int
    last: int

    def __repr__(self) -> str:
        return f"Level({self.distance:.1e}, steps {self.first} to {self.last})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend(Result):
    """The law between the jumps; a rate is None where there is no law with one."""

    kind: Kind
    #: exponent of a power law, or growth of the logarithm in one step of an exponential
    rate: float | None = None
    #: its 95 % interval; None with a floor or a plateau, whose shape moves the rate by more
    low: float | None = None
    high: float | None = None
    #: how probable each law is if one of them is right: exp(-BIC/2), scaled to a sum of 1
    evidence: dict[str, float]
    #: standard deviation of the logarithm of the distance around the law
    noise: float | None = None
    #: steps after which noise has lost all but 1/e of its correlation; 0 = none to lose
    memory: float | None = None
    #: why it cannot be told; None where it can, or where an older file does not say
    doubt: Doubt | None = None
    #: of a curve that bends: the likeliest law, and the largest factor between the two; None else
    nearest: str | None = None
    missed: float | None = None

    def __repr__(self) -> str:
        return f"Trend({self})"

    def __str__(self) -> str:
        if self.kind == "bends":
            return "no simple law"
        if self.kind == "cannot tell":
            return f"cannot tell: {self.doubt}" if self.doubt else "cannot tell"
        if self.rate is None:
            return self.kind
        what = "exponent" if self.kind == "power law" else "rate a step"
        if self.low is None:
            return f"{self.kind}, {what} about {self.rate:.2g}"
        return f"{self.kind}, {what} {self.rate:.3g} ({self.low:.3g} to {self.high:.3g})"

    @property
    def miss(self) -> str:
        """By how much the likeliest law misses a curve that bends, in words."""
        if self.nearest is None or self.missed is None:
            return ""
        law = "a level" if self.nearest == "flat" else f"the likeliest {self.nearest}"
        part = f"{100 * (self.missed - 1):.0f} %"
        most = part if self.missed < 2 else f"a factor of {self.missed:.2g}"
        return f"{law} misses a smooth curve by up to {most}"


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
        Index of the first point behind each jump.

    Returns
    -------
    Trend, (n,) float64 or None, Law or None
        The logarithms as the law has them, or as the likeliest curve where none is named; None
        where there are too few points. The law only where one with a rate is named, its ends as
        indices of the points given.
    """
    if len(logs) - len(jumps) < LEAST_POINTS:
        return Trend(kind="cannot tell", evidence={}, doubt="too few distances"), None, None
    if len(jumps) > MOST_JUMPS:
        return Trend(kind="cannot tell", evidence={}, doubt="too many jumps"), None, None
    rows = _thinned(since, jumps)
    case = _Case(since[rows], logs[rows], np.array([j in jumps for j in rows]))
    trend, fitted, law = case.decide()
    line = np.interp(np.log(since), np.log(since[rows]), fitted.line)
    return trend, line, None if law is None else _with_level_ends(law, rows)


def _with_level_ends(law: Law, rows: npt.NDArray[np.int64]) -> Law:
    """Let floor and plateau end where the growth takes them off their level, not at the knee."""
    first, last = law.line.ends
    risen, missing = (
        np.abs(law.slope * (law.line.axis - knee)) < np.log(MISSES_BY) for knee in law.line.knees
    )
    if first > 0:
        first = max(int(risen.sum()) - 1, 0)
    if last < len(rows) - 1:
        last = len(rows) - max(int(missing.sum()), 1)
    return law._replace(line=law.line._replace(ends=(int(rows[first]), int(rows[last]))))


def _thinned(since: Floats, jumps: Sequence[int]) -> npt.NDArray[np.int64]:
    """Choose points, half of them evenly by step and half by its logarithm, and all jumps' ends."""
    n = len(since)
    if n <= _MOST_POINTS:
        return np.arange(n)
    half = _MOST_POINTS // 2
    wanted = np.r_[np.linspace(since[0], since[-1], half), np.geomspace(since[0], since[-1], half)]
    nearest = np.minimum(np.searchsorted(since, wanted), n - 1)
    return np.unique(np.r_[nearest, jumps, np.array(jumps, np.int64) - 1].astype(np.int64))


class _Case:
    """All fits of one curve, and what they allow to conclude."""

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
        """Name the law, or say why none can be; give the likeliest curve too."""
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
        more: dict[str, Any] = self._missed(bics) if kind == "bends" else {}
        if law is not None:
            more = self._rated(law)
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
        if self._is_exact(laws[0]):  # a smooth curve that follows the rest says nothing against it
            bics = {name: bics[name] for name in laws}
        smooth = bics.get("bends", np.inf)
        if smooth < bics[laws[0]] - clear:
            return self._bent(bics)
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

    def _bent(self, bics: dict[str, float]) -> tuple[Kind, Doubt | None]:
        """Name a bend that the likeliest law misses by more than a small part."""
        if not self._close("bends"):
            return "cannot tell", "too much scatter"
        if self._missed(bics)["missed"] < MISSES_BY:
            return "cannot tell", "what is left does not look like noise"
        return "bends", None

    def _missed(self, bics: dict[str, float]) -> dict[str, Any]:
        """Name the likeliest law, and by which factor at most it misses the smooth curve."""
        law = min((name for name in bics if name != "bends"), key=lambda name: bics[name])
        apart = np.abs(self._fit(law).line - self._fit("bends").line).max()
        with np.errstate(over="ignore"):
            return {"nearest": law, "missed": float(np.exp(apart))}

    def _is_exact(self, name: str) -> bool:
        missed = np.abs(self.logs - self._fit(name).line).max()
        return bool(missed < np.log(_NEXT_TO_NOTHING))

    def _close(self, name: str) -> bool:
        return bool(self._fit(name).noise < np.log(FITS_WITHIN))

    def _most_rise(self) -> float:
        """How far the distance may have risen or fallen, within the interval."""
        most = 0.0
        for axis in (self.since, np.log(self.since)):
            slope = self._estimate((axis - axis[0]) / np.ptp(axis))
            most = max(most, abs(slope.low), abs(slope.high))
        return most

    def _estimate(self, *rows: Floats) -> Estimate:
        return estimate(self.since, self.logs, np.vstack([self.levels, *rows]))

    def _noise_doubt(self, name: str) -> Doubt | None:
        """Describe whether what a law leaves scatters too widely, or is not noise."""
        fit = self._fit(name)
        if not self._close(name):
            return "too much scatter"
        if not self._is_exact(name) and (
            fit.memory > _MEMORY * np.ptp(self.since) or too_few_runs(fit.residuals)
        ):
            return "what is left does not look like noise"
        return None

    def _bend_doubt(self, law: Law) -> Doubt | None:
        """Describe whether a bend of the growth, or a change of floor or plateau, may be there."""
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

    def _rated(self, law: Law) -> dict[str, float]:
        if law.line.ends != (0, len(self.since) - 1):
            return {"rate": law.slope}
        rate = self._estimate(law.line.axis)
        return {"rate": rate.value, "low": rate.low, "high": rate.high}


def too_few_runs(residuals: Floats) -> bool:
    """Test whether residuals keep their sign for longer than noise does.

    The runs test of Wald and Wolfowitz ("On a test whether two samples are from the same
    population", 1940), against too few.
    """
    above = residuals > np.median(residuals)
    n, m = int(above.sum()), int((~above).sum())
    if not n or not m:
        return False
    runs = 1 + int(np.count_nonzero(np.diff(above)))
    mean = 1 + 2 * n * m / (n + m)
    variance = (mean - 1) * (mean - 2) / (n + m - 1)
    return bool(variance > 0 and (runs - mean) / np.sqrt(variance) < -_RUNS)


#: Points that a slope needs, and how far they have to reach: last over first step.
_POINTS, _REACH = 4, 1.5
#: Slopes whose difference is at most this part of the steepest show no bend to who reads them.
ALIKE = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class DecadeSlope(Result):
    """The local exponent: slope of the distance's logarithm over that of the steps."""

    #: first and last step that it was fitted to
    first: int
    last: int
    slope: float

    def __str__(self) -> str:
        return f"{self.slope:.2g}"


def differ(slopes: Sequence[DecadeSlope]) -> bool:
    """Return whether slopes, as they are written, show a bend."""
    shown = [float(str(part)) for part in slopes]
    return bool(shown) and max(shown) - min(shown) > ALIKE * max(map(abs, shown))


def decade_slopes(
    steps: npt.NDArray[np.int64], since: Floats, logs: Floats, jumps: Sequence[int]
) -> list[DecadeSlope]:
    """Fit a slope to each decade of steps, by least squares, with jumps as levels of their own.

    Parameters
    ----------
    steps : (n,) int64
        Steps, as they are to be named.
    since : (n,) float64
        Steps since the runs were equal, above 0, ascending; their decades count.
    logs : (n,) float64
        Natural logarithms of the distances then.
    jumps : sequence of int
        Index of the first point behind each jump.
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
    """Yield the points of each decade that holds enough of them, its two ends included."""
    for power in range(int(np.ceil(np.log10(since[-1]))) if len(since) else 0):
        start = int(np.searchsorted(since, 10.0**power))
        end = int(np.searchsorted(since, 10.0 ** (power + 1), side="right"))
        if end - start >= _POINTS and since[end - 1] >= _REACH * since[start]:
            yield slice(start, end)
