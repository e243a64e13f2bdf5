"""What each way of summing gets wrong, may get wrong, and costs, in one table.

What each way of summing gets wrong as there are more numbers.

Numbers whose sum is as ill-conditioned as one likes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import Format, format_of, round_fraction, to_bits, to_fraction
from fpdrift.reduction import algorithms, error_bounds
from fpdrift.reduction._rounding import Floats
from fpdrift.serialization import Result
from fpdrift.validation import check_callable, check_int


def ill_conditioned(
    n: int, condition: float, rng: np.random.Generator, dtype: Any = "float64"
) -> Floats:
    """Make numbers whose sum has about the condition number given.

    Ogita, Rump and Oishi 2005, Algorithm 6.1 (GenDot), made for sums: the first half has random
    exponents up to that of the condition number; each number of the second half cancels what has
    come so far but for a rest that gets smaller; then all are shuffled. The last number is chosen
    for the condition number. What it came to is `fpdrift.reduction.error_bounds.Problem.condition`.

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
    n = check_int("n", n, 6, 2**24)
    fmt = format_of(dtype)
    largest = largest_condition(n, fmt)
    if not isinstance(condition, int | float) or not 1 <= condition <= largest:
        message = (
            f"condition is {short_repr(condition)}; choose 1 to {largest:g} for {n} {fmt.name}"
        )
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
    """Return the largest condition number that `ill_conditioned` can make."""
    return float(2.0 ** min(100, fmt.emax - 3 - n.bit_length()))


_CONDITIONS = (1e2, 1e6, 1e10)


@dataclass(frozen=True, slots=True)
class Method:
    """A way of summing."""

    name: str
    add: Callable[[Any], Any]
    bound: Callable[[error_bounds.Problem], error_bounds.Bound]
    #: whether another order of the same numbers may give other bits
    order_matters: bool


