"""Bound the error of each summation method, by the theorem in its paper.

Each function takes a `Problem` and returns an exact number, or infinity if the theorem's condition
on n is not met. The bounds hold barring overflow; underflow is harmless, because sums of floats
that underflow are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fpdrift.floats import Format, format_of, to_fraction
from fpdrift.reduction.algorithms import PLACES, WIDTH

Bound = Fraction | float


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """The exact properties of a sum on which the bounds depend."""

    n: int
    #: unit roundoff, 2**-p
    u: Fraction
    #: the exact sum
    total: Fraction
    #: sum of magnitudes
    sizes: Fraction
    #: largest magnitude
    largest: Fraction

    @classmethod
    def of(cls, values: Any) -> Problem:
        """Return the problem of (n,) finite numbers of one of the four dtypes."""
        fmt: Format = format_of(values.dtype)
        exact = [to_fraction(x, fmt) for x in values]
        sizes = [abs(x) for x in exact]
        return cls(
            n=len(exact),
            u=Fraction(1, 2**fmt.precision),
            total=sum(exact, Fraction(0)),
            sizes=sum(sizes, Fraction(0)),
            largest=max(sizes),
        )

    @property
    def condition(self) -> Bound:
        """The condition number of the sum, sum(abs(x)) / abs(sum(x))."""
        return self.sizes / abs(self.total) if self.total else math.inf if self.sizes else 1.0


def gamma(k: int, u: Fraction) -> Bound:
    """Return k*u / (1 - k*u) (Higham 2002, Lemma 3.1)."""
    return k * u / (1 - k * u) if k * u < 1 else math.inf


def recursive_bound(p: Problem) -> Bound:
    """Higham 2002, equation 4.4: gamma_(n-1) * sum(abs(x)), valid in every order."""
    return _times(gamma(p.n - 1, p.u), p.sizes)


def pairwise_bound(p: Problem) -> Bound:
    """Higham 2002, section 4.2: gamma_log2(n) * sum(abs(x))."""
    return _times(gamma((p.n - 1).bit_length(), p.u), p.sizes)


def kahan_bound(p: Problem) -> Bound:
    """Higham 2002, equation 4.9: (2u + O(n u**2)) * sum(abs(x)); the O is taken as 8n u**2."""
    return (2 * p.u + 8 * p.n * p.u**2) * p.sizes


def sum2_bound(p: Problem) -> Bound:
    """Ogita, Rump and Oishi 2005, Proposition 4.5: u*abs(s) + gamma_(n-1)**2 * sum(abs(x)).

    It also bounds Neumaier's sum, which adds the same errors to the same sum.
    """
    return p.u * abs(p.total) + _times(gamma(p.n - 1, p.u), p.sizes, power=2)


def sum3_bound(p: Problem) -> Bound:
    """Ogita, Rump and Oishi 2005, the bound of SumK for K = 3, if 4nu is at most 1.

    (u + 3 gamma_(n-1)**2) * abs(s) + gamma_(2n-2)**3 * sum(abs(x)).
    """
    if 4 * p.n * p.u > 1:
        return math.inf
    first = p.u * abs(p.total) + _times(gamma(p.n - 1, p.u), 3 * abs(p.total), power=2)
    return first + _times(gamma(2 * p.n - 2, p.u), p.sizes, power=3)


def klein_bound(p: Problem) -> Bound:
    """Three times the argument of Ogita, Rump and Oishi's Proposition 4.5 (derived here).

    The errors of a plain loop sum to at most gamma_(n-1) times the magnitudes that it adds (used
    there). So the error of the last loop is at most gamma_(n-1)**3 * sum(abs(x)); the first of the
    last two additions, s + cs, has an error of u * (abs(s) + gamma_(n-1)**2 * sum(abs(x))), the
    second of u.
    """
    lost = p.u * abs(p.total) + _times(gamma(p.n - 1, p.u), 2 * p.sizes, power=3)
    return p.u * abs(p.total) + (1 + p.u) * lost


def double_double_bound(p: Problem) -> Bound:
    """Joldes, Muller and Popescu 2017, the bound of Algorithm 6, at each level of a pairwise sum.

    Each addition of pairs has an error of at most 3u**2 / (1 - 4u), which Muller and Rideau 2022,
    "Formalization of double-word arithmetic", ACM Transactions on Mathematical Software 48(1),
    proved again; the result is rounded once more.
    """
    each = 3 * p.u**2 / (1 - 4 * p.u)
    pairs = ((1 + each) ** (p.n - 1).bit_length() - 1) * p.sizes
    return pairs + p.u * (abs(p.total) + pairs)


def exact_bound(p: Problem) -> Bound:
    """Return the error of one rounding: u * abs(s)."""
    return p.u * abs(p.total)


def reproducible_bound(p: Problem) -> Bound:
    """Return a bound for the digits of n numbers that are not kept, plus one rounding.

    A number loses less than one unit of the lowest position kept, and the largest number is at
    least one unit of the highest.
    """
    lost = p.n * p.largest * Fraction(1, 2 ** (WIDTH * (PLACES - 1)))
    return lost + p.u * (abs(p.total) + lost)


def _times(factor: Bound, sizes: Fraction, power: int = 1) -> Bound:
    """Multiply; infinity times zero is zero."""
    if isinstance(factor, float):
        return factor if sizes else Fraction(0)
    return factor**power * sizes
