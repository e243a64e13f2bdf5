"""A plan is named after the maker that makes it, and after no other."""

import numpy as np
import pytest

from fpdrift.reduction import plans, run_plan
from fpdrift.reduction._describe import in_words


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (plans.sequential(1), "there is only one order"),
        (plans.sequential(2), "there is only one order"),
        (plans.sequential(3), "one after the other, from first to last"),
        (plans.reversed_(100), "one after the other, from last to first"),
        (plans.pairwise(8), "by recursive halving, down to single inputs"),
        (plans.pairwise(100, 16), "by recursive halving, down to blocks of at most 16"),
        (plans.blocked(100, 32), "blocks of 32, one after the other"),
        (plans.strided(100, 4), "4 interleaved accumulators, added pairwise"),
        (plans.numpy_like(16), "8 interleaved accumulators, added pairwise"),
        (
            plans.numpy_like(1000),
            "eight interleaved accumulators in blocks of at most 128, blocks added by halves",
        ),
        (plans.fused(33, 8), "8 at a time added to the running sum, rounded once"),
        (
            plans.fused(33, 8, aligned=True, extra_bits=2),
            "8 at a time added to the running sum, aligned and truncated",
        ),
        (plans.fused(20, 20), "20 at a time added to the running sum, rounded once"),
    ],
)
def test_a_maker_is_named(plan, words):
    assert in_words(plan) == words


def test_folded_accumulators():
    """Eight accumulators, the second four added to the first, and so on, written as a loop."""
    n, values = 40, np.random.default_rng(1).normal(size=40).astype(np.float32)
    lanes = values[:8].copy()
    for i in range(8, n):
        lanes[i % 8] += values[i]
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    order = [0, 4, 2, 6, 1, 5, 3, 7]
    plan = plans.nest(
        plans.pairwise(8),
        [plans.sequential(5)] * 8,
        np.concatenate([np.arange(lane, n, 8) for lane in order]),
    )
    assert run_plan(plan, values) == lanes[0]
    assert in_words(plan) == "8 interleaved accumulators, folded in halves"
    assert in_words(plans.strided(n, 8)) == "8 interleaved accumulators, added pairwise"


@pytest.mark.parametrize("n", [3, 9, 100])
def test_other_orders_have_no_name(n):
    order = np.roll(np.arange(n), 1)
    assert in_words(plans.in_order(order)) is None or n == 3
    if n > 3:
        assert in_words(plans.random(n, np.random.default_rng(5))) is None