METHODS = (
    Method("recursive", algorithms.recursive_sum, error_bounds.recursive_bound, True),
    Method("pairwise", algorithms.pairwise_sum, error_bounds.pairwise_bound, True),
    Method("Kahan", algorithms.kahan_sum, error_bounds.kahan_bound, True),
    Method("Neumaier", algorithms.neumaier_sum, error_bounds.sum2_bound, True),
    Method("Klein", algorithms.klein_sum, error_bounds.klein_bound, True),
    Method("Sum2", algorithms.sum_k, error_bounds.sum2_bound, True),
    Method("Sum3", partial(algorithms.sum_k, k=3), error_bounds.sum3_bound, True),
    Method("double-double", algorithms.double_double_sum, error_bounds.double_double_bound, True),
    Method("exact", algorithms.exact_sum, error_bounds.exact_bound, False),
    Method("reproducible", algorithms.reproducible_sum, error_bounds.reproducible_bound, False),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SumRow(Result):
    """One way of summing on one set of numbers."""

    name: str
    #: sum(abs(x)) / abs(sum(x)) of the numbers
    condition: float
    #: the result in the numbers' first order, a NumPy scalar
    value: Any
    #: largest relative error over the orders that were tried, in units of u
    error: float
    #: the same that its bound allows; infinite where it allows anything
    bound: float
    #: whether another order may give other bits, by its design
    order_matters: bool
    #: how many different results the orders gave
    results: int
    #: median time over that of `numpy.sum` in the same run (None: not timed)
    times_numpy: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SumTable(Result):
    """Ways of summing, on the same numbers with growing condition numbers."""

    n: int
    dtype: str
    seed: int
    #: how many orders each method was given
    orders: int
    rows: tuple[SumRow, ...]

    def __repr__(self) -> str:
        conditions = sorted({row.condition for row in self.rows})
        return (
            f"SumTable({self.n} {self.dtype}, {len(METHODS)} methods, "
            f"condition numbers {', '.join(f'{c:.1e}' for c in conditions)})"
        )


def sum_table(
    n: int = 1000,
    conditions: Sequence[float] | None = None,
    *,
    dtype: Any = "float32",
    orders: int = 20,
    seed: int = 1,
    repeats: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> SumTable:
    """Sum ill-conditioned numbers in all ways, in several orders.

    Parameters
    ----------
    n : int, default 1000
        How many numbers, 6 to 2**20.
    conditions : sequence of float, optional
        Condition numbers that the numbers should have; see `ill_conditioned`. By default 1e2, 1e6
        and 1e10, as far as the dtype can have them.
    dtype : str or numpy.dtype, default "float32"
    orders : int, default 20
        In how many orders to sum them, the first being as they are made.
    seed : int, default 1
    repeats : int, default 0
        How often to time each method beside `numpy.sum`; 0 takes no times. Kahan's sum is a
        Python loop here, the others are NumPy calls, so this is not the algorithms' own price.
    progress : callable, optional
        Called with the rows done and the rows to do.

    Returns
    -------
    SumTable
        A row for each condition number and method.

    Raises
    ------
    FpdriftError
        If an argument is out of its range.
    """
    n = check_int("n", n, 6, 2**20)
    orders = check_int("orders", orders, 1, 10**6)
    repeats = check_int("repeats", repeats, 0, 10**6)
    seed = check_int("seed", seed, 0, 2**64 - 1)
    fmt = format_of(dtype)
    if conditions is None:
        largest = largest_condition(n, fmt)
        conditions = tuple(c for c in _CONDITIONS if c <= largest) or (1.0, largest)
    if not isinstance(conditions, Sequence) or isinstance(conditions, str):
        message = (
            f"conditions is {short_repr(conditions)}; give several numbers, such as (1e2, 1e6)"
        )
        raise FpdriftError(message)
    check_callable("progress", progress)
    rng = np.random.default_rng(seed)
    rows: list[SumRow] = []
    for condition in conditions:
        values = ill_conditioned(n, condition, rng, fmt.name)
        problem = error_bounds.Problem.of(values)
        shuffled = [values, *(rng.permutation(values) for _ in range(orders - 1))]
        for method in METHODS:
            if progress is not None:
                progress(len(rows), len(conditions) * len(METHODS))
            rows.append(_row(method, shuffled, problem, fmt, repeats))
    return SumTable(n=n, dtype=fmt.name, seed=seed, orders=orders, rows=tuple(rows))


def _row(
    method: Method, shuffled: list[Floats], problem: error_bounds.Problem, fmt: Format, repeats: int
) -> SumRow:
    results = [method.add(values) for values in shuffled]
    unit = problem.u * abs(problem.total)
    errors = [abs(to_fraction(result, fmt) - problem.total) for result in results]
    return SumRow(
        name=method.name,
        condition=float(problem.condition),
        value=results[0],
        error=float(max(errors) / unit),
        bound=float(method.bound(problem) / unit),
        order_matters=method.order_matters,
        results=len({to_bits(result, fmt) for result in results}),
        times_numpy=_times_numpy(method, shuffled[0], repeats) if repeats else None,
    )


def _times_numpy(method: Method, values: Floats, repeats: int) -> float:
    """Time a method and `numpy.sum` by turns."""
    ratios = []
    for _ in range(repeats):
        began = time.perf_counter()
        np.sum(values)
        between = time.perf_counter()
        method.add(values)
        ratios.append((time.perf_counter() - between) / max(between - began, 1e-9))
    return median(ratios)


@dataclass(frozen=True, kw_only=True, slots=True)
class SumGrowth(Result):
    """Ways of summing, on more and more numbers of about one condition number."""

    #: one for each n, each with one condition number
    tables: tuple[SumTable, ...]

    def __repr__(self) -> str:
        return f"SumGrowth({', '.join(f'{table.n:,}' for table in self.tables)} numbers)"


def sum_growth(
    ns: Sequence[int] = (100, 1000, 10_000, 100_000),
    condition: float = 1e2,
    *,
    dtype: Any = "float32",
    orders: int = 5,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SumGrowth:
    """Sum more and more numbers in all ways.

    Parameters
    ----------
    ns : sequence of int
        How many numbers, each 6 to 2**20.
    condition : float, default 100
        Condition number that the numbers should have; see `ill_conditioned`.
    dtype, orders, seed
        As for `sum_table`.
    progress : callable, optional
        Called with the sizes done and the sizes to do.

    Returns
    -------
    SumGrowth

    Raises
    ------
    FpdriftError
        If an argument is out of its range.
    """
    if not isinstance(ns, Sequence) or isinstance(ns, str) or not ns:
        message = f"ns is {short_repr(ns)}; give several whole numbers, such as (100, 1000)"
        raise FpdriftError(message)
    check_callable("progress", progress)
    tables: list[SumTable] = []
    for n in ns:
        if progress is not None:
            progress(len(tables), len(ns))
        tables.append(sum_table(n, (condition,), dtype=dtype, orders=orders, seed=seed))
    return SumGrowth(tables=tuple(tables))
