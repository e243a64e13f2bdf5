"""Fit growth laws to a distance: straight lines with an optional floor and plateau.

Each law is a straight line of the logarithm of the distance: over the step (exponential), over the
logarithm of the step (power law), or constant (flat). Jumps shift the line. A floor and a plateau
cost one parameter each and are tried at many positions. The laws are compared by Schwarz's
criterion, BIC ("Estimating the dimension of a model", 1978), with each other and with a smooth
curve of any shape.

The fits are least squares under noise whose correlation decays as exp(-steps / memory), since the
errors of neighbouring distances are correlated. Treating them as independent would make every law
look certain, and every slow drift of the noise look like a separate law.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

#: Logarithms closer than this to a line count as lying on it.
EXACT = 1e-12
#: Number of bisection steps for a quantile.
_QUANTILE_HALVINGS = 60


class Fitted(NamedTuple):
    """The most likely fit of a design matrix."""

    bic: float
    #: standard deviation of the noise
    noise: float
    #: steps after which the correlation of the noise has fallen to 1/e; 0 = uncorrelated
    memory: float
    #: (n,)
    line: Floats
    #: whitened and scaled: independent noise of standard deviation 1 if the design is right (n,)
    residuals: Floats


class Estimate(NamedTuple):
    """A coefficient and its interval."""

    value: float
    low: float
    high: float


def memories_of(since: Floats) -> list[float]:
    """Return the memories to try: 0, and powers of two up to the number of steps."""
    return [0.0, *2.0 ** np.arange(np.log2(max(since[-1] - since[0], 2.0)))]


def retained_noise(since: Floats, memory: float) -> Floats:
    """Return the correlation of the noise between each point and the next (n - 1,)."""
    return np.exp(-np.diff(since) / memory) if memory else np.zeros(len(since) - 1)


def whiten(rows: Floats, keep: Floats) -> Floats:
    """Turn autocorrelated noise into independent noise."""
    white = rows.copy()
    white[..., 1:] -= keep * rows[..., :-1]
    white[..., 1:] /= np.sqrt(1 - keep**2)
    return white


def schwarz(n: int, remains: Floats, keep: Floats, parameters: int) -> Floats:
    """Return Schwarz's criterion (BIC) of fits with these residual sums of squares."""
    bic: Floats = n * np.log(remains / n) + np.log1p(-(keep**2)).sum() + parameters * np.log(n)
    return bic


def fit_design(since: Floats, logs: Floats, design: Floats) -> Fitted:
    """Fit the rows of a design (p, n) under each memory, and return the most likely by BIC."""
    n, found = len(logs), []
    for memory in memories_of(since):
        keep = retained_noise(since, memory)
        white, target = whiten(design, keep).T, whiten(logs, keep)
        coefficients = np.linalg.lstsq(white, target, rcond=None)[0]
        rest = target - white @ coefficients
        remains = max(float(rest @ rest), n * EXACT**2)
        parameters = len(design) + 1 + (memory > 0)
        noise = float(np.sqrt(remains / max(n - len(design), 1)))
        found.append(
            Fitted(
                bic=float(schwarz(n, np.array(remains), keep, parameters)),
                noise=noise,
                memory=memory,
                line=coefficients @ design,
                residuals=rest / noise,
            )
        )
    return min(found, key=lambda fit: fit.bic)


def estimate(since: Floats, logs: Floats, design: Floats, share: float = 0.95) -> Estimate:
    """Estimate the coefficient of the last row of a design (p, n), with its interval.

    Each memory is weighted by its posterior probability under a uniform prior, so the interval is
    that of a mixture of Student's t distributions (Zellner and Tiao, "Bayesian analysis of the
    regression model with autocorrelated errors", 1964).
    """
    n, p = design.shape[1], len(design)
    weights, values, errors = [], [], []
    for memory in memories_of(since):
        keep = retained_noise(since, memory)
        white, target = whiten(design, keep).T, whiten(logs, keep)
        orthogonal, triangle = np.linalg.qr(white)
        diagonal = np.abs(np.diag(triangle))
        if diagonal.min() <= EXACT * diagonal.max():
            continue
        coefficients = np.linalg.solve(triangle, orthogonal.T @ target)
        rest = target - white @ coefficients
        remains = max(float(rest @ rest), n * EXACT**2)
        weights.append(
            -np.log1p(-(keep**2)).sum() / 2 - np.log(diagonal).sum() - (n - p) / 2 * np.log(remains)
        )
        values.append(float(coefficients[-1]))
        errors.append(float(np.sqrt(remains / (n - p)) / diagonal[-1]))
    if not weights:
        return Estimate(np.nan, -np.inf, np.inf)
    odds = np.exp(np.array(weights) - max(weights))
    return _mixture_interval(
        np.array(values), np.array(errors), odds / odds.sum(), n - p, (1 - share) / 2
    )


