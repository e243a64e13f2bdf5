"""How often intervals hold the truth: figures drawn from known laws, and the share that is held."""

import numpy as np
from scipy.stats import binom, binomtest, bootstrap, t

from fpdrift.comparison import survival_curve
from fpdrift.comparison._intervals import median_interval, share_interval

#: What the project's studies have, and numbers between.
SIZES = (6, 8, 10, 15, 24, 30, 50)
#: Laws of the figures: (tries, n) numbers, their mean, and their lowest and highest median.
LAWS = {
    "normal": lambda rng, shape: (rng.normal(size=shape), 0.0, (0.0, 0.0)),
    "lognormal": lambda rng, shape: (rng.lognormal(0, 1, shape), np.exp(0.5), (1.0, 1.0)),
    "over decades": lambda rng, shape: (rng.lognormal(0, 3, shape), np.exp(4.5), (1.0, 1.0)),
    "two-valued, 0.3": lambda rng, shape: ((rng.random(shape) < 0.3) * 1.0, 0.3, (0.0, 0.0)),
    "two-valued, 0.5": lambda rng, shape: ((rng.random(shape) < 0.5) * 1.0, 0.5, (0.0, 1.0)),
}
#: Shares that are left at the steps looked at, of differences of which a tenth goes at each step.
STEPS = (1, 3, 7, 14, 22)


def of_medians(draw, n, tries, rng):
    """Give the share of our intervals that hold the median."""
    values, _, (low, high) = draw(rng, (tries, n))
    found = [median_interval(row) for row in values.tolist()]
    return np.mean([i.low <= high and low <= i.high for i in found])


def of_means(method, draw, n, tries, rng):
    """Give the share of another method's intervals that hold the mean: why they are not ours."""
    values, mean, _ = draw(rng, (tries, n))
    middle = values.mean(axis=1)
    if method == "Student's t":
        half = t.ppf(0.975, n - 1) * values.std(axis=1, ddof=1) / np.sqrt(n)
        low, high = middle - half, middle + half
    else:
        with np.errstate(all="ignore"):
            found = bootstrap(
                (values,), np.mean, axis=-1, n_resamples=999, batch=50, method=method, rng=rng
            ).confidence_interval
        flat = np.ptp(values, axis=1) == 0  # BCa knows nothing of equal numbers
        low, high = np.where(flat, middle, found.low), np.where(flat, middle, found.high)
    slack = 1e-12
    return np.mean((low <= mean + slack) & (mean <= high + slack))


def of_shares(n, interval=share_interval):
    """Give the smallest probability, over 999 shares, that an interval holds the share."""
    shares = np.arange(1, 1000) / 1000
    held = np.zeros(len(shares))
    for count in range(n + 1):
        its = interval(count, n)
        held += binom.pmf(count, n, shares) * ((its.low <= shares) & (shares <= its.high))
    return held.min()


def wilson(count, n):
    """Give Wilson's interval of a share."""
    return binomtest(count, n).proportion_ci(0.95, "wilson")


def of_bands(n, watched, tries, rng):
    """Give, for each of `STEPS`, the share of bands that hold what is left there.

    A band counts where a difference is still watched at that step; `watched` is for how long each
    is, at least and at most.
    """
    held, counted = np.zeros(len(STEPS)), np.zeros(len(STEPS))
    for _ in range(tries):
        lasts, ends = rng.geometric(0.1, n), rng.integers(watched[0], watched[1] + 1, n)
        found = survival_curve(np.minimum(lasts, ends), lasts <= ends)
        for i, step in enumerate(STEPS):
            if (np.minimum(lasts, ends) < step).all():
                continue
            low, high = found.band(step)
            counted[i] += not np.isnan(low)
            held[i] += low <= 0.9**step <= high
    return held[counted > 0] / counted[counted > 0]


def of_shared_run(n, tries, rng):
    """Give the coverage where all pairs share a run and are taken as independent all the same."""
    first = rng.normal(size=(tries, 1))
    away = np.abs(rng.normal(size=(tries, n)) - first)
    median = 0.6744897501960817 * np.sqrt(2)  # of the size of a difference of two such runs
    found = [median_interval(row) for row in away.tolist()]
    return np.mean([i.low <= median <= i.high for i in found])
