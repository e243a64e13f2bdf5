"""Verdicts and their evidence; dot products, matrix products and means; and two orders compared."""

import math

import numpy as np
import pytest

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS
from fpdrift.reduction import (
    plans,
    reveal,
    reveal_dot,
    reveal_matmul,
    reveal_mean,
    run_plan,
    same_order,
    sum_of_dot,
    sum_of_matmul,
)
from fpdrift.reduction._reveal._sum_adapter import ROUNDED
from fpdrift.reduction._reveal._verify import Flush, flushed_sums
from fpdrift.reduction._rounding import round_array
from fpdrift.reduction.algorithms import (
    double_double_sum,
    exact_sum,
    kahan_sum,
    klein_sum,
    neumaier_sum,
)


def in_turn(x):
    return np.add.accumulate(x)[-1]


def dot(a, b):
    return in_turn(a * b)


def matmul(a, b):
    return np.array([[in_turn(row * column) for column in b.T] for row in a])


@pytest.mark.parametrize(
    ("add", "name"),
    [
        (kahan_sum, "Kahan's compensated sum"),
        (lambda x: kahan_sum(x[::-1]), "Kahan's compensated sum, from the last input to the first"),
        (neumaier_sum, "Neumaier's compensated sum"),
        (klein_sum, "Klein's compensated sum of second order"),
        (double_double_sum, "a pairwise sum in double-double"),
        (
            lambda x: np.float32(kahan_sum(x.astype(np.float64))),
            "Kahan's compensated sum in float64",
        ),
    ],
)
def test_a_compensated_sum_of_ours_is_named(add, name):
    found = reveal(add, 9)
    assert (found.verdict, found.plan) == ("confirmed", None)
    assert found.algorithms[0] == name
    assert f"those of {name}" in found.evidence.why
    assert found.evidence.agreed == found.evidence.replayed > 100


