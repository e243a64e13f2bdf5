"""Describe a plan in words, if it is a known one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from fpdrift.reduction import plans
from fpdrift.reduction._plan import Plan

#: Block sizes and numbers of accumulators that libraries use.
_SIZES = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_NUMPY = "eight interleaved accumulators in blocks of at most 128, blocks added by halves"


def in_words(plan: Plan) -> str | None:
    """Describe a plan that a function of `fpdrift.reduction.plans` makes; None for any other.

    If several functions make the same plan, as they do for few inputs, the simplest is named.
    """
    if plan.n < 3:
        return "there is only one order"
    for words, make in _candidates(plan):
        if make() == plan:
            return words
    return None


def _candidates(plan: Plan) -> Iterator[tuple[str, Callable[[], Plan]]]:
    """Yield descriptions and the functions that make their plans, if they may match."""
    n = plan.n
    sizes = [size for size in _SIZES if size < n]
    if not plan.is_binary:
        how = "aligned and truncated" if plan.aligned.any() else "rounded once"
        for terms in (*sizes, n):
            yield f"{terms} at a time added to the running sum, {how}", partial(_fused, plan, terms)
        return
    yield "one after the other, from first to last", partial(plans.sequential, n)
    yield "one after the other, from last to first", partial(plans.reversed_, n)
    yield "by recursive halving, down to single inputs", partial(plans.pairwise, n)
    for size in sizes:
        lanes = f"{size} interleaved accumulators"
        yield f"{lanes}, added pairwise", partial(plans.strided, n, size)
        yield f"{lanes}, folded in halves", partial(_folded, n, size)
    for size in sizes:
        yield (
            f"by recursive halving, down to blocks of at most {size}",
            partial(plans.pairwise, n, size),
        )
        yield f"blocks of {size}, one after the other", partial(plans.blocked, n, size)
    yield _NUMPY, partial(plans.numpy_like, n)


def _folded(n: int, lanes: int) -> Plan:
    """Add the second half of the accumulators to the first, repeatedly, as vector units do."""
    order = np.zeros(1, np.int64)
    while len(order) < lanes:  # pairwise over this order of lanes is folding
        order = np.concatenate([2 * order, 2 * order + 1])
    lane = order[np.arange(n) % lanes]
    inner = [plans.sequential(int(np.sum(lane == place))) for place in range(lanes)]
    return plans.nest(plans.pairwise(lanes), inner, np.argsort(lane, kind="stable"))


def _fused(plan: Plan, terms: int) -> Plan:
    aligned = bool(plan.aligned.any())
    return plans.fused(plan.n, terms, aligned=aligned, extra_bits=plan.extra_bits)
