"""Least squares under noise whose correlation falls as exp(-steps / memory).

Distances at neighbouring steps err alike. Taken for independent, they would make every law look
certain, and every slow bend of the noise look like a law of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

#: Logarithms closer than this to a line are on it.
EXACT = 1e-12
#: Halvings of an interval while a quantile is looked for.
_HALVINGS = 60


class Fitted(NamedTuple):
    """The likeliest fit of a design."""

    bic: float
    #: standard deviation of the noise
    noise: float
    #: steps after which it keeps 1/e of its correlation; 0 = none
    memory: float
    #: (n,)
    line: Floats
    #: what is left, as independent noise of standard deviation 1 if the design is right (n,)
    residuals: Floats


class Estimate(NamedTuple):
    """A coefficient with its interval."""

    value: float
    low: float
    high: float


def memories_of(since: Floats) -> list[float]:
    """List the memories to try: none, and powers of two up to all steps."""
    return [0.0, *2.0 ** np.arange(np.log2(max(since[-1] - since[0], 2.0)))]


def kept(since: Floats, memory: float) -> Floats:
    """Return which part of the noise is kept from each point to the next (n - 1,)."""
    return np.exp(-np.diff(since) / memory) if memory else np.zeros(len(since) - 1)


def whitened(rows: Floats, keep: Floats) -> Floats:
    """Turn noise that keeps a part of itself from point to point into independent noise."""
    white = rows.copy()
    white[..., 1:] -= keep * rows[..., :-1]
    white[..., 1:] /= np.sqrt(1 - keep**2)
    return white


def schwarz(n: int, remains: Floats, keep: Floats, parameters: int) -> Floats:
    """Return Schwarz's criterion (BIC) of fits that leave these sums of squares."""
    bic: Floats = n * np.log(remains / n) + np.log1p(-(keep**2)).sum() + parameters * np.log(n)
    return bic


def fit_design(since: Floats, logs: Floats, design: Floats) -> Fitted:
    """Fit the rows of a design (p, n) under each memory; return the likeliest by BIC."""
    n, found = len(logs), []
    for memory in memories_of(since):
        keep = kept(since, memory)
        white, target = whitened(design, keep).T, whitened(logs, keep)
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

    Every memory counts as much as it is probable, given equal chances before: the interval is that
    of a mixture of Student's t distributions (Zellner and Tiao, "Bayesian analysis of the
    regression model with autocorrelated errors", 1964).
    """
    n, p = design.shape[1], len(design)
    weights, values, errors = [], [], []
    for memory in memories_of(since):
        keep = kept(since, memory)
        white, target = whitened(design, keep).T, whitened(logs, keep)
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
    return _mixed(np.array(values), np.array(errors), odds / odds.sum(), n - p, (1 - share) / 2)


def _mixed(values: Floats, errors: Floats, odds: Floats, freedom: int, tail: float) -> Estimate:
    """Return mean and quantiles of a mixture of Student's t distributions."""
    from scipy.special import stdtr, stdtrit

    far = float(stdtrit(freedom, 1 - tail / 100)) * errors

    def quantile(probability: float) -> float:
        low, high = float((values - far).min()), float((values + far).max())
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = odds @ stdtr(freedom, (middle - values) / errors) < probability
            low, high = (middle, high) if below else (low, middle)
        return (low + high) / 2

    return Estimate(float(odds @ values), quantile(tail), quantile(1 - tail))
