"""Run plans on numbers, with the same additions and therefore the same bits.

A plan becomes a short list of steps, each of which is one NumPy call. All nodes of one height are
added in one step. So is a series of levels in which each node adds one more number to the node
below it, such as a plain loop or eight interleaved loops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice, pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import FORMATS, Format, format_of
from fpdrift.provenance import available_cores
from fpdrift.reduction._plan import Ints, Plan
from fpdrift.reduction._rounding import Floats, add_aligned, add_exact, round_array


@dataclass(frozen=True, slots=True)
class Step:
    """Independent additions, one for each column of terms."""

    how: Literal["in sequence", "exact", "aligned"]
    #: (k, w) indices of inputs and nodes
    terms: Ints
    #: (w,) indices of the sums
    to: Ints


@dataclass(frozen=True, slots=True)
class Forest:
    """Plans over the same inputs, combined into one, with the indices of their roots."""

    n: int
    children: Ints
    starts: Ints
    aligned: npt.NDArray[np.bool_]
    levels: Ints
    extra_bits: int
    roots: Ints


def forest(plans: Sequence[Plan]) -> Forest:
    """Combine plans over the same inputs, with the same extra bits, level by level."""
    n = plans[0].n
    children = np.concatenate([plan.children for plan in plans])
    aligned = np.concatenate([plan.aligned for plan in plans])
    arity = _steps_up([plan.starts for plan in plans])
    nodes = np.array([plan.nodes for plan in plans])
    depths = np.array([plan.depth for plan in plans])
    within = np.arange(depths.sum()) - np.repeat(np.cumsum(depths) - depths, depths)
    heights = np.repeat(within, _steps_up([plan.levels for plan in plans]))
    order = np.argsort(heights, kind="stable")
    number = np.empty_like(order)
    number[order] = np.arange(n, n + len(order))
    ends = np.cumsum(nodes)
    before = np.repeat(ends - nodes, [len(plan.children) for plan in plans])
    inner = children >= n
    children[inner] = number[(children + before - n)[inner]]
    edges = np.argsort(np.repeat(heights, arity), kind="stable")
    return Forest(
        n=n,
        children=children[edges],
        starts=np.concatenate([[0], np.cumsum(arity[order])]),
        aligned=aligned[order],
        levels=np.concatenate([[0], np.cumsum(np.bincount(heights))]),
        extra_bits=plans[0].extra_bits,
        roots=number[ends - 1] if n > 1 else np.zeros_like(ends),
    )


def _steps_up(arrays: Sequence[Ints]) -> Ints:
    """Return the concatenated differences of several arrays, each of which starts from 0."""
    jumps = np.diff(np.concatenate(arrays))
    ends = np.cumsum([len(array) for array in arrays])[:-1]
    return np.delete(jumps, ends - 1)


def steps(tree: Plan | Forest) -> Iterator[Step]:
    """Yield the steps in order.

    A level continues the one below if each node adds one number to the node at the same position
    there. Levels that continue one another become one step, added in sequence.
    """
    if not len(tree.aligned):
        return
    levels, widths = tree.levels, np.diff(tree.levels)
    plain = (np.diff(tree.starts) == 2) & ~tree.aligned
    first, second = tree.children[tree.starts[:-1]], tree.children[tree.starts[:-1] + 1]
    numbers = tree.n + np.arange(len(plain))
    below = numbers - np.repeat(widths, widths)
    other = np.where(first == below, second, first)
    follows = np.logical_and.reduceat(plain & ((first == below) | (second == below)), levels[:-1])
    follows &= np.diff(widths, prepend=0) == 0
    ends = np.flatnonzero(np.append(~follows, True))
    for head, end in pairwise(ends.tolist()):
        here = slice(levels[head], levels[head + 1])
        if plain[here].all():
            rows = np.stack([first[here], second[here]])
        else:
            yield from _mixed(tree, here)
            rows = numbers[here][None]
        more = other[levels[head + 1] : levels[end]].reshape(-1, widths[head])
        if len(rows) + len(more) > 1:
            to = numbers[levels[end - 1] : levels[end]]
            yield Step("in sequence", np.concatenate([rows, more]), to)


def _mixed(tree: Plan | Forest, here: slice) -> Iterator[Step]:
    """Yield one step for each kind of node in a level."""
    arity, begins = np.diff(tree.starts)[here], tree.starts[:-1][here]
    for k, aligned in sorted(set(zip(arity.tolist(), tree.aligned[here].tolist(), strict=True))):
        which = np.flatnonzero((arity == k) & (tree.aligned[here] == aligned))
        terms = tree.children[begins[which] + np.arange(k)[:, None]]
        yield Step("aligned" if aligned else "exact", terms, tree.n + here.start + which)


#: Numbers processed at a time, so that they stay in the cache.
_BLOCK = 2**17

#: Accumulators that hold all numbers of a dtype, narrowest first.
WIDER = {
    "float16": ("float16", "float32", "float64"),
    "bfloat16": ("bfloat16", "float32", "float64"),
    "float32": ("float32", "float64"),
    "float64": ("float64",),
}


def run_plan(plan: Plan, values: Any, dtype: Any = None, accumulator: Any = None) -> Any:
    """Add numbers in the order of a plan.

    Parameters
    ----------
    plan : Plan
    values : array_like
        (n,) numbers; each is rounded once to `dtype`.
    dtype : str or numpy.dtype, optional
        ``"float16"``, ``"bfloat16"``, ``"float32"`` or ``"float64"``, of the inputs and the
        result; by default that of the values.
    accumulator : str or numpy.dtype, optional
        A wider dtype that nodes round to; the last sum is then rounded once more.

    Returns
    -------
    numpy scalar
        Of the dtype, bit-identical to IEEE 754 hardware that adds in this order.

    Raises
    ------
    FpdriftError
        If the values are not n numbers, or the accumulator cannot hold the dtype's numbers.
    """
    numbers = _numbers(values, dtype, 1)
    acc = _accumulator(numbers, accumulator)
    known = _run(_fitting(plan, numbers), numbers[None], acc)
    return round_array(known[-1], format_of(numbers.dtype))[0]


def run_plans(plans: Any, values: Any, dtype: Any = None, accumulator: Any = None) -> Floats:
    """Add numbers by many plans, or many rows of numbers by one plan.

    Parameters
    ----------
    plans : Plan, iterable of Plan, or numpy.ndarray of int
        One plan for each row of values; several plans for the same values; or (orders, n) orders,
        in each of which the same values are added one after the other. An order must be a
        permutation of the inputs; only the range of its indices is checked.
    values : array_like
        (rows, n) numbers for one plan, otherwise (n,).
    dtype, accumulator : str or numpy.dtype, optional
        As for `run_plan`.

    Returns
    -------
    numpy.ndarray
        (rows,), (plans,) or (orders,) sums of the dtype, each with the bits of `run_plan`.

    Raises
    ------
    FpdriftError
        As `run_plan`, or if the orders do not have the shape or range above.
    """
    parts: Iterable[Floats]
    one = isinstance(plans, Plan)
    numbers = _numbers(values, dtype, 2 if one else 1)
    acc = _accumulator(numbers, accumulator)
    size = max(1, _BLOCK // max(numbers.shape[-1], 1))
    if one:
        _fitting(plans, numbers)
        parts = (_run(plans, numbers[i : i + size], acc)[-1] for i in range(0, len(numbers), size))
    elif isinstance(plans, np.ndarray):
        orders = _orders(plans, len(numbers))
        blocks = (orders[i : i + 4 * size] for i in range(0, len(orders), 4 * size))
        # NumPy releases the GIL meanwhile; each order is added by a single thread.
        with ThreadPoolExecutor(available_cores()) as pool:
            parts = list(pool.map(partial(_in_orders, numbers=numbers.astype(acc.dtype)), blocks))
    else:
        parts = (_by_many(batch, numbers, acc) for batch in _batches(plans, size))
    sums = np.concatenate([np.empty(0, acc.dtype), *parts])
    return round_array(sums, format_of(numbers.dtype))


def _run(plan: Plan | Forest, rows: Floats, acc: Format) -> Floats:
    """Return the inputs and the sums, (n + nodes, rows); sums inside a sequence are not stored."""
    known = np.empty((plan.n + len(plan.aligned), len(rows)), acc.dtype)
    known[: plan.n] = rows.T
    with np.errstate(all="ignore"):
        for step in steps(plan):
            terms = known[step.terms]
            if step.how == "in sequence":
                known[step.to] = _in_sequence(terms)
            elif step.how == "exact":
                known[step.to] = add_exact(terms, acc)
            else:
                known[step.to] = add_aligned(terms, acc, plan.extra_bits)
    return known


def _in_sequence(terms: Floats) -> Floats:
    """Add along the first axis, one after the other; the terms are overwritten."""
    if terms.dtype == np.float16:
        return _last_partials(terms)
    np.negative(terms[1:], out=terms[1:])
    return _subtracted(terms, axis=0)


def _in_orders(orders: npt.NDArray[Any], numbers: Floats) -> Floats:
    """Add numbers in each of several orders; rows are contiguous, which gathers faster."""
    try:
        if orders.min() < 0:  # NumPy would index from the end
            raise IndexError
        terms = (numbers if numbers.dtype == np.float16 else -numbers).take(orders)
    except IndexError:
        message = f"an order contains an index outside 0 to {len(numbers) - 1}"
        raise FpdriftError(message) from None
    with np.errstate(all="ignore"):
        if terms.dtype == np.float16:
            return _last_partials(terms.T)
        np.negative(terms[:, 0], out=terms[:, 0])
        return _subtracted(terms, axis=1)


def _subtracted(terms: Floats, axis: int) -> Floats:
    """Subtract all numbers from the first, one after the other: a - (-b) is a + b.

    NumPy reorders a reduction by addition. A reduction by subtraction is a plain loop, except in
    float16, in which it keeps float32 between the steps.
    """
    sums: Floats = np.subtract.reduce(terms, axis=axis)
    return sums


def _last_partials(terms: Floats) -> Floats:
    sums: Floats = np.add.accumulate(terms, axis=0)[-1]
    return sums


def _by_many(plans: list[Plan], numbers: Floats, acc: Format) -> Floats:
    sums = []
    for _, alike in groupby((_fitting(p, numbers) for p in plans), key=lambda p: p.extra_bits):
        trees = forest(list(alike))
        sums.append(_run(trees, numbers[None], acc)[trees.roots, 0])
    return np.concatenate(sums)


def _batches(plans: Any, size: int) -> Iterator[list[Plan]]:
    try:
        source = iter(plans)
    except TypeError:
        message = f"plans is {short_repr(plans)}; pass a Plan, several Plans, or an array of orders"
        raise FpdriftError(message) from None
    return iter(lambda: list(islice(source, size)), [])


def _fitting(plan: Any, numbers: Floats) -> Plan:
    if not isinstance(plan, Plan):
        message = f"{short_repr(plan)} is not a Plan; make one with fpdrift.reduction.plans"
        raise FpdriftError(message)
    if numbers.shape[-1] != plan.n:
        message = f"the plan adds {plan.n} numbers, but {numbers.shape[-1]} were passed"
        raise FpdriftError(message)
    return plan


def _orders(orders: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    if orders.ndim != 2 or orders.shape[1] != n or n == 0 or orders.dtype.kind not in "iu":
        message = f"orders is {short_repr(orders)}; pass whole numbers of shape (orders, {n})"
        raise FpdriftError(message)
    return orders


def _numbers(values: Any, dtype: Any, ndim: int) -> Floats:
    """Round the values once to the dtype."""
    try:
        array = np.asarray(values)
        if array.dtype.kind in "biu":  # rounded once to float64, as float() does
            array = array.astype(np.float64)
        if array.dtype.name not in FORMATS:
            raise TypeError
    except (TypeError, ValueError):
        message = f"values is {short_repr(values)}; pass an array of floats"
        raise FpdriftError(message) from None
    fmt = format_of(array.dtype if dtype is None else dtype)
    if array.ndim != ndim:
        message = f"values has shape {array.shape}; expected {ndim} dimension(s)"
        raise FpdriftError(message)
    return round_array(array, fmt)


def _accumulator(numbers: Floats, accumulator: Any) -> Format:
    name = format_of(numbers.dtype).name
    acc = format_of(name if accumulator is None else accumulator)
    if acc.name not in WIDER[name]:
        message = f"accumulator {acc.name} cannot hold {name}; choose {', '.join(WIDER[name])}"
        raise FpdriftError(message)
    return acc
