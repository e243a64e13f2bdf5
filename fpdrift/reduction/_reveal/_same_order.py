"""Compare the orders in which two functions add, and find where their trees differ."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from fpdrift.floats import Format, format_of, same_bits
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._decide_order import decide_order
from fpdrift.reduction._reveal._probe_inputs import mixture, order_matters
from fpdrift.reduction._reveal._probing import ProbedFunction
from fpdrift.reduction._reveal._products import product_rows
from fpdrift.reduction._reveal._results import SameOrder
from fpdrift.reduction._reveal._reveal import reveal
from fpdrift.serialization import read_only

#: Number of sets listed whose partial sum only one function computes.
_NAMED = 4
_ROUNDS = 4
_PRODUCTS = 24


def same_order(
    first_function: Callable[[Any], Any],
    second_function: Callable[[Any], Any],
    n: int,
    dtype: Any = "float32",
    *,
    max_probes: int | None = None,
    rng: np.random.Generator | None = None,
) -> SameOrder:
    """Compare the orders in which two functions add.

    Parameters
    ----------
    first_function, second_function : callable
        As for `reveal`; `sum_of_dot`, `sum_of_matmul` and `sum_of_mean` wrap a product or a mean as
        such a function. Two products are also compared with random factors.
    n, dtype, max_probes, rng
        As for `reveal`.

    Returns
    -------
    SameOrder
        ``.same`` is True if both have the same confirmed plan and the same rounding, or if both
        are order-independent and gave the same bits; False if not; None if the order of one of
        them is not known.

    Raises
    ------
    FpdriftError
        As `reveal`.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    functions = first_function, second_function
    first, second = (reveal(f, n, dtype, max_probes=max_probes, rng=rng) for f in functions)
    fmt = format_of(dtype)
    probed = [ProbedFunction(f, n, fmt, one.name) for f, one in zip(functions, (first, second))]  # noqa: B905 - two of each
    row, factors, *gave = _example(probed, fmt, rng)
    same, _ = decide_order(first, second, differs=row is not None)
    shared, only_first, only_second = _compare_sets(first.plan, second.plan)
    return SameOrder(
        n=n,
        dtype=fmt.name,
        same=same,
        first=first,
        second=second,
        shared=shared,
        only_first=only_first,
        only_second=only_second,
        example=row,
        first_gave=gave[0],
        second_gave=gave[1],
        example_factors=factors,
    )


def _example(
    probed: list[ProbedFunction], fmt: Format, rng: np.random.Generator
) -> tuple[Any, ...]:
    """Find an input (and factors, for two products) for which their bits differ."""
    n = probed[0].n
    rows = np.concatenate([order_matters(n, fmt, _ROUNDS, rng), mixture(n, fmt, _ROUNDS, rng)])
    trials: list[tuple[Any, Any]] = [(rows, None)]
    if all(function.multiplies for function in probed):
        trials.append(product_rows(n, fmt, _PRODUCTS, rng))
    for numbers, factors in trials:
        first, second = (function.sums(numbers, factors) for function in probed)
        different = np.flatnonzero(~same_bits(first, second))
        if len(different):
            where = different[0]
            factor = None if factors is None else read_only(factors[where])
            return read_only(numbers[where]), factor, first[where], second[where]
    return None, None, None, None


_Sets = tuple[tuple[int, ...], ...]


def _compare_sets(first: Plan | None, second: Plan | None) -> tuple[int, _Sets, _Sets]:
    """Count the sets that both add up, and list the smallest that only one adds up."""
    if first is None or second is None:
        return 0, (), ()
    one, other = _subtrees(first), _subtrees(second)
    shared = one.keys() & other.keys()
    return len(shared), _smallest(first, one, shared), _smallest(second, other, shared)


class _Subtree(NamedTuple):
    size: int
    node: int


def _subtrees(plan: Plan) -> dict[int, _Subtree]:
    """Return the nodes by a key of their inputs: a sum of random numbers, equal across plans."""
    keys = np.random.default_rng(0).integers(2**62, size=plan.n).tolist()
    sizes, nodes = [1] * plan.n, {}
    kids = plan.children.tolist()
    for node, (begin, end) in enumerate(pairwise(plan.starts.tolist()), start=plan.n):
        keys.append(sum(keys[kid] for kid in kids[begin:end]))
        sizes.append(sum(sizes[kid] for kid in kids[begin:end]))
        nodes[keys[-1]] = _Subtree(sizes[-1], node)
    return nodes


def _smallest(plan: Plan, known: dict[int, _Subtree], shared: Any) -> _Sets:
    own = sorted(where for key, where in known.items() if key not in shared)[:_NAMED]
    return tuple(_inputs(plan, where.node) for where in own)


def _inputs(plan: Plan, node: int) -> tuple[int, ...]:
    inputs, to_do = [], [node]
    while to_do:
        one = to_do.pop()
        if one < plan.n:
            inputs.append(one)
        else:
            begin, end = plan.starts[one - plan.n : one - plan.n + 2]
            to_do += plan.children[begin:end].tolist()
    return tuple(sorted(inputs))
