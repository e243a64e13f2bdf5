"""What each way of summing gets wrong, may get wrong, and costs, in one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from fpdrift.checks import check_callable, whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import Format, format_of, to_bits, to_fraction
from fpdrift.reduction import bounds, sums
from fpdrift.reduction.conditioned import ill_conditioned, largest_condition
from fpdrift.reduction.rounding import Floats
from fpdrift.results import Result

_CONDITIONS = (1e2, 1e6, 1e10)


@dataclass(frozen=True, slots=True)
class Method:
    """A way of summing."""

    name: str
    add: Callable[[Any], Any]
    bound: Callable[[bounds.Problem], bounds.Bound]
    #: whether another order of the same numbers may give other bits
    order_matters: bool


METHODS = (
    Method("recursive", sums.recursive_sum, bounds.recursive_bound, True),
    Method("pairwise", sums.pairwise_sum, bounds.pairwise_bound, True),
    Method("Kahan", sums.kahan_sum, bounds.kahan_bound, True),
    Method("Neumaier", sums.neumaier_sum, bounds.sum2_bound, True),
    Method("Klein", sums.klein_sum, bounds.klein_bound, True),
    Method("Sum2", sums.sum_k, bounds.sum2_bound, True),
    Method("Sum3", partial(sums.sum_k, k=3), bounds.sum3_bound, True),
    Method("double-double", sums.double_double_sum, bounds.double_double_bound, True),
    Method("exact", sums.exact_sum, bounds.exact_bound, False),
    Method("reproducible", sums.reproducible_sum, bounds.reproducible_bound, False),
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
    n = whole("n", n, 6, 2**20)
    orders = whole("orders", orders, 1, 10**6)
    repeats = whole("repeats", repeats, 0, 10**6)
    seed = whole("seed", seed, 0, 2**64 - 1)
    fmt = format_of(dtype)
    if conditions is None:
        largest = largest_condition(n, fmt)
        conditions = tuple(c for c in _CONDITIONS if c <= largest) or (1.0, largest)
    if not isinstance(conditions, Sequence) or isinstance(conditions, str):
        message = f"conditions is {shown(conditions)}; give several numbers, such as (1e2, 1e6)"
        raise FpdriftError(message)
    check_callable("progress", progress)
    rng = np.random.default_rng(seed)
    rows: list[SumRow] = []
    for condition in conditions:
        values = ill_conditioned(n, condition, rng, fmt.name)
        problem = bounds.Problem.of(values)
        shuffled = [values, *(rng.permutation(values) for _ in range(orders - 1))]
        for method in METHODS:
            if progress is not None:
                progress(len(rows), len(conditions) * len(METHODS))
            rows.append(_row(method, shuffled, problem, fmt, repeats))
    return SumTable(n=n, dtype=fmt.name, seed=seed, orders=orders, rows=tuple(rows))


def _row(
    method: Method, shuffled: list[Floats], problem: bounds.Problem, fmt: Format, repeats: int
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
