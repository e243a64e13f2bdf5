"""A plan is named after the maker that makes it, and after no other."""

import numpy as np
import pytest

from fpdrift.reduction import makers, run_plan
from fpdrift.reduction.naming import in_words


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (makers.sequential(1), "there is only one order"),
        (makers.sequential(2), "there is only one order"),
        (makers.sequential(3), "one after the other, the first two first"),
        (makers.reversed_(100), "one after the other, the last two first"),
        (makers.pairwise(8), "in halves, and these in halves, down to single inputs"),
        (makers.pairwise(100, 16), "in halves, down to blocks of at most 16"),
        (makers.blocked(100, 32), "blocks of 32, one after the other"),
        (makers.strided(100, 4), "4 interleaved accumulators, added pairwise"),
        (makers.numpy_like(16), "8 interleaved accumulators, added pairwise"),
        (
            makers.numpy_like(1000),
            "eight interleaved accumulators in blocks of at most 128, and these in halves",
        ),
        (makers.fused(33, 8), "8 at a time into the sum so far, rounded once"),
        (
            makers.fused(33, 8, aligned=True, extra_bits=2),
            "8 at a time into the sum so far, aligned and truncated",
        ),
        (makers.fused(20, 20), "20 at a time into the sum so far, rounded once"),
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
    plan = makers.nest(
        makers.pairwise(8),
        [makers.sequential(5)] * 8,
        np.concatenate([np.arange(lane, n, 8) for lane in order]),
    )
    assert run_plan(plan, values) == lanes[0]
    assert in_words(plan) == "8 interleaved accumulators, folded in halves"
    assert in_words(makers.strided(n, 8)) == "8 interleaved accumulators, added pairwise"


@pytest.mark.parametrize("n", [3, 9, 100])
def test_other_orders_have_no_name(n):
    order = np.roll(np.arange(n), 1)
    assert in_words(makers.in_order(order)) is None or n == 3
    if n > 3:
        assert in_words(makers.random(n, np.random.default_rng(5))) is None