def _mixture_interval(
    values: Floats, errors: Floats, odds: Floats, freedom: int, tail: float
) -> Estimate:
    """Return mean and quantiles of a mixture of Student's t distributions."""
    from scipy.special import stdtr, stdtrit

    far = float(stdtrit(freedom, 1 - tail / 100)) * errors

    def quantile(probability: float) -> float:
        low, high = float((values - far).min()), float((values + far).max())
        for _ in range(_QUANTILE_HALVINGS):
            middle = (low + high) / 2
            below = odds @ stdtr(freedom, (middle - values) / errors) < probability
            low, high = (middle, high) if below else (low, middle)
        return (low + high) / 2

    return Estimate(float(odds @ values), quantile(tail), quantile(1 - tail))


#: Fewest points of a floor, of a plateau and of the growth between them.
STRETCH = 5
#: Number of positions tried for the end of a floor and for the start of a plateau.
_PLACES = 16
#: Most knots of a smooth curve, and fewest points for each of its parameters.
_KNOTS, _POINTS_A_PARAMETER = 5, 3
#: Ways to combine a floor with growth: sum, root of the sum of squares, maximum.
_ROUNDINGS = (1.0, 2.0, np.inf)
#: Number of lines whose floor and plateau are refined, and number of halvings of the step.
_REFINED, _KNEE_HALVINGS = 6, 10


class Line(NamedTuple):
    """The shape of a law, without its levels and slope."""

    #: the axis on which the law is a straight line, constant before and after the growth (n,)
    axis: Floats
    #: positions on the axis at which the floor and the plateau intersect the growth line
    knees: tuple[float, float]
    #: last point of the floor and first of the plateau; first and last point if there is none
    ends: tuple[int, int]
    #: how floor and plateau join the growth: their powers of this order add up; infinite = maximum
    powers: tuple[float, float]


class Law(NamedTuple):
    """The most likely line of a law."""

    line: Line
    slope: float
    fitted: Fitted

    @property
    def bic(self) -> float:
        """Schwarz's criterion, with floor and plateau counted as parameters."""
        first, last = self.line.ends
        places = (first > 0) + (last < len(self.line.axis) - 1)
        return self.fitted.bic + places * float(np.log(len(self.line.axis)))


def fit_flat(since: Floats, logs: Floats, levels: Floats) -> Law:
    """Fit a flat law: constant levels between the jumps."""
    line = Line(np.zeros(len(logs)), (0.0, 0.0), (0, len(logs) - 1), (np.inf, np.inf))
    return Law(line, 0.0, fit_design(since, logs, levels))


def fit_law(screen: Screen, axis: Floats) -> Law | None:
    """Fit growth along an axis with every floor and plateau, and return the most likely.

    Returns
    -------
    Law or None
        None if the slope cannot be distinguished from the jumps.
    """
    lines = [_line(axis, (axis[f], axis[e]), (np.inf, np.inf), 1.0) for f, e in _ends(len(axis))]
    costs, slopes = screen.costs(lines)
    likely = np.argsort(costs)[:_REFINED]
    if not np.isfinite(costs[likely[0]]):
        return None
    tried = [
        _line(axis, lines[i].knees, (power, power), slopes[i])
        for i in likely
        for power in _ROUNDINGS
    ]
    for shift in np.ptp(axis) / _PLACES / 2.0 ** np.arange(_KNEE_HALVINGS):
        costs, slopes = screen.costs(tried)
        best = int(np.argmin(costs))
        tried = [tried[best], *_neighbours(axis, tried[best], slopes[best], shift)]
    costs, slopes = screen.costs(tried)
    best = int(np.argmin(costs))
    design = np.vstack([screen.levels, tried[best].axis])
    fitted = fit_design(screen.since, screen.logs, design)
    return Law(tried[best], float(slopes[best]), fitted)


def _neighbours(axis: Floats, line: Line, slope: float, shift: float) -> Iterator[Line]:
    """Yield lines with slightly shifted knees, and lines with differently joined ends."""
    parts = [end not in (0, len(axis) - 1) for end in line.ends]
    lows, highs = (
        (knee - shift, knee, knee + shift) if there else (knee,)
        for knee, there in zip(line.knees, parts, strict=True)
    )
    for knees in product(lows, highs):
        if axis[0] <= knees[0] < knees[1] <= axis[-1]:
            yield _line(axis, knees, line.powers, slope)
    low_powers, high_powers = (_ROUNDINGS if there else (np.inf,) for there in parts)
    for powers in product(low_powers, high_powers):
        yield _line(axis, line.knees, powers, slope)


