"""The plans of a GPU's sums give the bits of its program, done lane by lane."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_loop import one_pass, shuffled_down, two_pass

from fpdrift.errors import FpdriftError
from fpdrift.reduction import run_plan, run_plans
from fpdrift.reduction.gpu import GpuKernel, trees

SHAPES = ((4, 2, 2), (6, 1, 8), (16, 3, 4), (32, 4, 32), (64, 2, 8))


def numbers(n, seed, dtype="float32"):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(n) * 2.0 ** rng.integers(-6, 6, n)).astype(dtype)


@pytest.mark.parametrize("warp_size", [2, 4, 8, 32, 64])
def test_a_warp_adds_by_shuffles_downwards(warp_size):
    for lanes in {1, 2, warp_size // 2 + 1, warp_size - 1, warp_size} - {0}:
        values = numbers(lanes, lanes)
        padded = [*values, *[np.float32(0)] * (warp_size - lanes)]
        assert run_plan(trees.warp(lanes, warp_size), values) == shuffled_down(padded)


def test_small_trees_are_written_out():
    assert str(trees.warp(4, 4)) == "((0+2)+(1+3))"
    assert str(trees.warp(3, 4)) == "((0+2)+1)"
    assert str(trees.block(6, 4)) == "(((0+2)+(1+3))+(4+5))"
    kernel = GpuKernel(threads_per_block=2, elements_per_thread=2, warp_size=2)
    assert str(trees.one_pass(8, [1, 0], kernel)) == "(((0+4)+(1+5))+((2+6)+(3+7)))"


@given(
    n=st.integers(1, 700), shape=st.sampled_from(SHAPES), seed=st.integers(0, 2**32), data=st.data()
)
@settings(max_examples=60)
def test_one_pass_and_two_are_their_programs(n, shape, seed, data):
    threads, elements, warp_size = shape
    kernel = GpuKernel(threads_per_block=threads, elements_per_thread=elements, warp_size=warp_size)
    values, count = numbers(n, seed), trees.blocks(n, kernel)
    assert count == -(-n // (threads * elements))
    order = data.draw(st.permutations(range(count)))
    one = run_plan(trees.one_pass(n, order, kernel), values)
    assert one == one_pass(values, order, threads, warp_size)
    two = run_plan(trees.two_pass(n, kernel), values)
    assert two == two_pass(values, count, threads, warp_size)
    # The way of `simulated`: each block once, then as the blocks finish.
    sums = run_plans(trees.whole_block(n, kernel), trees.rows(values, kernel))
    assert run_plans(np.array([order]), sums)[0] == one
    assert run_plan(trees.second_pass(count, kernel), sums) == two


@given(count=st.integers(1, 40), resident=st.integers(1, 45), seed=st.integers(0, 2**32))
@settings(max_examples=60)
def test_a_block_cannot_finish_before_it_has_started(count, resident, seed):
    orders = trees.finishing_orders(count, 7, np.random.default_rng(seed), resident)
    assert orders.shape == (7, count)
    for order in orders.tolist():
        assert sorted(order) == list(range(count))
        for done, number in enumerate(order):
            assert number < done + resident


def test_orders_are_drawn_alike():
    few = trees.finishing_orders(3, 6000, np.random.default_rng(1))
    counts = np.unique(few, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert 850 < counts.min() <= counts.max() < 1150  # 1000 each; a standard deviation is 29
    in_turn = trees.finishing_orders(5, 4, np.random.default_rng(1), resident=1)
    assert (in_turn == np.arange(5)).all()
    two = trees.finishing_orders(3, 4000, np.random.default_rng(2), resident=2)
    counts = np.unique(two, axis=0, return_counts=True)[1]
    assert len(counts) == 4  # each step is one of two, but the last
    assert 850 < counts.min() <= counts.max() < 1150


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: GpuKernel(threads_per_block=0), "threads_per_block is 0"),
        (lambda: GpuKernel(threads_per_block=40), "40 threads in warps of 32"),
        (lambda: GpuKernel(warp_size=12), "warps of 12"),
        (lambda: GpuKernel(threads_per_block=64, warp_size=4), "64 threads in warps of 4"),
        (lambda: GpuKernel(elements_per_thread=0), "elements_per_thread is 0"),
        (lambda: GpuKernel(resident_blocks=0), "resident_blocks is 0"),
        (lambda: trees.warp(33), "lanes is 33"),
        (lambda: trees.block(1025), "threads is 1025"),
        (lambda: trees.one_pass(5000, [0, 1, 2]), "5000 inputs need 5"),
        (lambda: trees.one_pass(2000, [0, 0]), "0 is added 2 times"),
        (lambda: trees.two_pass(0), "n is 0"),
    ],
)
def test_impossible_shapes_are_refused(call, named):
    with pytest.raises(FpdriftError, match=named):
        call()
