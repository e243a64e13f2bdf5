"""Whether two functions add in the same order, and if not, where they part."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from fpdrift.floats import Format, format_of
from fpdrift.reduction.plan import Plan
from fpdrift.reduction.revealing.decide import reveal
from fpdrift.reduction.revealing.mixture import mixture, order_matters
from fpdrift.reduction.revealing.probing import BlackBox
from fpdrift.reduction.revealing.replaying import same_bits
from fpdrift.reduction.revealing.revealed import Revealed, SameOrder
from fpdrift.results import read_only

#: How many sets are named that only one function adds up.
_NAMED = 4
_ROUNDS = 4


def same_order(
    first_function: Callable[[Any], Any],
    second_function: Callable[[Any], Any],
    n: int,
    dtype: Any = "float32",
    *,
    max_probes: int | None = None,
    rng: np.random.Generator | None = None,
) -> SameOrder:
    """Say whether two functions add alike, and where they do not.

    Parameters
    ----------
    first_function, second_function : callable
        As for `reveal`; `sum_of_dot` and `sum_of_matmul` make such a function of a product.
    n, dtype, max_probes, rng
        As for `reveal`.

    Returns
    -------
    SameOrder
        ``.same`` is True where both have the same confirmed plan and accumulator, or where both
        are order-independent and gave the same bits; False where they do not; None where the
        order of one of them could not be seen.

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
    row, *gave = _example(boxes, fmt, rng)
    same, why = _judged(first, second, differs=row is not None)
    shared, only_first, only_second = _parted(first.plan, second.plan)
    return SameOrder(
        n=n,
        dtype=fmt.name,
        same=same,
        why=why,
        first=first,
        second=second,
        shared=shared,
        only_first=only_first,
        only_second=only_second,
        example=row,
        first_gave=gave[0],
        second_gave=gave[1],
    )


def _judged(first: Revealed, second: Revealed, *, differs: bool) -> tuple[bool | None, str]:
    for one in (first, second):
        if one.verdict in ("inconsistent", "not reproduced"):
            return None, f"{one.name} is {one.verdict}, so its order is not known."
    if first.verdict != second.verdict:
        names = f"{first.name} is {first.verdict}, {second.name} is {second.verdict}"
        return False, f"{names}."
    if not first.confirmed:
        what = "but their bits differ" if differs else "and they gave the same bits"
        return not differs, f"Neither depends on the order, {what}."
    if first.plan != second.plan:
        return False, "Their trees differ."
    if first.accumulator != second.accumulator:
        wide = [one.accumulator or one.dtype for one in (first, second)]
        return False, f"They add in the same order, in {wide[0]} and in {wide[1]}."
    return True, "They add in the same order and round alike."


def _example(boxes: list[BlackBox], fmt: Format, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Look for an input for which their bits differ."""
    n = boxes[0].n
    both = (order_matters(n, fmt, _ROUNDS, rng), mixture(n, fmt, _ROUNDS, rng))
    rows = np.concatenate(both)
    first, second = (box.sums(rows) for box in boxes)
    different = np.flatnonzero(~same_bits(first, second, fmt))
    if not len(different):
        return None, None, None
    where = different[0]
    return read_only(rows[where]), first[where], second[where]


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
    """Give nodes by a key of their inputs: the sum of random numbers, the same in all plans."""
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
