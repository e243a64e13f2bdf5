"""Data that tell orders and accumulators apart, each kind in its own way."""

import numpy as np

from fpdrift.floats import FORMATS


def mixture(n, dtype, rng, rows):
    """(rows, n) numbers, each row in one of eight ways; no sum of any order overflows."""
    fmt = FORMATS[dtype]
    kinds = (
        *(narrow, wide, cancelling, ladder),
        *(near_ties, with_zeros, subnormal, whole_numbers),
    )
    data = [kinds[i % len(kinds)](n, fmt, rng) for i in range(rows)]
    return np.stack([row.astype(fmt.dtype) for row in data])


def top(n, fmt):
    """Exponent of what n numbers may have without overflow."""
    return fmt.emax - n.bit_length() - 1


def narrow(n, fmt, rng):
    return rng.standard_normal(n)


def wide(n, fmt, rng):
    exponents = rng.uniform(fmt.emin / 2, min(top(n, fmt), fmt.emax / 2), n)
    return np.exp2(exponents) * rng.choice([-1, 1], n)


def cancelling(n, fmt, rng):
    """Groups that sum to zero but for a tiny rest, shuffled."""
    half = np.exp2(rng.uniform(0, min(top(n, fmt), 2 * fmt.precision), n // 2))
    half = half.astype(fmt.dtype).astype(np.float64)
    rest = rng.standard_normal(n - 2 * len(half)) if n % 2 else rng.standard_normal(0)
    row = rng.permutation(np.concatenate([half, -half, rest]))
    return np.where(rng.random(n) < 0.1, rng.standard_normal(n), row)


def ladder(n, fmt, rng):
    """Plus and minus pairs, far apart in size, and a few in between."""
    step = rng.choice([fmt.precision // 2, fmt.precision, 26])
    levels = np.exp2(-(step * rng.integers(0, 4, n)) + min(top(n, fmt), 60))
    levels[1::2] = -levels[: n - n % 2 : 2] if n > 1 else levels[1::2]
    return rng.permutation(levels)


def near_ties(n, fmt, rng):
    """Halves of an ulp of 1, and a little more or less."""
    half = 2.0**-fmt.precision
    ticks = half * rng.choice([1, -1, 3, 0.5, 1 + 2.0 ** (1 - fmt.precision)], n)
    return np.where(rng.random(n) < 0.3, rng.choice([1.0, -1.0], n), ticks)


def with_zeros(n, fmt, rng):
    row = rng.standard_normal(n) * np.exp2(rng.uniform(-8, 4, n))
    return np.where(rng.random(n) < 0.5, rng.choice([0.0, -0.0], n), row)


def subnormal(n, fmt, rng):
    sizes = np.ldexp(rng.integers(0, 2**fmt.precision, n).astype(np.float64), fmt.quantum)
    return sizes * rng.choice([-1, 1], n)


def whole_numbers(n, fmt, rng):
    largest = 2 ** min(fmt.precision, 11, top(n, fmt))
    return rng.integers(-largest, largest, n, endpoint=True) * 1.0
