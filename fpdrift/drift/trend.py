"""Which law a distance follows between its jumps, and how sure that is.

Each law is a line: the logarithm of the distance over the step (exponential), over its logarithm
(power law) or level (flat). A line may start behind a floor and end in a plateau, which each cost
a parameter, and jumps shift it. Neighbouring distances err alike, so each is fitted under noise
whose correlation falls as exp(-steps/memory), for several memories; the laws are compared by
Schwarz's criterion ("Estimating the dimension of a model", 1978), BIC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

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
    #: its 95 % interval
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
    #: standard error of the slope
    error: float
    #: places on the axis between which the line is not level
    ends: tuple[int, int]
    #: x of the line at each point (n,)
    axis: Floats
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
        rate=fit.slope if rated else None,
        low=fit.slope - _Z * fit.error if rated else None,
        high=fit.slope + _Z * fit.error if rated else None,
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
    if flat.bic <= fits[best].bic:
        # no growth is seen, but could there be some?
        rises = [abs(f.slope) + _Z * f.error for f in (fits[best], fits[second])]
        spans = [np.ptp(f.axis) for f in (fits[best], fits[second])]
        most = max(rise * span for rise, span in zip(rises, spans, strict=True))
        return "flat" if most < np.log(FLAT_WITHIN) else "cannot tell"
    margin = min(flat.bic, fits[second].bic) - fits[best].bic
    return best if margin > 2 * np.log(ODDS) else "cannot tell"


def _evidence(fits: dict[Kind, Fit]) -> dict[str, float]:
    least = min(fit.bic for fit in fits.values())
    odds = {law: float(np.exp((least - fit.bic) / 2)) for law, fit in fits.items()}
    return {law: value / sum(odds.values()) for law, value in odds.items()}


def _best(since: Floats, logs: Floats, levels: Floats, axis: Floats | None) -> Fit:
    """Fit one law with every memory, floor and plateau; take the likeliest."""
    memories = [0.0, *2.0 ** np.arange(np.log2(max(since[-1] - since[0], 2.0)))]
    ends = [(0, len(logs) - 1)] if axis is None else _ends(len(logs))
    lines = (
        np.zeros((1, len(logs)))
        if axis is None
        else np.array([np.clip(axis, axis[first], axis[last]) for first, last in ends])
    )
    cost = np.array([(axis is not None) + (f > 0) + (e < len(logs) - 1) for f, e in ends])
    fits = (_fit(since, logs, levels, lines, cost, ends, memory) for memory in memories)
    return min(fits, key=lambda fit: fit.bic)


def _ends(n: int) -> list[tuple[int, int]]:
    """List where the growth may begin and end: pairs of points."""
    inner = range(_STRETCH - 1, n - _STRETCH + 1)
    places = sorted({inner[i * (len(inner) - 1) // _PLACES] for i in range(_PLACES + 1)})
    pairs = [(first, last) for first in (0, *places) for last in (*places, n - 1)]
    return [(first, last) for first, last in pairs if last - first >= _STRETCH]


def _fit(
    since: Floats,
    logs: Floats,
    levels: Floats,
    lines: Floats,
    cost: npt.NDArray[Any],
    ends: list[tuple[int, int]],
    memory: float,
) -> Fit:
    """Fit all lines under one memory by generalised least squares, and take the best.

    What the levels explain is projected out once, so that each line is a fit of one number.
    """
    n = len(logs)
    kept = np.exp(-np.diff(since) / memory) if memory else np.zeros(n - 1)
    basis, triangle = np.linalg.qr(_whitened(levels, kept).T)
    rest = _whitened(logs, kept)
    rest = rest - basis @ (basis.T @ rest)
    white = _whitened(lines, kept)
    left = white - (white @ basis) @ basis.T
    squares = np.maximum((left * left).sum(axis=1), np.finfo(float).tiny)
    slopes = left @ rest / squares
    remains = np.maximum(rest @ rest - slopes**2 * squares, n * _EXACT**2)
    parameters = len(levels) + 2 + cost
    bics = n * np.log(remains / n) + np.log1p(-(kept**2)).sum() + parameters * np.log(n)
    i = int(np.argmin(bics))
    noise = np.sqrt(remains[i] / max(n - len(levels) - 1, 1))
    heights = np.linalg.solve(triangle, basis.T @ (_whitened(logs, kept) - slopes[i] * white[i]))
    return Fit(
        bic=float(bics[i]),
        slope=float(slopes[i]),
        error=float(noise / np.sqrt(squares[i])),
        ends=ends[i],
        axis=lines[i],
        noise=float(noise),
        memory=memory,
        line=slopes[i] * lines[i] + heights @ levels,
    )


def _whitened(rows: Floats, kept: Floats) -> Floats:
    """Turn noise that keeps a part of itself from point to point into independent noise."""
    white = rows.copy()
    white[..., 1:] -= kept * rows[..., :-1]
    white[..., 1:] /= np.sqrt(1 - kept**2)
    return white
