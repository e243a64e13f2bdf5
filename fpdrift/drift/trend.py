"""Which law a distance follows between its jumps, and how sure that is.

Each law is a line: the logarithm of the distance over the step (exponential), over its logarithm
(power law) or level (flat). A line may start behind a floor and end in a plateau, which each cost
a parameter, and jumps shift it. Neighbouring distances err alike, so each is fitted under noise
whose correlation falls as exp(-steps/memory), for several memories; the laws are compared by
Schwarz's criterion ("Estimating the dimension of a model", 1978), BIC. A rate and its interval are
averaged over memories, floors and plateaus, each as probable as its BIC says (Buckland, Burnham and
Augustin, "Model selection: an integral part of inference", 1997).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from fpdrift.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

Kind = Literal["none", "flat", "power law", "exponential", "cannot tell"]

#: With fewer distances than this, no law can be told from another.
LEAST_POINTS = 8
#: Odds that a law needs against the next best one.
ODDS = 9.0
#: A level distance surely changes by less than this over all steps.
FLAT_WITHIN = 2.0
#: A law that misses the distances by more than this (one standard deviation) is not named.
FITS_WITHIN = 1.5
#: Points that a floor, a plateau and the growth between need.
_STRETCH = 5
#: Places tried for the end of a floor, and for the start of a plateau.
_PLACES = 32
#: Of a normal distribution, for 95 %.
_Z = 1.96
#: Logarithms closer than this to a line are on it.
_EXACT = 1e-12


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
    #: its 95 % interval; sharp floors and plateaus that are not so make it too narrow
    low: float | None = None
    high: float | None = None
    #: how probable each law is if one of them is right: exp(-BIC/2), scaled to a sum of 1
    evidence: dict[str, float]
    #: standard deviation of the logarithm of the distance around the law
    noise: float | None = None
    #: steps after which noise has lost all but 1/e of its correlation; 0 = none to lose
    memory: float | None = None

    def __repr__(self) -> str:
        return f"Trend({self})"

    def __str__(self) -> str:
        if self.rate is None:
            return self.kind
        what = "exponent" if self.kind == "power law" else "rate a step"
        return f"{self.kind}, {what} {self.rate:.3g} ({self.low:.3g} to {self.high:.3g})"


class Fit(NamedTuple):
    """The best line under one law."""

    bic: float
    slope: float
    #: the slope averaged over memories and ends, and its standard error
    rate: float
    error: float
    #: the same of how far the line rises from its first point to its last
    rise: float
    rise_error: float
    #: places on the axis between which the line is not level
    ends: tuple[int, int]
    noise: float
    memory: float
    #: logarithm of the distance as the line has it (n,)
    line: Floats


def fit_trend(since: Floats, logs: Floats, jumps: Sequence[int]) -> tuple[Trend, Fit | None]:
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
    Trend, Fit or None
        The fit is that of the law, or of the likeliest where none can be told; None where there
        are too few points.
    """
    if len(logs) - len(jumps) < LEAST_POINTS:
        return Trend(kind="cannot tell", evidence={}), None
    levels = np.array([np.ones(len(logs)), *(np.arange(len(logs)) >= j for j in jumps)], float)
    fits: dict[Kind, Fit] = {
        "flat": _best(since, logs, levels, None),
        "power law": _best(since, logs, levels, np.log(since)),
        "exponential": _best(since, logs, levels, since),
    }
    kind = _choose(fits)
    likely: Kind = min(fits, key=lambda law: fits[law].bic)
    fit = fits[likely]
    rated = kind in ("power law", "exponential")
    trend = Trend(
        kind=kind,
        rate=fit.rate if rated else None,
        low=fit.rate - _Z * fit.error if rated else None,
        high=fit.rate + _Z * fit.error if rated else None,
        evidence=_evidence(fits),
        noise=fit.noise,
        memory=fit.memory,
    )
    return trend, fit


def _choose(fits: dict[Kind, Fit]) -> Kind:
    """Name a law if it is clearly better than the others."""
    flat = fits["flat"]
    growing: list[Kind] = ["power law", "exponential"]
    best, second = sorted(growing, key=lambda law: fits[law].bic)
    if flat.bic - fits[best].bic <= 2 * np.log(ODDS):
        # no growth is sure, but could there be some?
        most = max(abs(fits[law].rise) + _Z * fits[law].rise_error for law in growing)
        return "flat" if most < np.log(FLAT_WITHIN) else "cannot tell"
    margin = fits[second].bic - fits[best].bic
    clear = margin > 2 * np.log(ODDS) and fits[best].noise < np.log(FITS_WITHIN)
    return best if clear else "cannot tell"


def _evidence(fits: dict[Kind, Fit]) -> dict[str, float]:
    least = min(fit.bic for fit in fits.values())
    odds = {law: float(np.exp((least - fit.bic) / 2)) for law, fit in fits.items()}
    return {law: value / sum(odds.values()) for law, value in odds.items()}