@pytest.mark.parametrize("n", [3, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_exact_sum_of_few_numbers_is_told_from_compensated_ones(n, dtype):
    exact = reveal(exact_sum, n, dtype)
    assert (exact.verdict, exact.algorithms) == ("order-independent", ("the exact sum",))
    compensated = reveal(neumaier_sum, n, dtype)
    assert compensated.verdict == "confirmed"
    assert compensated.algorithms[0] == "Neumaier's compensated sum"


@pytest.mark.parametrize("seed", range(4))
def test_an_exact_sum_that_is_rounded_twice_is_no_compensated_one(seed):
    """Few inputs tell one rounding from two: those that do have to be made for each width."""

    def twice(x):
        return round_array(np.array([math.fsum(x.astype(np.float64))]), FORMATS["bfloat16"])[0]

    found = reveal(twice, 5, "bfloat16", rng=np.random.default_rng(seed))
    assert (found.verdict, found.algorithms) == ("order-independent", ("the exact sum in float64",))
    once = reveal(exact_sum, 5, "bfloat16", rng=np.random.default_rng(seed))
    assert (once.verdict, once.algorithms[0]) == ("order-independent", "the exact sum")


@pytest.mark.parametrize("seed", range(4))
def test_a_compensated_sum_is_told_from_an_exact_one_in_a_wider_format(seed):
    found = reveal(neumaier_sum, 4, "float16", rng=np.random.default_rng(seed))
    assert found.verdict == "confirmed"
    assert found.algorithms[0] == "Neumaier's compensated sum"


def test_a_mean_made_of_a_compensated_sum_is_named():
    found = reveal(lambda x: kahan_sum(x) / np.float32(9), 9)
    assert found.algorithms == ("Kahan's compensated sum",)
    assert "It is a mean." in found.evidence.why


def test_a_compensated_sum_of_no_name_is_not_reproduced_and_one_input_shows_it():
    def kahan_of_parts(x):
        return kahan_sum(x[:4]) + kahan_sum(x[4:])

    found = reveal(kahan_of_parts, 9)
    evidence = found.evidence
    assert (found.verdict, found.algorithms) == ("not reproduced", ())
    assert kahan_of_parts(evidence.counterexample) == evidence.observed != evidence.expected
    assert run_plan(found.plan, evidence.counterexample) == evidence.expected
    assert evidence.agreed < evidence.replayed
    assert not evidence.flushes_subnormals


SUBNORMAL = np.float32(2.0**-126)


def zeroed(x):
    return np.where(np.abs(x) < SUBNORMAL, x * 0, x)


def flushed_chain(x):
    total = x.dtype.type(0)
    for value in zeroed(x):
        total = zeroed(total + value)
    return x.dtype.type(total)


@pytest.mark.parametrize(
    ("add", "flushed"),
    [
        (flushed_chain, ("inputs", "partial sums", "result")),
        (lambda x: in_turn(zeroed(x)), ("inputs",)),
        (lambda x: np.float32(zeroed(in_turn(x))), ("result",)),
    ],
)
def test_flushing_has_a_verdict_of_its_own(add, flushed):
    found = reveal(add, 20)
    assert (found.verdict, found.plan) == ("confirmed, subnormals flushed", plans.sequential(20))
    assert found.evidence.flushed == flushed
    assert found.evidence.flushes_subnormals
    assert not found.confirmed  # run_plan does not flush
    assert "Subnormal numbers are flushed to zero" in found.evidence.why


def test_a_flushed_zero_that_loses_its_sign_is_a_zero_still():
    """Some kernels add their accumulators to a plus zero at the end, TensorFlow's among them."""
    found = reveal(lambda x: flushed_chain(x) + np.float32(0), 3)
    back = reveal(lambda x: -(flushed_chain(-x) + np.float32(0)) + np.float32(0), 3)
    for one in (found, back):
        assert (one.verdict, one.plan) == ("confirmed, subnormals flushed", plans.sequential(3))
        assert "signs of such zeros were not compared" in one.evidence.why


def test_the_smallest_normal_number_is_not_flushed():
    fmt, flush = FORMATS["float32"], Flush(True, True, True)
    rows = np.array([[SUBNORMAL, 0], [SUBNORMAL * 2, -SUBNORMAL], [SUBNORMAL, -SUBNORMAL / 2]])
    sums = flushed_sums(plans.sequential(2), rows, fmt, fmt, ROUNDED, flush)
    assert sums.tolist() == [SUBNORMAL, SUBNORMAL, SUBNORMAL]
    under = flushed_sums(plans.sequential(2), rows * np.float32(1.5), fmt, fmt, ROUNDED, flush)
    assert under.tolist() == [SUBNORMAL * 1.5, SUBNORMAL * 1.5, SUBNORMAL * 1.5]
    cancelled = np.array([[SUBNORMAL * 1.5, -SUBNORMAL]], np.float32)
    assert flushed_sums(plans.sequential(2), cancelled, fmt, fmt, ROUNDED, flush).tolist() == [0]


def test_what_flushes_in_no_known_way_is_not_reproduced():
    tiny = SUBNORMAL * 4
    found = reveal(lambda x: in_turn(np.where(np.abs(x) < tiny, x * 0, x)), 20)
    assert found.verdict == "not reproduced"
    assert not found.evidence.flushes_subnormals


def test_what_goes_astray_is_shown_with_both_of_its_results():
    rng = np.random.default_rng(0)
    found = reveal(lambda x: in_turn(rng.permutation(x)), 9)
    evidence = found.evidence
    assert (found.verdict, found.plan) == ("inconsistent", None)
    assert evidence.missed_rate is None
    assert evidence.observed != evidence.expected


def test_what_does_not_add_is_inconsistent():
    found = reveal(np.max, 9)
    assert found.verdict == "inconsistent"
    assert found.evidence.observed == found.evidence.counterexample.max()


def test_an_order_that_zeros_change_is_inconsistent():
    def from_the_end_where_zeros_are(x):
        return in_turn(x[::-1] if (x == 0).sum() > 2 else x)

    assert reveal(from_the_end_where_zeros_are, 9).verdict == "inconsistent"


def test_the_order_of_decisions_puts_order_independence_before_the_tree():
    found = reveal(math.fsum, 9, "float64")
    assert (found.verdict, found.plan, found.probes) == ("order-independent", None, 0)
    assert found.evidence.permutations > 100


@pytest.mark.parametrize("n", [3, 4])
def test_with_three_or_four_inputs_the_evidence_says_how_well_it_can_tell(n):
    evidence = reveal(in_turn, n).evidence
    assert "Kahan" in evidence.power
    assert f"{evidence.replayed} inputs" in evidence.power
    kahan = int(evidence.power.split("differs from the plan's on ")[1].split(",")[0])
    assert 0 < kahan < evidence.replayed


@pytest.mark.parametrize("n", [2, 5, 12])
@pytest.mark.parametrize("extra_bits", [0, 2])
def test_adders_that_truncate_are_found_where_all_have_two_terms(n, extra_bits):
    plan = plans.fused(n, 1, aligned=True, extra_bits=extra_bits)
    found = reveal(lambda x: run_plan(plan, x), n)
    assert found.verdict == "confirmed"
    rows = np.random.default_rng(0).standard_normal((50, n)).astype(np.float32)
    assert all(run_plan(found.plan, row) == run_plan(plan, row) for row in rows)


@pytest.mark.parametrize("n", [1, 2, 3, 9, 40])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_products_are_revealed_as_sums(n, dtype):
    for found in (reveal_dot(dot, n, dtype), reveal_matmul(matmul, n, dtype, element=(1, 1))):
        assert (found.verdict, found.plan) == ("confirmed", plans.sequential(n))


def test_the_element_asked_is_the_one_that_is_revealed():
    def ends_otherwise(a, b):
        product = matmul(a, b)
        product[2, 1] = in_turn((a[2] * b[:, 1])[::-1])
        return product

    shape = {"shape": (3, 2)}
    assert reveal_matmul(ends_otherwise, 9, **shape).plan == plans.sequential(9)
    last = reveal_matmul(ends_otherwise, 9, **shape, element=(2, 1))
    assert last.plan == plans.reversed_(9)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("n", [2, 3, 9, 100, 300])
def test_a_mean_is_a_sum_that_is_divided(n, dtype):
    def mean(x):
        with np.errstate(all="ignore"):
            return x.dtype.type(in_turn(x) / x.dtype.type(n))

    def times_reciprocal(x):
        with np.errstate(all="ignore"):
            return x.dtype.type(in_turn(x) * (x.dtype.type(1) / x.dtype.type(n)))

    for function in (mean, times_reciprocal):
        found = reveal_mean(function, n, dtype)
        assert (found.verdict, found.plan) == ("confirmed", plans.sequential(n))


def test_products_of_the_wrong_shape_or_settings_are_refused():
    with pytest.raises(FpdriftError, match=r"shape \(2,\)"):
        reveal_matmul(lambda a, _: a[:, 0], 9)
    with pytest.raises(FpdriftError, match="element is 5"):
        reveal_matmul(matmul, 9, element=(0, 5))
    with pytest.raises(FpdriftError, match="shape is 3"):
        reveal_matmul(matmul, 9, shape=3)
    with pytest.raises(FpdriftError, match="None"):
        reveal_dot(None, 9)


def test_two_functions_that_add_alike():
    found = same_order(in_turn, sum_of_dot(dot, 20), 20)
    assert (found.same, found.shared) == (True, 19)
    assert (found.only_first, found.only_second, found.example) == ((), (), None)


def test_where_two_orders_part():
    found = same_order(in_turn, lambda x: in_turn(x[[0, 1, 3, 2, 4, 5]]), 6)
    assert (found.same, found.shared) == (False, 4)
    assert (found.only_first, found.only_second) == (((0, 1, 2),), ((0, 1, 3),))
    assert found.first_gave == in_turn(found.example) != found.second_gave


def test_the_same_order_in_another_accumulator_is_not_alike():
    def wide(x):
        return np.float32(in_turn(x.astype(np.float64)))

    found = same_order(in_turn, wide, 20)
    assert found.same is False
    assert "float64" in found.why
    assert found.only_first == ()


def test_orders_that_are_not_known_are_not_compared():
    assert same_order(in_turn, np.max, 9).same is None
    assert same_order(in_turn, neumaier_sum, 9).same is False  # a tree, and an algorithm
    assert same_order(neumaier_sum, neumaier_sum, 9).same is True
    assert same_order(math.fsum, math.fsum, 9, "float64").same is True
    assert same_order(math.fsum, in_turn, 9, "float64").same is False


def test_a_matrix_product_as_a_sum():
    asked = sum_of_matmul(matmul, 5, shape=(1, 1))
    assert asked(np.arange(5, dtype=np.float32)) == 10


def test_a_result_says_what_it_is_in_a_line():
    wide = reveal(lambda x: np.float16(in_turn(x.astype(np.float32))), 5, "float16", name="mine")
    line = f"Revealed(mine, n = 5, float16 in float32: confirmed, {wide.probes} probes)"
    assert repr(wide) == line
    assert str(wide).startswith("mine: confirmed. ")
    assert str(wide).endswith("\n((((0+1)+2)+3)+4)")
    assert "None" not in str(reveal(math.fsum, 9, "float64"))


def test_the_narrowest_accumulator_that_gives_the_bits_is_named():
    def wide(x):
        return np.float16(in_turn(x.astype(np.float32)))

    assert [reveal(wide, n, "float16").accumulator for n in (1, 2, 3, 9)] == [None, None] + [
        "float32"
    ] * 2
    assert reveal(in_turn, 2).accumulator is None


def test_rounding_twice_at_the_end_is_seen():
    """ml_dtypes casts float64 to bfloat16 by way of float32."""

    def twice(x):
        return np.float32(math.fsum(x.astype(np.float64))).astype(x.dtype)

    def in_double(x):
        return np.float32(in_turn(x.astype(np.float64))).astype(x.dtype)

    assert reveal(in_double, 5, "bfloat16").verdict == "not reproduced"
    assert reveal(twice, 5, "bfloat16").verdict != "confirmed"


def test_one_node_is_refuted_by_an_order_that_gives_other_bits():
    """On nearly all numbers Neumaier's sum is the exact one."""
    for seed in range(40):
        found = reveal(neumaier_sum, 5, "float64", rng=np.random.default_rng(seed))
        assert found.algorithms[:1] == ("Neumaier's compensated sum",) or (
            found.verdict == "order-independent"
        )


def test_a_mean_whose_masks_overflow_is_one_line():
    def doubled(x):
        return np.float32(np.sum(x * np.float32(2)) / np.float32(2 * len(x)))

    with pytest.raises(FpdriftError, match="doubled returned nan"):
        reveal_mean(doubled, 9)


def test_a_zero_of_the_other_sign_is_no_other_order():
    found = reveal(lambda x: -in_turn(-x), 9)
    assert (found.verdict, found.plan) == ("not reproduced", plans.sequential(9))
