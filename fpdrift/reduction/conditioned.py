"""Numbers whose sum is as ill-conditioned as one likes."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from fpdrift.checks import whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import Format, format_of, round_fraction, to_fraction
from fpdrift.reduction.rounding import Floats


def ill_conditioned(
    n: int, condition: float, rng: np.random.Generator, dtype: Any = "float64"
) -> Floats:
    """Make numbers whose sum has about the condition number given.

    Ogita, Rump and Oishi 2005, Algorithm 6.1 (GenDot), made for sums: the first half has random
    exponents up to that of the condition number; each number of the second half cancels what has
    come so far but for a rest that gets smaller; then all are shuffled. The last number is chosen
    for the condition number. What it came to is `fpdrift.reduction.bounds.Problem.condition`.

    Parameters
    ----------
    n : int
        6 or more numbers.
    condition : float
        sum(abs(x)) / abs(sum(x)), 1 to 2**100 and at most an eighth of what the dtype's largest
        number allows.
    rng : numpy.random.Generator
    dtype : str or numpy.dtype, default "float64"

    Returns
    -------
    numpy.ndarray
        (n,) of the dtype.
    """
    n = whole("n", n, 6, 2**24)
    fmt = format_of(dtype)
    largest = largest_condition(n, fmt)
    if not isinstance(condition, int | float) or not 1 <= condition <= largest:
        message = f"condition is {shown(condition)}; choose 1 to {largest:g} for {n} {fmt.name}"
        raise FpdriftError(message)
    top, half = math.log2(condition), n // 2
    exponents = np.concatenate([[top, 0], rng.uniform(0, top, half - 2)])
    falling = np.linspace(top, 0, n - half - 1)
    sizes = rng.uniform(0.5, 1, n) * rng.choice([-1, 1], n)
    made: list[Any] = []
    total = absolute = Fraction(0)
    for size, exponent in zip(sizes, [*exponents, *falling, None], strict=True):
        if exponent is None:
            wanted = absolute / Fraction(condition) * (1 if size > 0 else -1) - total
        else:
            wanted = Fraction(size * 2**exponent) - (total if len(made) >= half else 0)
        made.append(round_fraction(wanted, fmt))
        number = to_fraction(made[-1], fmt)
        total, absolute = total + number, absolute + abs(number)
    return rng.permutation(np.array(made, fmt.dtype))


def largest_condition(n: int, fmt: Format) -> float:
    """Give the largest condition number that `ill_conditioned` can make."""
    return float(2.0 ** min(100, fmt.emax - 3 - n.bit_length()))
