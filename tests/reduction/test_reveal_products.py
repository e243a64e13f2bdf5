"""Products with random factors, means that nobody announced, and two of them compared."""

from fractions import Fraction

import numpy as np
import pytest
from helpers import require

from fpdrift.backends.summing_functions import box
from fpdrift.floats import FORMATS, round_fraction
from fpdrift.reduction import (
    plans,
    reveal,
    reveal_dot,
    reveal_matmul,
    reveal_mean,
    same_order,
    sum_of_dot,
    sum_of_mean,
)


def exact_chain(values, factors, fused):
    """Add products one after the other in fractions; those that are not fused are rounded first."""
    fmt = FORMATS[values.dtype.name]
    total = Fraction(0)
    for one, other, whole in zip(values.tolist(), factors.tolist(), fused, strict=True):
        product = Fraction(float(one)) * Fraction(float(other))
        if not whole:
            product = Fraction(float(round_fraction(product, fmt))) if product else product
        total += product
        total = Fraction(float(round_fraction(total, fmt))) if total else total
    return round_fraction(total, fmt) if total else values.dtype.type(0)


def chain(fused, back=False):
    def dot(values, factors):
        if back:
            values, factors = values[::-1], factors[::-1]
        return exact_chain(values, factors, fused)

    return dot


PATTERNS = {
    "rounded": [False] * 7,
    "fused": [False] + [True] * 6,
    "some": [False, True, True, True, True, False, False],
}


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", PATTERNS)
def test_which_products_are_rounded_is_found(name, dtype):
    found = reveal_dot(chain(PATTERNS[name]), 7, dtype)
    assert (found.verdict, found.plan) == ("confirmed", plans.sequential(7))
    assert found.unrounded.tolist() == PATTERNS[name]
    assert found.products == ("rounded" if name == "rounded" else "fused")


def test_the_last_products_of_a_reversed_chain_are_told_apart():
    found = reveal_dot(chain(PATTERNS["fused"], back=True), 7, "float64")
    assert found.plan == plans.reversed_(7)
    assert found.unrounded.tolist() == [True] * 6 + [False]


def lanes(values, factors):
    """Four fused accumulators, added in halves; the rest is plain."""
    sums = [exact_chain(values[k:8:4], factors[k:8:4], [False, True]) for k in range(4)]
    total = (sums[0] + sums[2]) + (sums[1] + sums[3])
    for one, other in zip(values[8:], factors[8:], strict=True):
        total = total + one * other
    return total


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accumulators_that_fuse_and_a_tail_that_does_not(dtype):
    found = reveal_dot(lanes, 10, dtype)
    assert found.confirmed
    assert found.unrounded.tolist() == [False] * 4 + [True] * 4 + [False] * 2


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_wider_accumulator_takes_products_whole(dtype):
    def dot(values, factors):
        products = values.astype(np.float32) * factors.astype(np.float32)
        return values.dtype.type(np.add.accumulate(products)[-1])

    found = reveal_dot(dot, 9, dtype)
    assert (found.verdict, found.accumulator, found.products) == ("confirmed", "float32", "exact")


def test_factors_that_are_rounded_first_are_not_confirmed():
    def coarse(values, factors):
        factors = factors.view(np.int32) & ~0xFFF
        return np.add.accumulate(values * factors.view(np.float32))[-1]

    found = reveal_dot(coarse, 9)
    assert found.verdict == "not reproduced"
    assert "random factors" in found.evidence.why


def test_an_element_of_a_matrix_product_is_multiplied_too():
    def matmul(left, right):
        dot = chain([False] + [True] * 4)
        return np.array([[dot(row, column) for column in right.T] for row in left])

    found = reveal_matmul(matmul, 5, element=(1, 0))
    assert (found.confirmed, found.products) == (True, "fused")


def test_a_fused_and_a_plain_product_round_differently():
    fused, plain = (sum_of_dot(chain(PATTERNS[name]), 7) for name in ("fused", "rounded"))
    found = same_order(fused, plain, 7)
    assert (found.same, found.answer) == (False, "the same order, different rounding")
    assert "6 of its 7 products unrounded" in found.why
    numbers, factors = found.example, found.example_factors
    assert chain(PATTERNS["fused"])(numbers, factors) == found.first_gave
    assert chain(PATTERNS["rounded"])(numbers, factors) == found.second_gave
    assert found.first_gave != found.second_gave
    assert same_order(fused, fused, 7).same is True


def mean_of(x):
    return np.add.accumulate(x)[-1] / x.dtype.type(len(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [2, 3, 16, 33])
def test_a_mean_that_nobody_announced_is_recognised(n, dtype):
    found = reveal(mean_of, n, dtype)
    assert (found.verdict, found.plan) == ("confirmed", plans.sequential(n))
    assert found.finish == "divided by n"
    assert "It is a mean." in found.evidence.why
    assert reveal_mean(mean_of, n, dtype).plan == found.plan


def test_a_sum_that_was_announced_as_a_mean_is_recognised():
    found = reveal_mean(lambda x: np.add.accumulate(x)[-1], 9)
    assert (found.verdict, found.finish) == ("confirmed", None)
    assert "a sum, not a mean" in found.evidence.why


def test_means_are_compared():
    def scaled(x):
        return np.add.accumulate(x)[-1] * (np.float32(1) / np.float32(len(x)))

    means = [sum_of_mean(function, 33) for function in (mean_of, scaled)]
    assert same_order(means[0], means[0], 33).same is True
    found = same_order(*means, 33)
    assert (found.same, found.answer) == (False, "the same order, different rounding")
    assert "multiplied by 1 / n" in found.why
    back = same_order(mean_of, lambda x: mean_of(x[::-1]), 33)
    assert (back.same, back.answer) == (False, "different orders")


def test_torchs_dot_product_is_confirmed_at_one_alignment_or_everywhere():
    require("torch")
    found = reveal_dot(box("torch:dot").call, 33)
    evidence = found.evidence
    assert evidence.offsets == tuple(range(4, 64, 4))
    assert found.verdict == f"confirmed{' at one alignment' * bool(evidence.offsets_that_differ)}"


def test_jaxs_lazy_sum_gets_the_same_tree_each_time():
    require("jax")
    import jax.numpy as jnp

    found = [reveal(jnp.sum, n) for n in (100, 100, 1000)]
    assert {one.verdict for one in found} <= {"confirmed", "confirmed, subnormals flushed"}
    assert found[0].plan == found[1].plan
