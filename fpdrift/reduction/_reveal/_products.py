"""Determine whether products are rounded before they are added.

Multiplication by ones cannot show this. A fused multiply-add adds the exact product and rounds
once, after the addition; a wider accumulator may hold each product exactly. Each input is probed by
itself: its product plus the negative of the rounded product is zero if the product was rounded, and
the rounding error if it was not.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from fpdrift.floats import Format
from fpdrift.reduction._executor import run_plans
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._probing import ProbedFunction
from fpdrift.reduction._reveal._sum_adapter import ROUNDED
from fpdrift.reduction._rounding import Floats, round_array

Flags = npt.NDArray[np.bool_]

#: Splits a float64 into two halves of 26 bits (Dekker 1971).
_SPLITTER = 2.0**27 + 1


def product_rows(
    n: int, fmt: Format, rounds: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw (2 * rounds, n) numbers and factors whose products have significant rounding errors.

    Half of the rows contain products and their negatives, so that only the rounding errors remain.
    No error is subnormal, and no sum overflows.
    """
    low, high = (-1, 1) if fmt.name == "float16" else (-4, 4)
    pairs = []
    for _ in range(2):
        exponents = rng.integers(low, high, (2 * rounds, n))
        signed = (1 + rng.random((2 * rounds, n))) * rng.choice([-1.0, 1.0], (2 * rounds, n))
        pairs.append(round_array(np.ldexp(signed, exponents), fmt))
    rows, factors = pairs
    half = n // 2
    rows[::2, half : 2 * half], factors[::2, half : 2 * half] = (
        -rows[::2, :half],
        factors[::2, :half],
    )
    for row, factor in zip(rows[::2], factors[::2], strict=True):
        order = rng.permutation(n)
        row[:], factor[:] = row[order], factor[order]
    return rows, factors


def whole_products(rows: Floats, factors: Floats, fmt: Format) -> tuple[Floats, Floats]:
    """Return products rounded to the format, and their exact rounding errors."""
    if fmt.name != "float64":
        whole = rows.astype(np.float64) * factors.astype(np.float64)
        near = round_array(whole, fmt)
        return near, (whole - near.astype(np.float64)).astype(fmt.dtype)
    near = rows * factors
    (high, low), (other, rest) = _halves(rows), _halves(factors)
    error: Floats = ((high * other - near) + high * rest + low * other) + low * rest
    return near, error


def unrounded_inputs(
    function: ProbedFunction, plan: Plan, rng: np.random.Generator
) -> Flags | None:
    """Return which products are added unrounded, (n,); None if a probe's answer is neither."""
    n, fmt = function.n, function.fmt
    rows, factors = np.zeros((2, n, n), fmt.dtype)
    factors[:] = np.ones((), fmt.dtype)
    numbers, others = _draw_inexact(n, fmt, rng)
    near, error = whole_products(numbers, others, fmt)
    each = np.arange(n)
    rows[each, each], factors[each, each] = numbers, others
    rows[each, _partners(plan)] = -near
    observed = function.sums(rows, factors)
    whole = observed == error
    return whole if (whole | (observed == 0)).all() else None


def product_sums(
    plan: Plan, acc: Format, unrounded: Flags, rows: Floats, factors: Floats, fmt: Format
) -> Floats:
    """Add products by a plan, each rounded to the format first unless marked as unrounded."""
    near, error = whole_products(rows, factors, fmt)
    if acc is not fmt and 2 * fmt.precision <= acc.precision:  # it holds a product exactly
        whole = rows.astype(acc.dtype) * factors.astype(acc.dtype)
        sums = run_plans(plan, np.where(unrounded, whole, near.astype(acc.dtype)))
    else:
        terms = np.concatenate([near, error[:, unrounded]], axis=1)
        sums = run_plans(_with_errors(plan, unrounded), terms.astype(acc.dtype))
    return ROUNDED(sums, fmt)


def _partners(plan: Plan) -> list[int]:
    """Return for each input another one that it is added to; beside others it would meet zero."""
    first, met = list(range(plan.n)), [0] * plan.n
    kids = plan.children.tolist()
    for begin, end in pairwise(plan.starts.tolist()):
        here = kids[begin:end]
        for kid, other in zip(here, [*here[1:], here[0]], strict=True):
            if kid < plan.n:
                met[kid] = first[other]
        first.append(first[here[0]])
    return met


def _with_errors(plan: Plan, unrounded: Flags) -> Plan:
    """Give each node with an unrounded product the product's rounding error as another input.

    A node of several terms adds them exactly and rounds once, as a fused multiply-add does.
    """
    n, more = plan.n, int(unrounded.sum())
    errors = dict(zip(np.flatnonzero(unrounded).tolist(), range(n, n + more), strict=True))
    children, starts = [], [0]
    kids = plan.children.tolist()
    for begin, end in pairwise(plan.starts.tolist()):
        here = kids[begin:end]
        children += [kid if kid < n else kid + more for kid in here]
        children += [errors[kid] for kid in here if kid in errors]
        starts.append(len(children))
    return Plan(n=n + more, children=children, starts=starts, aligned=plan.aligned)  # type: ignore[arg-type]  # it takes lists


def _draw_inexact(n: int, fmt: Format, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw (n,) numbers and factors from 1 to 2 whose products all have a rounding error."""
    numbers, factors = (round_array(1 + rng.random(n), fmt) for _ in range(2))
    while True:
        exact = whole_products(numbers, factors, fmt)[1] == 0
        if not exact.any():
            return numbers, factors
        factors[exact] = round_array(1 + rng.random(int(exact.sum())), fmt)
        numbers[exact] = round_array(1 + rng.random(int(exact.sum())), fmt)


def _halves(x: Floats) -> tuple[Floats, Floats]:
    wide = x * _SPLITTER
    high = wide - (wide - x)
    return high, x - high
