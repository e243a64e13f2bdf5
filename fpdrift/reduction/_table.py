"""Compare the errors, error bounds and costs of the summation methods.

The numbers are generated with a given condition number; a second study increases their count.
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
    """Generate numbers whose sum has approximately the given condition number.

    Ogita, Rump and Oishi 2005, Algorithm 6.1 (GenDot), adapted to sums: the first half has random
    exponents up to that of the condition number; each number of the second half cancels the sum so
    far except for a decreasing remainder; then all are shuffled. The last number determines the
    condition number; `fpdrift.reduction.error_bounds.Problem.condition` gives its exact value.

    Parameters
    ----------
    n : int
        Number of values, at least 6.
    condition : float
        sum(abs(x)) / abs(sum(x)), 1 to 2**100, and at most an eighth of the limit set by the
        dtype's largest number.
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
    """A summation method."""

    name: str
    add: Callable[[Any], Any]
    bound: Callable[[error_bounds.Problem], error_bounds.Bound]
    #: whether another order of the same numbers may give different bits
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
    """One summation method on one set of numbers."""

    name: str
    #: sum(abs(x)) / abs(sum(x)) of the numbers
    condition: float
    #: the result in the first order, a NumPy scalar
    value: Any
    #: largest relative error over the orders tried, in units of u
    error: float
    #: error bound in the same units; infinite if there is none
    bound: float
    #: whether another order may give different bits, by design
    order_matters: bool
    #: number of different results over the orders
    results: int
    #: median ratio of its time to that of `numpy.sum` (None: not timed)
    times_numpy: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SumTable(Result):
    """Summation methods compared on numbers with increasing condition numbers."""

    n: int
    dtype: str
    seed: int
    #: number of orders tried with each method
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
    """Sum ill-conditioned numbers with every method, in several orders.

    Parameters
    ----------
    n : int, default 1000
        Number of values, 6 to 2**20.
    conditions : sequence of float, optional
        Condition numbers of the sums; see `ill_conditioned`. By default 1e2, 1e6 and 1e10, as far
        as the dtype allows.
    dtype : str or numpy.dtype, default "float32"
    orders : int, default 20
        Number of orders, of which the first is the order in which the numbers are generated.
    seed : int, default 1
    repeats : int, default 0
        How often to time each method next to `numpy.sum`; 0 for no timing. Kahan's sum is a
        Python loop here and the others are NumPy calls, so the times are not the intrinsic costs
        of the algorithms.
    progress : callable, optional
        Called with the number of rows done and the total.

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
            f"conditions is {short_repr(conditions)}; pass several numbers, such as (1e2, 1e6)"
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
    """Time a method and `numpy.sum` alternately."""
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
    """Summation methods compared on increasing counts of numbers with similar condition numbers."""

    #: one table for each n, each with one condition number
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
    """Sum increasing counts of numbers with every method.

    Parameters
    ----------
    ns : sequence of int
        Numbers of values, each 6 to 2**20.
    condition : float, default 100
        Condition number of the sums; see `ill_conditioned`.
    dtype, orders, seed
        As for `sum_table`.
    progress : callable, optional
        Called with the number of sizes done and the total.

    Returns
    -------
    SumGrowth

    Raises
    ------
    FpdriftError
        If an argument is out of its range.
    """
    if not isinstance(ns, Sequence) or isinstance(ns, str) or not ns:
        message = f"ns is {short_repr(ns)}; pass several whole numbers, such as (100, 1000)"
        raise FpdriftError(message)
    check_callable("progress", progress)
    tables: list[SumTable] = []
    for n in ns:
        if progress is not None:
            progress(len(tables), len(ns))
        tables.append(sum_table(n, (condition,), dtype=dtype, orders=orders, seed=seed))
    return SumGrowth(tables=tuple(tables))
