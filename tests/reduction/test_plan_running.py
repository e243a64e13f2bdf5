"""Plans run by levels in NumPy give the bits of plans run node by node in exact fractions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_oracle import run_scalar

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, to_bits
from fpdrift.reduction import Plan, replay, run_plan, run_plans, thread_sums
from fpdrift.reduction import plans as makers
from fpdrift.reduction._rounding import to_odd

NAMES = list(FORMATS)
PAIRS = [
    *((name, None) for name in NAMES),
    *((name, wide) for name in ("float16", "bfloat16") for wide in ("float32", "float64")),
    ("float32", "float64"),
]
SHAPES = {
    "sequential": makers.sequential,
    "reversed": makers.reversed_,
    "pairwise": makers.pairwise,
    "pairwise of 4": lambda n: makers.pairwise(n, 4),
    "strided": lambda n: makers.strided(n, 3),
    "blocked": lambda n: makers.blocked(n, 5),
    "numpy": makers.numpy_like,
    "random": lambda n: makers.random(n, np.random.default_rng(n)),
    "arrivals": lambda n: makers.from_arrivals(np.random.default_rng(n).permutation(min(n, 4)), n),
    "exact 4": lambda n: makers.fused(n, 4),
    "one exact": lambda n: makers.fused(n, n),
    "aligned 4": lambda n: makers.fused(n, 4, aligned=True),
    "aligned 8 and 2 bits": lambda n: makers.fused(n, 8, aligned=True, extra_bits=2),
    "exact in strides": lambda n: makers.nest(
        makers.sequential(2), [makers.fused(n - n // 2, 3), makers.numpy_like(max(n // 2, 1))]
    ),
}


def numbers(kind, n, dtype, rng):
    """Data that tell orders apart, each kind in its own way."""
    fmt = FORMATS[dtype]
    if kind == "any bits":
        return rng.integers(0, 2**fmt.bits, n, dtype=np.uint64).astype(fmt.uint).view(fmt.dtype)
    if kind == "near the largest":
        return (rng.choice([-1, 1], n) * np.ldexp(1 + rng.random(n), fmt.emax)).astype(fmt.dtype)
    if kind == "subnormal":
        low = rng.integers(0, 2 << fmt.fraction_bits, n, dtype=np.uint64).astype(fmt.uint)
        return (low | rng.choice([0, fmt.sign_bit], n).astype(fmt.uint)).view(fmt.dtype)
    if kind == "zero sum":
        half = rng.standard_normal(n // 2) * np.exp2(rng.integers(-6, 6, n // 2))
        return rng.permutation([*half, *-half, *([1e-3] * (n % 2))]).astype(fmt.dtype)
    if kind == "ties":
        return rng.choice([1, -1, 2.0**-fmt.precision, 2.0 ** (1 - fmt.precision)], n).astype(
            fmt.dtype
        )
    if kind == "zeros":
        return rng.choice([0.0, -0.0], n, p=[0.1, 0.9]).astype(fmt.dtype)
    return (rng.standard_normal(n) * np.exp2(rng.integers(-9, 4, n))).astype(fmt.dtype)


KINDS = ["any bits", "near the largest", "subnormal", "zero sum", "ties", "zeros", "narrow"]


def same(got, wanted, dtype):
    fmt = FORMATS[dtype]
    both_nan = np.isnan(got) and np.isnan(wanted)
    return got.dtype == fmt.dtype and (both_nan or to_bits(got, fmt) == to_bits(wanted, fmt))


@pytest.mark.filterwarnings("ignore:.*encountered in cast")  # the test's own data overflow
@pytest.mark.parametrize(("dtype", "accumulator"), PAIRS)
@pytest.mark.parametrize("shape", SHAPES)
def test_levels_give_the_bits_of_single_nodes(shape, dtype, accumulator):
    rng = np.random.default_rng(len(shape) * 31 + len(dtype))
    for n in (1, 2, 3, 7, 12, 25, 41):
        plan = SHAPES[shape](n) if n > 1 else makers.sequential(1)
        rows = [numbers(kind, plan.n, dtype, rng) for kind in KINDS]
        at_once = run_plans(plan, np.stack(rows), accumulator=accumulator)
        for kind, row, got in zip(KINDS, rows, at_once, strict=True):
            wanted = run_scalar(plan, row, dtype, accumulator)
            assert same(got, wanted, dtype), (kind, n)
            assert same(run_plan(plan, row, dtype, accumulator), wanted, dtype), (kind, n)


@given(
    st.lists(st.floats(width=64), min_size=2, max_size=12),
    st.integers(0, 2**32),
    st.sampled_from(PAIRS),
)
@pytest.mark.filterwarnings("ignore:.*encountered in cast")  # as above
def test_any_numbers_in_any_binary_tree(values, seed, formats):
    dtype, accumulator = formats
    plan = makers.random(len(values), np.random.default_rng(seed))
    row = np.array(values).astype(FORMATS[dtype].dtype)
    wanted = run_scalar(plan, row, dtype, accumulator)
    assert same(run_plan(plan, row, accumulator=accumulator), wanted, dtype)


@pytest.mark.parametrize("dtype", NAMES)
def test_many_plans_at_once_give_the_bits_of_each(dtype):
    rng = np.random.default_rng(5)
    row = numbers("zero sum", 30, dtype, rng)
    plans = [
        *(makers.random(30, rng) for _ in range(50)),
        *(make(30) for make in SHAPES.values()),
        *(makers.in_order(rng.permutation(30)) for _ in range(20)),
    ]
    got = run_plans(iter(plans), row)
    assert all(same(g, run_plan(p, row), dtype) for g, p in zip(got, plans, strict=True))


@pytest.mark.parametrize(("dtype", "accumulator"), PAIRS)
def test_orders_give_the_bits_of_their_plans(dtype, accumulator):
    rng = np.random.default_rng(6)
    row = numbers("zero sum", 33, dtype, rng)
    orders = np.stack([rng.permutation(33) for _ in range(40)])
    got = run_plans(orders, row, accumulator=accumulator)
    wanted = [run_scalar(makers.in_order(order), row, dtype, accumulator) for order in orders]
    assert all(same(g, w, dtype) for g, w in zip(got, wanted, strict=True))


def test_blocks_of_orders_and_rows_join_without_a_seam():
    rng = np.random.default_rng(7)
    row = rng.standard_normal(1000).astype(np.float32)
    orders = np.stack([rng.permutation(1000) for _ in range(300)]).astype(np.uint16)
    wanted = [np.add.accumulate(row[order])[-1] for order in orders]
    assert run_plans(orders, row).tolist() == wanted
    assert run_plans(makers.sequential(1000), row[orders]).tolist() == wanted
    assert run_plans((makers.in_order(order) for order in orders), row).tolist() == wanted


def test_a_sum_of_a_million_in_a_plain_loop_is_numpy_accumulated():
    row = np.random.default_rng(8).standard_normal(10**6).astype(np.float32)
    plan = makers.sequential(10**6)
    assert plan.depth == 10**6 - 1
    assert run_plan(plan, row) == np.add.accumulate(row)[-1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numpy_like_is_numpys_sum(dtype):
    rng = np.random.default_rng(9)
    for n in [*range(1, 300), 511, 512, 513, 1000, 1023, 2049, 4099, 9_999, 10_000]:
        plan = makers.numpy_like(n)
        rows = np.stack([numbers(kind, n, dtype, rng) for kind in ("zero sum", "narrow")])
        assert run_plans(plan, rows).tolist() == [np.sum(row) for row in rows], n


def test_numpy_like_with_a_float32_accumulator_is_numpys_float16_sum():
    rng = np.random.default_rng(10)
    for n in (5, 8, 100, 129, 1000):
        row = numbers("narrow", n, "float16", rng)
        assert run_plan(makers.numpy_like(n), row, accumulator="float32") == np.sum(row)


def test_arrivals_of_threads_are_a_plan():
    sums = thread_sums(10_000, chunks=30, tries=5, threads=3)
    row = np.random.default_rng(sums.seed).standard_normal(sums.n, dtype=np.float32)
    for index, arrivals in enumerate(sums.run(3).arrivals):
        plan = makers.from_arrivals(arrivals, sums.n)
        assert run_plan(plan, row) == replay(sums, index) == sums.run(3).values[index]


def test_float64_is_rounded_once_to_bfloat16():
    tie = 1 + 2.0**-8  # halfway between bfloat16 neighbours
    row = np.array([tie, 2.0**-40])
    one_plus = run_plan(makers.sequential(1), row[:1] + row[1:], "bfloat16")
    assert float(one_plus) == 1 + 2.0**-7
    assert float(run_plan(makers.sequential(1), row[:1], "bfloat16")) == 1


def test_a_float64_accumulator_is_rounded_once_to_bfloat16():
    row = np.array([1, 2.0**-8, 2.0**-40]).astype(FORMATS["bfloat16"].dtype)  # just above a tie
    for got in (
        run_plan(makers.sequential(3), row, accumulator="float64"),
        run_plans(makers.sequential(3), row[None], accumulator="float64")[0],
        run_plans(np.array([[0, 1, 2]]), row, accumulator="float64")[0],
    ):
        assert float(got) == 1 + 2.0**-7


def test_odd_is_where_a_second_rounding_is_safe():
    one = np.float32(1)
    odd, even = one + np.float32(2.0**-23), one + np.float32(2.0**-22)
    near = np.array([one, one, one, odd, odd, even, -one, -one, np.nan], np.float32)
    rest = np.array([1, -1, 0, 1, -1, -1, 1, -1, np.nan])
    below = np.nextafter(one, np.float32(0))
    wanted = [odd, below, one, odd, odd, odd, -below, -odd]
    assert to_odd(near, rest)[:-1].tolist() == wanted
    assert np.isnan(to_odd(near, rest)[-1])


def test_whole_numbers_are_taken_as_float64():
    got = run_plan(makers.sequential(3), [1, 2, 2**53])
    assert (got, got.dtype) == (2.0**53 + 4, np.float64)
    assert run_plan(makers.sequential(2), [True, False], "float16") == 1


def test_an_exact_node_rounds_once():
    row = np.array([1, 2.0**-24, 2.0**-70], np.float32)  # just above a tie; in float64 on it
    assert run_plan(makers.fused(3, 3), row) == np.float32(1 + 2.0**-23)


def test_what_extra_bits_keep():
    row = np.array([1, 2.0**-24, 2.0**-24], np.float32)
    for extra, wanted in [(0, 1.0), (1, 1 + 2.0**-23)]:
        plan = Plan(n=3, children=[0, 1, 2], starts=[0, 3], aligned=True, extra_bits=extra)
        assert run_plan(plan, row) == np.float32(wanted)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: run_plan(makers.sequential(3), [1.0, 2.0]), "the plan adds 3 numbers"),
        (lambda: run_plan("x", [1.0]), "'x' is not a Plan"),
        (lambda: run_plan(makers.sequential(1), ["a"]), "values is"),
        (lambda: run_plan(makers.sequential(1), [1j]), "values is"),
        (lambda: run_plan(makers.sequential(1), [[1.0]]), "1 dimension"),
        (lambda: run_plan(makers.sequential(1), [1.0], "float8"), "unknown dtype"),
        (lambda: run_plan(makers.sequential(1), [1.0], "float64", "float32"), "cannot hold"),
        (lambda: run_plan(makers.sequential(1), [1.0], "float16", "bfloat16"), "cannot hold"),
        (lambda: run_plans(3, [1.0]), "plans is 3"),
        (lambda: run_plans([3], [1.0]), "3 is not a Plan"),
        (lambda: run_plans(np.array([[0, 2]]), [1.0, 2.0]), "outside 0 to 1"),
        (lambda: run_plans(np.array([[0, -1]]), [1.0, 2.0]), "outside 0 to 1"),
        (lambda: run_plans(np.array([[0.0]]), [1.0]), "orders is"),
        (lambda: run_plans(np.array([[0]]), []), "orders is"),
        (
            lambda: run_plan(makers.fused(99, 99, aligned=True, extra_bits=8), np.zeros(99)),
            "99 aligned terms of 61 bits",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(FpdriftError, match=message):
        call()


def test_nothing_to_run_gives_nothing():
    assert run_plans([], np.ones(3)).shape == (0,)
    assert run_plans(makers.sequential(3), np.ones((0, 3), np.float32)).dtype == np.float32


def test_the_callers_numbers_are_left_alone():
    row = np.array([1, 2, 3, 4], np.float32)
    orders = np.array([[3, 2, 1, 0]])
    run_plan(makers.sequential(4), row)
    run_plans(orders, row)
    assert row.tolist() == [1, 2, 3, 4]
    assert orders.tolist() == [[3, 2, 1, 0]]
