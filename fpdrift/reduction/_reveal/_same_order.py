"""Whether two functions add in the same order, and if not, where their trees diverge."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from fpdrift.floats import Format, format_of, same_bits
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._judge_orders import judge_orders
from fpdrift.reduction._reveal._probe_inputs import mixture, order_matters
from fpdrift.reduction._reveal._probing import BlackBox
from fpdrift.reduction._reveal._products import product_rows
from fpdrift.reduction._reveal._results import SameOrder
from fpdrift.reduction._reveal._reveal import reveal
from fpdrift.serialization import read_only

#: How many sets are named that only one function adds up.
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
        As for `reveal`; `sum_of_dot`, `sum_of_matmul` and `sum_of_mean` make such a function of a
        product or a mean. Two products are compared with random factors, too.
    n, dtype, max_probes, rng
        As for `reveal`.

    Returns
    -------
    SameOrder
        ``.same`` is True where both have the same confirmed plan and round alike, or where both
        are order-independent and gave the same bits; False where they do not; None where the
        order of one of them is not known.

    Raises
    ------
    FpdriftError
        As `reveal`.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    functions = first_function, second_function
    first, second = (reveal(f, n, dtype, max_probes=max_probes, rng=rng) for f in functions)
    fmt = format_of(dtype)
    boxes = [BlackBox(f, n, fmt, one.name) for f, one in zip(functions, (first, second))]  # noqa: B905 - two of each
    row, factors, *gave = _example(boxes, fmt, rng)
    same, _ = judge_orders(first, second, differs=row is not None)
    shared, only_first, only_second = _parted(first.plan, second.plan)
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


def _example(boxes: list[BlackBox], fmt: Format, rng: np.random.Generator) -> tuple[Any, ...]:
    """Look for an input, and factors of two products, for which their bits differ."""
    n = boxes[0].n
    rows = np.concatenate([order_matters(n, fmt, _ROUNDS, rng), mixture(n, fmt, _ROUNDS, rng)])
    asked: list[tuple[Any, Any]] = [(rows, None)]
    if all(box.multiplies for box in boxes):
        asked.append(product_rows(n, fmt, _PRODUCTS, rng))
    for numbers, factors in asked:
        first, second = (box.sums(numbers, factors) for box in boxes)
        different = np.flatnonzero(~same_bits(first, second))
        if len(different):
            where = different[0]
            factor = None if factors is None else read_only(factors[where])
            return read_only(numbers[where]), factor, first[where], second[where]
    return None, None, None, None


_Sets = tuple[tuple[int, ...], ...]


def _parted(first: Plan | None, second: Plan | None) -> tuple[int, _Sets, _Sets]:
    """Count the sets that both add up, and name the smallest that only one does."""
    if first is None or second is None:
        return 0, (), ()
    one, other = _known(first), _known(second)
    shared = one.keys() & other.keys()
    return len(shared), _smallest(first, one, shared), _smallest(second, other, shared)


class _Known(NamedTuple):
    size: int
    node: int


def _known(plan: Plan) -> dict[int, _Known]:
    """Return nodes by a key of their inputs: the sum of random numbers, the same in all plans."""
    keys = np.random.default_rng(0).integers(2**62, size=plan.n).tolist()
    sizes, nodes = [1] * plan.n, {}
    kids = plan.children.tolist()
    for node, (begin, end) in enumerate(pairwise(plan.starts.tolist()), start=plan.n):
        keys.append(sum(keys[kid] for kid in kids[begin:end]))
        sizes.append(sum(sizes[kid] for kid in kids[begin:end]))
        nodes[keys[-1]] = _Known(sizes[-1], node)
    return nodes


def _smallest(plan: Plan, known: dict[int, _Known], shared: Any) -> _Sets:
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
