"""Whether products are rounded before they are added, which multiplying by ones cannot show.

A fused multiply-add adds a product as it is and rounds once, after the addition; a wider
accumulator may hold each product whole. Each input is asked by itself: its product, added to minus
that product rounded, leaves nothing if the product was rounded, and the rounding error if it was
not.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from fpdrift.floats import Format
from fpdrift.reduction._executor import run_plans
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._box import ROUNDED
from fpdrift.reduction._reveal._probing import BlackBox
from fpdrift.reduction._rounding import Floats, round_array

Flags = npt.NDArray[np.bool_]

#: Splits a float64 in two halves of 26 bits (Dekker 1971).
_SPLITTER = 2.0**27 + 1


def product_rows(
    n: int, fmt: Format, rounds: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw (2 * rounds, n) numbers and factors whose products have rounding errors that count.

    Half of the rows hold products with their negatives: then only the rounding errors are left. No
    error is subnormal, and no sum overflows.
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
    """Return products rounded to the format, and what the rounding left out, exactly."""
    if fmt.name != "float64":
        whole = rows.astype(np.float64) * factors.astype(np.float64)
        near = round_array(whole, fmt)
        return near, (whole - near.astype(np.float64)).astype(fmt.dtype)
    near = rows * factors
    (high, low), (other, rest) = _halves(rows), _halves(factors)
    error: Floats = ((high * other - near) + high * rest + low * other) + low * rest
    return near, error


def unrounded_inputs(box: BlackBox, plan: Plan, rng: np.random.Generator) -> Flags | None:
    """Ask which products are added unrounded, (n,); None where an answer is neither."""
    n, fmt = box.n, box.fmt
    rows, factors = np.zeros((2, n, n), fmt.dtype)
    factors[:] = np.ones((), fmt.dtype)
    numbers, others = _inexact(n, fmt, rng)
    near, error = whole_products(numbers, others, fmt)
    each = np.arange(n)
    rows[each, each], factors[each, each] = numbers, others
    rows[each, _met_first(plan)] = -near
    given = box.sums(rows, factors)
    whole = given == error
    return whole if (whole | (given == 0)).all() else None


def product_sums(
    plan: Plan, acc: Format, unrounded: Flags, rows: Floats, factors: Floats, fmt: Format
) -> Floats:
    """Add products by a plan, each rounded to the format first unless it is marked."""
    near, error = whole_products(rows, factors, fmt)
    if acc is not fmt and 2 * fmt.precision <= acc.precision:  # it holds a product whole
        whole = rows.astype(acc.dtype) * factors.astype(acc.dtype)
        sums = run_plans(plan, np.where(unrounded, whole, near.astype(acc.dtype)))
    else:
        terms = np.concatenate([near, error[:, unrounded]], axis=1)
        sums = run_plans(_with_errors(plan, unrounded), terms.astype(acc.dtype))
    return ROUNDED(sums, fmt)


def _met_first(plan: Plan) -> list[int]:
    """Name for each input another one, of what it is added to: elsewhere it would add to zero."""
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
    """Add to each node that takes an unrounded product its rounding error, as an input more.

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


def _inexact(n: int, fmt: Format, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw (n,) numbers and factors of 1 to 2 whose products all have a rounding error."""
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
