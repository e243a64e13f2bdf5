"""Make reduction plans: those that hardware and libraries follow, and others.

>>> from fpdrift.reduction import plans
>>> print(plans.pairwise(8))
(((0+1)+(2+3))+((4+5)+(6+7)))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate, chain
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.reduction._plan import LARGEST_N, Plan
from fpdrift.validation import check_int

#: NumPy's pairwise summation: number of interleaved accumulators, and of inputs in a block.
_NUMPY_LANES = 8
_NUMPY_BLOCK = 128


def sequential(n: int) -> Plan:
    """Add one after the other, the first two first: ``(((0+1)+2)+3)``."""
    return in_order(np.arange(check_int("n", n, 1, LARGEST_N)))


def reversed_(n: int) -> Plan:
    """Add one after the other, the last two first: ``(0+(1+(2+3)))``."""
    return in_order(np.arange(check_int("n", n, 1, LARGEST_N))[::-1])


def in_order(order: npt.ArrayLike) -> Plan:
    """Add one after the other in a given order, an array of the indices of all inputs."""
    inputs = np.asarray(order)
    if inputs.ndim != 1 or not len(inputs):
        message = f"order is {short_repr(order)}; pass the indices of all inputs, starting from 0"
        raise FpdriftError(message)
    n = len(inputs)
    before = np.concatenate([inputs[:1], n + np.arange(n - 2)])[: n - 1]
    return _pairs(n, np.stack([before, inputs[1:]], axis=1))


def pairwise(n: int, block: int = 1) -> Plan:
    """Halve recursively, the first half the smaller, down to `block` or fewer; add these in turn.

    Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd edition, section 4.1.
    """
    block = check_int("block", block, 1, LARGEST_N)
    return _halve(n, block, lambda size: size // 2, sequential)


def strided(n: int, lanes: int) -> Plan:
    """Add every lanes-th input to one of `lanes` accumulators; add the accumulators pairwise."""
    n = check_int("n", n, 1, LARGEST_N)
    lanes = min(check_int("lanes", lanes, 1, LARGEST_N), n)
    lane_of = cache(sequential)
    inner = [lane_of(-(-(n - lane) // lanes)) for lane in range(lanes)]
    return nest(pairwise(lanes), inner, np.argsort(np.arange(n) % lanes, kind="stable"))


def blocked(n: int, block: int) -> Plan:
    """Add blocks of `block` inputs (the last may be shorter) in turn, then their sums in turn."""
    n = check_int("n", n, 1, LARGEST_N)
    block = min(check_int("block", block, 1, LARGEST_N), n)
    inner = [sequential(block)] * (n // block)
    if n % block:
        inner.append(sequential(n % block))
    return nest(sequential(len(inner)), inner)


def fused(n: int, terms: int, *, aligned: bool = False, extra_bits: int = 0) -> Plan:
    """Add `terms` inputs at a time to the running sum, in one node, as matrix units do.

    Fasi, Higham, Mikaitis and Pranesh 2021, "Numerical behavior of NVIDIA tensor cores".
    """
    n = check_int("n", n, 1, LARGEST_N)
    terms = check_int("terms", terms, 1, LARGEST_N)
    first = min(max(terms, 2), n)
    rest = enumerate(range(first, n, terms))
    nodes = [range(first), *([n + k, *range(b, min(b + terms, n))] for k, b in rest)][: n - 1]
    return Plan(
        n=n,
        children=np.array(list(chain.from_iterable(nodes))),
        starts=np.array(list(accumulate(map(len, nodes), initial=0))),
        aligned=aligned,
        extra_bits=extra_bits,
    )


def numpy_like(n: int) -> Plan:
    """Add like NumPy's pairwise summation of a contiguous array of floats.

    Eight interleaved accumulators are added pairwise, then the remaining inputs in turn; more than
    128 inputs are halved, the first half rounded down to a multiple of eight. Fewer than eight are
    added in turn. For float16, NumPy follows this plan with a float32 accumulator.
    """
    return _halve(n, _NUMPY_BLOCK, _numpy_half, _numpy_block)


def random(n: int, rng: np.random.Generator) -> Plan:
    """Add two randomly drawn partial sums until one is left (Kingman's coalescent)."""
    n = check_int("n", n, 1, LARGEST_N)
    there, pairs = list(range(n)), []
    for node, (one, other) in enumerate(rng.random((n - 1, 2)).tolist(), start=n):
        first = _pop_random(there, one)
        second = _pop_random(there, other)
        pairs.append((first, second))
        there.append(node)
    return _pairs(n, pairs)


def from_arrivals(
    arrivals: npt.ArrayLike, n: int, inner: Callable[[int], Plan] = numpy_like
) -> Plan:
    """Add chunks in the order of their arrival, each by its own plan.

    Parameters
    ----------
    arrivals : array_like of int
        Indices of the chunks in the order in which they arrived, such as a row of
        `fpdrift.reduction.ThreadRun.arrivals`.
    n : int
        Number of inputs, split into chunks as by `numpy.array_split`.
    inner : callable
        Returns the plan for a chunk of a given size; by default NumPy's.
    """
    outer = in_order(arrivals)
    n = check_int("n", n, outer.n, LARGEST_N)
    inner = cache(inner)
    size, longer = divmod(n, outer.n)
    return nest(outer, [inner(size + (chunk < longer)) for chunk in range(outer.n)])


def nest(outer: Plan, inner: Sequence[Plan], order: npt.ArrayLike | None = None) -> Plan:
    """Replace each input of a plan by another plan.

    Parameters
    ----------
    outer : Plan
    inner : sequence of Plan
        One for each input of `outer`; the first takes the first inputs, and so on.
    order : array_like of int, optional
        Indices of all inputs in the order in which they are taken; by default 0, 1, 2, ...

    Raises
    ------
    FpdriftError
        If the numbers of plans and inputs differ, or the plans differ in `extra_bits`.
    """
    if len(inner) != outer.n:
        message = f"{len(inner)} plans for {outer.n} inputs; pass one for each"
        raise FpdriftError(message)
    begins = np.cumsum([0, *(plan.n for plan in inner)])
    n = int(begins[-1])
    inputs = np.arange(n) if order is None else np.asarray(order)
    if inputs.shape != (n,):
        message = f"order is {short_repr(order)}; pass the indices of all {n} inputs"
        raise FpdriftError(message)
    roots = np.empty(outer.n, np.int64)
    parts, nodes = [], n
    # Equal plans are processed together: there may be a million of them.
    for plan, places in _group_equal(inner):
        before = nodes + np.arange(len(places)) * plan.nodes
        own = before[:, None] + np.arange(plan.nodes)
        known = np.concatenate([inputs[begins[places][:, None] + np.arange(plan.n)], own], axis=1)
        parts.append((known[:, plan.children], np.diff(plan.starts), plan))
        roots[places] = known[:, -1]
        nodes += own.size
    known = np.concatenate([roots, nodes + np.arange(outer.nodes)])
    parts.append((known[None, outer.children], np.diff(outer.starts), outer))
    return _concatenate(n, parts)


_Part = tuple[npt.NDArray[Any], npt.NDArray[Any], Plan]


def _concatenate(n: int, parts: list[_Part]) -> Plan:
    """Combine nested plans, each as (copies, edges) children, arities, and the plan itself."""
    extra = {plan.extra_bits for *_, plan in parts if plan.aligned.any()} or {0}
    if len(extra) > 1:
        message = f"the plans have extra_bits of {sorted(extra)}; use the same number for all"
        raise FpdriftError(message)
    arity = [np.tile(arities, len(children)) for children, arities, _ in parts]
    return Plan(
        n=n,
        children=np.concatenate([children.ravel() for children, *_ in parts]),
        starts=np.cumsum(np.concatenate([[0], *arity])),
        aligned=np.concatenate([np.tile(p.aligned, len(children)) for children, _, p in parts]),
        extra_bits=extra.pop(),
    )


def _group_equal(plans: Sequence[Plan]) -> list[tuple[Plan, npt.NDArray[np.intp]]]:
    places: dict[int, list[int]] = {}
    for place, plan in enumerate(plans):
        places.setdefault(id(plan), []).append(place)
    return [(plans[where[0]], np.array(where)) for where in places.values()]


def _halve(n: int, block: int, half: Callable[[int], int], inner: Callable[[int], Plan]) -> Plan:
    """Halve down to blocks; the nodes of first halves come first."""
    inner = cache(inner)
    blocks: list[Plan] = []
    pairs: list[tuple[int, int]] = []
    done: list[int] = []  # blocks by their number, pairs by -1, -2, ...
    to_do = [check_int("n", n, 1, LARGEST_N)]
    while to_do:
        size = to_do.pop()
        if size > block:
            to_do += [0, size - half(size), half(size)]  # 0: then add the two
        elif size:
            done.append(len(blocks))
            blocks.append(inner(size))
        else:
            second, first = done.pop(), done.pop()
            pairs.append((first, second))
            done.append(-len(pairs))
    numbers = np.array(pairs, np.int64).reshape(-1, 2)
    numbers = np.where(numbers < 0, len(blocks) - 1 - numbers, numbers)
    return nest(_pairs(len(blocks), numbers), blocks)


def _pairs(n: int, pairs: Any) -> Plan:
    children = np.asarray(pairs, np.int64).reshape(-1)
    return Plan(n=n, children=children, starts=2 * np.arange(n))


def _numpy_half(size: int) -> int:
    return size // 2 // _NUMPY_LANES * _NUMPY_LANES


def _numpy_block(size: int) -> Plan:
    lanes = size - size % _NUMPY_LANES
    if not lanes:
        return sequential(size)
    rest = size - lanes
    return nest(sequential(1 + rest), [strided(lanes, _NUMPY_LANES), *[sequential(1)] * rest])


def _pop_random(there: list[int], where: float) -> int:
    """Remove an item from a list in a time that does not depend on the length."""
    place = int(where * len(there))
    there[place], there[-1] = there[-1], there[place]
    return there.pop()