def _best(since: Floats, logs: Floats, levels: Floats, axis: Floats | None) -> Fit:
    """Fit one law with every memory, floor and plateau; take the likeliest."""
    memories = [0.0, *2.0 ** np.arange(np.log2(max(since[-1] - since[0], 2.0)))]
    if axis is None:
        ends, lines = [(0, len(logs) - 1)], np.zeros((1, len(logs)))
    else:
        ends = _ends(len(logs))
        lines = np.array([np.clip(axis, axis[first], axis[last]) for first, last in ends])
    cost = np.array([(axis is not None) + (f > 0) + (e < len(logs) - 1) for f, e in ends])
    bics, slopes, errors = _fit_all(since, logs, levels, lines, cost, memories)
    if axis is not None:  # a floor's end is rounded, and how much depends on the slope
        likely = np.argmin(bics, axis=0)
        lines = _with_floors(axis, ends, slopes[likely, np.arange(len(ends))])
        bics, slopes, errors = _fit_all(since, logs, levels, lines, cost, memories)
    weights = np.exp((bics.min() - bics) / 2)
    rate, error = _averaged(slopes, errors, weights)
    spans = np.ptp(lines, axis=1)
    rise, rise_error = _averaged(slopes * spans, errors * spans, weights)
    row, column = np.unravel_index(np.argmin(bics), bics.shape)
    line, noise = _line(since, logs, levels, lines[column] * slopes[row, column], memories[row])
    return Fit(
        bic=float(bics[row, column]),
        slope=float(slopes[row, column]),
        rate=rate,
        error=error,
        rise=rise,
        rise_error=rise_error,
        ends=ends[column],
        noise=noise,
        memory=memories[row],
        line=line,
    )


def _with_floors(axis: Floats, ends: list[tuple[int, int]], slopes: Floats) -> Floats:
    """Give the lines (ends, n) of growth that a floor is added to as squared distances add up."""
    first, last = axis[np.array(ends)].T[..., np.newaxis]
    steep = 2 * np.maximum(slopes, _EXACT)[:, np.newaxis]
    lifted = first + np.logaddexp(0, steep * (axis - first)) / steep
    rounded = (np.array(ends)[:, 0] > 0) & (slopes > _EXACT)
    lines: Floats = np.where(rounded[:, np.newaxis], lifted, np.maximum(axis, first))
    np.minimum(lines, last, out=lines)
    return lines


def _averaged(values: Floats, errors: Floats, weights: Floats) -> tuple[float, float]:
    """Average estimates, each with its own error, and give the average's error."""
    mean = np.average(values, weights=weights)
    return float(mean), float(
        np.sqrt(np.average(errors**2 + (values - mean) ** 2, weights=weights))
    )


def _ends(n: int) -> list[tuple[int, int]]:
    """List where the growth may begin and end: pairs of points."""
    inner = range(_STRETCH - 1, n - _STRETCH + 1)
    places = sorted({inner[i * (len(inner) - 1) // _PLACES] for i in range(_PLACES + 1) if inner})
    pairs = [(first, last) for first in (0, *places) for last in (*places, n - 1)]
    return [(first, last) for first, last in pairs if last - first >= _STRETCH]


def _fit_all(
    since: Floats,
    logs: Floats,
    levels: Floats,
    lines: Floats,
    cost: npt.NDArray[np.int64],
    memories: list[float],
) -> Floats:
    """Fit all lines under all memories: BIC, slope, its standard error (3, memories, lines)."""
    tables = [_fit_with(since, logs, levels, lines, cost, memory) for memory in memories]
    return np.stack(tables, axis=1)


def _fit_with(
    since: Floats,
    logs: Floats,
    levels: Floats,
    lines: Floats,
    cost: npt.NDArray[np.int64],
    memory: float,
) -> Floats:
    """Fit all lines under one memory by generalised least squares, as above (3, lines).

    What the levels explain is projected out once, so that each line is a fit of one number.
    """
    n = len(logs)
    kept = _kept(since, memory)
    basis = np.linalg.qr(_whitened(levels, kept).T)[0]
    rest, left = (
        white - (white @ basis) @ basis.T
        for white in (_whitened(logs, kept), _whitened(lines, kept))
    )
    squares = (left * left).sum(axis=1)
    told = squares > _EXACT * (lines * lines).sum(axis=1)  # else the line is but a jump
    squares = np.where(told, squares, np.inf)
    slopes = left @ rest / squares
    remains = np.maximum(rest @ rest - slopes * (left @ rest), n * _EXACT**2)
    parameters = len(levels) + 1 + (memory > 0) + cost
    bics = n * np.log(remains / n) + np.log1p(-(kept**2)).sum() + parameters * np.log(n)
    errors = np.sqrt(remains / (n - len(levels) - 1) / squares)
    bics[~told & lines.any(axis=1)] = np.inf
    return np.array([bics, slopes, errors])


def _line(
    since: Floats, logs: Floats, levels: Floats, sloped: Floats, memory: float
) -> tuple[Floats, float]:
    """Add the levels that fit best to a sloped line; give it and the noise around it."""
    kept = _kept(since, memory)
    white = _whitened(levels, kept).T
    heights = np.linalg.lstsq(white, _whitened(logs - sloped, kept), rcond=None)[0]
    line = sloped + heights @ levels
    remains = np.square(_whitened(logs - line, kept)).sum()
    return line, float(np.sqrt(remains / (len(logs) - len(levels) - 1)))


def _kept(since: Floats, memory: float) -> Floats:
    """Which part of the noise is kept from each point to the next (n - 1,)."""
    return np.exp(-np.diff(since) / memory) if memory else np.zeros(len(since) - 1)


def _whitened(rows: Floats, kept: Floats) -> Floats:
    """Turn noise that keeps a part of itself from point to point into independent noise."""
    white = rows.copy()
    white[..., 1:] -= kept * rows[..., :-1]
    white[..., 1:] /= np.sqrt(1 - kept**2)
    return white