def fit_smooth(since: Floats, logs: Floats, levels: Floats) -> Fitted | None:
    """Fit a smooth curve: a cubic spline in the logarithm of the step, plus a term in the step.

    Returns
    -------
    Fitted or None
        None if there are too few points to distinguish a bend from noise.
    """
    most = len(logs) // _POINTS_A_PARAMETER - len(levels) - 4
    fits = [
        fit_design(since, logs, np.vstack([levels, *_bends(since, knots)]))
        for knots in range(min(_KNOTS, most) + 1)
    ]
    return min(fits, key=lambda fit: fit.bic) if fits else None


def _bends(since: Floats, knots: int) -> Iterator[Floats]:
    logarithm = np.log(since)
    place = (logarithm - logarithm[0]) / (logarithm[-1] - logarithm[0])
    yield since / since[-1]
    for power in (1, 2, 3):
        yield place**power
    for knot in np.linspace(0, 1, knots + 2)[1:-1]:
        yield np.maximum(place - knot, 0) ** 3


def _line(
    axis: Floats, knees: tuple[float, float], powers: tuple[float, float], slope: float
) -> Line:
    """Return a growth line of a given slope, joined to its floor and plateau."""
    low, high = knees
    first = int(np.searchsorted(axis, low, side="right")) - 1
    last = int(np.searchsorted(axis, high))
    line = axis
    if first > 0:
        line = low + _join(line - low, powers[0] * slope)
    if last < len(axis) - 1:
        line = high - _join(high - line, powers[1] * slope)
    return Line(line, knees, (first, last), powers)


def _join(above: Floats, steep: float) -> Floats:
    """Clip a line at 0 from below, abruptly or smoothly."""
    if steep <= EXACT or not np.isfinite(steep):
        return np.maximum(above, 0.0)
    lifted: Floats = np.logaddexp(0, steep * above) / steep
    return lifted


def _ends(n: int) -> list[tuple[int, int]]:
    """Return the candidate pairs of points at which the growth begins and ends."""
    inner = range(STRETCH - 1, n - STRETCH + 1)
    places = sorted({inner[i * (len(inner) - 1) // _PLACES] for i in range(_PLACES + 1) if inner})
    pairs = [(first, last) for first in (0, *places) for last in (*places, n - 1)]
    return [(first, last) for first, last in pairs if last - first >= STRETCH]


class Screen:
    """Fit many lines at once by generalised least squares, under each memory.

    The levels are projected out once, so that each line is a fit of a single coefficient.
    """

    def __init__(self, since: Floats, logs: Floats, levels: Floats) -> None:
        self.since, self.logs, self.levels = since, logs, levels
        self._prepared = []
        for memory in memories_of(since):
            keep = retained_noise(since, memory)
            basis = np.linalg.qr(whiten(levels, keep).T)[0]
            self._prepared.append((memory, keep, basis, _project_out(whiten(logs, keep), basis)))

    def costs(self, lines: list[Line]) -> tuple[Floats, Floats]:
        """Return the BIC and the slope of each line, under its most likely memory.

        Floor and plateau count as parameters. The BIC is infinite if a line has levels only.
        """
        n, axes = len(self.logs), np.array([line.axis for line in lines])
        least = EXACT * (axes * axes).sum(axis=1)
        tables = []
        for memory, keep, basis, rest in self._prepared:
            left = _project_out(whiten(axes, keep), basis)
            squares = (left * left).sum(axis=1)
            seen = squares > least
            slopes = left @ rest / np.where(seen, squares, np.inf)
            remains = np.maximum(rest @ rest - slopes * (left @ rest), n * EXACT**2)
            bics = schwarz(n, remains, keep, len(self.levels) + 2 + (memory > 0))
            tables.append((np.where(seen, bics, np.inf), slopes))
        bics, slopes = (np.array(table) for table in zip(*tables, strict=True))
        row, column = np.argmin(bics, axis=0), np.arange(len(lines))
        places = np.array([(line.ends[0] > 0) + (line.ends[1] < n - 1) for line in lines])
        return bics[row, column] + places * np.log(n), slopes[row, column]


def _project_out(white: Floats, basis: Floats) -> Floats:
    rest: Floats = white - (white @ basis) @ basis.T
    return rest
