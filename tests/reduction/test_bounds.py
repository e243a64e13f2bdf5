"""Bounds are the papers' formulas, in exact fractions, and no looser."""

import math
from fractions import Fraction

import numpy as np
import pytest

from fpdrift.floats import FORMATS
from fpdrift.reduction import error_bounds
from fpdrift.reduction.error_bounds import Problem

U = Fraction(1, 2**24)
SIZES = Fraction(100)
TOTAL = Fraction(-7)
SIX = Problem(n=6, u=U, total=TOTAL, sizes=SIZES, largest=Fraction(40))


def g(k):
    return k * U / (1 - k * U)


PAIRS = (1 + 3 * U**2 / (1 - 4 * U)) ** 3 - 1  # six numbers take three levels
PLACES = 6 * 40 * Fraction(1, 2**64)


@pytest.mark.parametrize(
    ("bound", "wanted"),
    [
        (error_bounds.recursive_bound, g(5) * 100),
        (error_bounds.pairwise_bound, g(3) * 100),
        (error_bounds.kahan_bound, (2 * U + 48 * U**2) * 100),
        (error_bounds.sum2_bound, 7 * U + g(5) ** 2 * 100),
        (error_bounds.sum3_bound, (U + 3 * g(5) ** 2) * 7 + g(10) ** 3 * 100),
        (error_bounds.klein_bound, 7 * U + (1 + U) * (7 * U + g(5) ** 3 * 200)),
        (error_bounds.double_double_bound, PAIRS * 100 + U * (7 + PAIRS * 100)),
        (error_bounds.exact_bound, 7 * U),
        (error_bounds.reproducible_bound, PLACES + U * (7 + PLACES)),
    ],
)
def test_bounds_are_their_formulas(bound, wanted):
    assert bound(SIX) == wanted


@pytest.mark.parametrize("n", range(1, 18))
def test_pairwise_counts_the_levels(n):
    levels = math.ceil(math.log2(n))
    assert error_bounds.pairwise_bound(
        Problem(n=n, u=U, total=TOTAL, sizes=SIZES, largest=SIZES)
    ) == (g(levels) * 100)


def test_where_a_theorem_does_not_hold_the_bound_is_infinite():
    def problem(n, sizes=1):
        u = Fraction(1, 2**8)
        return Problem(n=n, u=u, total=Fraction(0), sizes=Fraction(sizes), largest=Fraction(sizes))

    assert math.isfinite(error_bounds.recursive_bound(problem(256)))
    assert error_bounds.recursive_bound(problem(257)) == math.inf
    assert error_bounds.recursive_bound(problem(257, sizes=0)) == 0
    assert math.isfinite(error_bounds.sum3_bound(problem(64)))
    assert error_bounds.sum3_bound(problem(65)) == math.inf


@pytest.mark.parametrize("dtype", FORMATS)
def test_what_bounds_depend_on(dtype):
    fmt = FORMATS[dtype]
    problem = Problem.of(np.array([1.5, -4, 2, 0]).astype(fmt.dtype))
    assert (problem.n, problem.u) == (4, Fraction(1, 2**fmt.precision))
    assert (problem.total, problem.sizes, problem.largest) == (Fraction(-1, 2), Fraction(15, 2), 4)
    assert problem.condition == 15
    assert Problem.of(np.array([2, -2]).astype(fmt.dtype)).condition == math.inf
    assert Problem.of(np.zeros(2, fmt.dtype)).condition == 1
