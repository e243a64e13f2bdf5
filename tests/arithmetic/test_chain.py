"""What the printed figures of the long loop are, and what a chain tells about itself."""

from decimal import Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

from fpdrift.arithmetic import Chain, ChainCurve, _fast_forward, _loops, chain
from fpdrift.floats import FORMATS, to_bits

A, B = 2 / 9 * 11, 2 * 11 / 9
MULTIPLY_FIRST = [("multiply", A), ("divide", B)]
DIVIDE_FIRST = [("divide", B), ("multiply", A)]
COUNT = 100_000_000


def test_the_printed_value_of_the_ratio():
    assert chain(1.0, A / B, COUNT).value == 0.9999999777955395


@pytest.mark.parametrize(
    ("factor", "units"),
    [(A / B, 200_000_000), (MULTIPLY_FIRST, 163_636_364), (DIVIDE_FIRST, 157_142_858)],
)
def test_three_loops_that_are_equal_on_paper_lose_three_amounts(factor, units):
    result = chain(1.0, factor, COUNT)
    assert result.lost == Fraction(units, 2**53)
    assert result.stretches >= 1
    assert result.looped < 200


def test_the_printed_loss_belongs_to_the_loop_that_rounds_twice():
    assert 1 - chain(1.0, MULTIPLY_FIRST, COUNT).value == 1.8167285897874308e-08
    assert 1 - chain(1.0, A / B, COUNT).value == 2.220446049250313e-08


def test_exact_arithmetic_loses_a_fourth_amount():
    exact = chain(1.0, MULTIPLY_FIRST, COUNT).exact()
    assert round((1 - exact) * 2**53, 2) == Decimal("163636362.15")
    # A ratio passed as a fraction is rounded for the loop, not for exact arithmetic.
    ratio = chain(1.0, Fraction(A) / Fraction(B), COUNT)
    assert ratio.exact() == exact
    assert ratio.value == 0.9999999777955395


def test_eighteen_ulps_in_eleven_steps():
    values = [chain(1.0, MULTIPLY_FIRST, 1000 + 11 * i).value for i in range(5)]
    assert np.diff(values).tolist() == [-18 * 2.0**-53] * 4


@pytest.mark.parametrize("factor", [A / B, MULTIPLY_FIRST, DIVIDE_FIRST])
def test_a_hundred_million_billion_steps(factor):
    result = chain(1.0, factor, 10**17)
    # Halves of one chain make the whole: the jumps land where they should.
    half = chain(1.0, factor, 10**17 // 2 - 12345)
    assert chain(half.value, factor, 10**17 // 2 + 12345).value == result.value
    assert result.looped < 1000


def test_rounding_twice_stops_the_chain_for_ever():
    stuck = chain(1.0, MULTIPLY_FIRST, 10**18).value
    assert stuck * A / B == stuck
    assert 0.5 < stuck < 0.6


def test_a_long_chain_reaches_the_subnormals_and_stays():
    result = chain(1.0, A / B, 2**63 - 1)
    assert 0 < result.value < 2.2250738585072014e-308
    assert result.value * (A / B) == result.value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["multiply", "divide", "subtract"])
def test_a_million_steps_leave_the_bits_of_a_compiled_loop(dtype, name):
    fmt, rng = FORMATS[dtype], np.random.default_rng(1)
    p, stretches = fmt.precision, 0
    for _ in range(60):
        count = int(rng.integers(900_000, 1_000_000))
        start = fmt.dtype.type(rng.choice([1e-40, 1.0, -3.0, 1.5e30]) * rng.uniform(0.5, 2))
        small = rng.integers(-40, 40) * 2.0 ** -int(rng.choice([p, p - 4, p // 2 + 6]))
        factor = fmt.dtype.type(1 + small if name != "subtract" else float(start) * small)
        factors = np.full(count, factor)
        with np.errstate(all="ignore"):
            last = getattr(np, name).reduce(factors, initial=start)
        result = chain(start, factor, count, name, dtype)
        assert to_bits(result.value, fmt) == to_bits(last, fmt), (start, factor, count)
        stretches += result.stretches
    assert stretches >= 50


@pytest.mark.parametrize("factor", [A / B, 1 + 2.0**-40, 1 - 2.0**-33, 1 + 2.0**-29])
def test_a_hundred_million_steps_leave_the_bits_of_a_compiled_loop(factor):
    last = np.multiply.reduce(np.broadcast_to(factor, COUNT), initial=1.0)
    assert chain(1.0, factor, COUNT).value == last


@pytest.mark.parametrize(
    ("dtype", "start", "factor", "op"),
    [
        ("float16", 0.0, 2.0**-24, "add"),
        ("float16", -65504.0, 32.0, "add"),
        ("float16", 60000.0, [("multiply", 0.9995), ("add", 0.5)], "multiply"),
        ("bfloat16", 1e38, [("multiply", 0.996), ("subtract", 1.0)], "multiply"),
    ],
)
@pytest.mark.parametrize("count", [1500, 5000, 50_001])
def test_a_16_bit_chain_that_takes_long_to_settle(dtype, start, factor, op, count):
    result = chain(start, factor, count, op, dtype)
    x = result.start
    with np.errstate(all="ignore"):
        for _ in range(count):
            for name, number in result.factors:
                x = _loops.APPLY[name](x, number)
    assert to_bits(result.value, FORMATS[dtype]) == to_bits(x, FORMATS[dtype])


def test_without_a_compiled_loop_the_bits_are_the_same(monkeypatch):
    fast = chain(1.0, 1 + 2.0**-26, 300_000)
    monkeypatch.setattr(_loops, "_reduces_in_order", lambda *_: False)
    assert chain(1.0, 1 + 2.0**-26, 300_000).value == fast.value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_reduce_that_adds_in_another_order_is_found_out(dtype):
    assert _loops._reduces_in_order("subtract", np.dtype(dtype))
    assert not _loops._reduces_in_order("add", np.dtype(dtype))


@pytest.mark.parametrize(
    ("start", "factor", "op"),
    [
        (3.0, 1 / 3, "multiply"),
        (-2.5, -1.1, "divide"),
        (1e10, 0.1, "subtract"),
        ("0.1", "0.7", "add"),
        (1.0, [("multiply", 1.5), ("subtract", 0.5)], "multiply"),
        (0.3, [("divide", 3), ("add", "1/7"), ("multiply", -2)], "multiply"),
        (5, [("multiply", 0.0), ("add", 2)], "multiply"),
        (1.0, [("multiply", 0.5), ("subtract", 0.5)], "multiply"),
    ],
)
@pytest.mark.parametrize("count", [0, 1, 2, 57])
def test_exact_arithmetic_against_fractions(start, factor, op, count):
    x = Fraction(start)
    for _ in range(count):
        for name, number in factor if isinstance(factor, list) else [(op, factor)]:
            x = _loops.APPLY[name](x, Fraction(number))
    exact = chain(start, factor, count, op, "float32").exact()
    assert abs(Fraction(exact) - x) <= abs(x) * Fraction(1, 10**45)


def test_exact_arithmetic_over_very_many_steps():
    factor, count = 1 - 2.0**-52, 10**17
    with localcontext(prec=120):
        power = (Decimal(factor).ln() * count).exp()
        ratio = chain(1.0, factor, count).exact() / power
        # x -> f x + f moves around the fixed point f / (1 - f)
        fixed = Decimal(factor) / (1 - Decimal(factor))
        mixed = chain(1.0, [("add", 1.0), ("multiply", factor)], count).exact()
        affine = mixed / (power * (1 - fixed) + fixed)
        assert abs(ratio - 1) < Decimal("1e-45")
        assert abs(affine - 1) < Decimal("1e-45")


def test_what_has_no_exact_value():
    assert chain(float("inf"), 2, 3).exact() is None
    assert chain(1, float("nan"), 3).exact() is None
    assert chain(1, 0, 3, "divide").exact() is None
    assert chain(1, 0, 3, "divide").lost is None


def test_exact_arithmetic_goes_beyond_the_largest_float():
    result = chain(2.0**1000, 10, 100)
    assert result.value == np.inf
    assert result.lost is None
    assert result.exact() == Context(prec=50).multiply(Decimal(2**1000), Decimal(10**100))


def test_a_curve_lies_on_the_chain():
    result = chain(1.0, MULTIPLY_FIRST, 10**9)
    curve = result.curve(points=21)
    assert curve.steps.tolist() == [i * 10**9 // 20 for i in range(21)]
    for step, value, exact in zip(curve.steps, curve.values, curve.exact, strict=True):
        there = chain(1.0, MULTIPLY_FIRST, int(step))
        assert (there.value, there.exact()) == (value, exact)


@pytest.mark.parametrize(("count", "steps"), [(0, [0]), (1, [0, 1]), (3, [0, 1, 2, 3])])
def test_a_short_curve_has_a_point_for_each_step(count, steps):
    assert chain(1.0, 0.5, count, dtype="bfloat16").curve().steps.tolist() == steps


@pytest.mark.parametrize(
    "result",
    [
        chain(1.0, MULTIPLY_FIRST, COUNT),
        chain("0.1", "1/3", 5, "add", "bfloat16"),
        chain(-0.0, float("inf"), 1, "multiply", "float16"),
        chain(1.0, A / B, COUNT).curve(7),
    ],
    ids=["pair", "fractions", "nan", "curve"],
)
def test_json_keeps_every_bit(result):
    again = type(result).from_json(result.to_json())
    assert isinstance(again, Chain | ChainCurve)
    assert again.to_json() == result.to_json()
    assert repr(again) == repr(result)
    if isinstance(result, Chain):
        assert again.exact() == result.exact()


def test_a_short_repr():
    shown = "Chain(float64 1.0, 3 x (multiply 0.5, add 1.0) -> 1.875)"
    assert repr(chain(1, [("multiply", 0.5), ("add", 1)], 3)) == shown
    shown = "Chain(float32 1.0, 5 x (multiply 1.1) -> 1.6105101)"
    assert repr(chain(1, 1.1, 5, dtype="float32")) == shown


def test_counts_that_are_whole():
    for count in (10**3, 1e3, np.int32(1000), np.float32(1000)):
        assert chain(1.0, 1.5, count).steps == 1000


def test_a_stretch_is_proved_to_its_last_step_and_no_further():
    fmt = FORMATS["float64"]
    step = _loops.operations((("multiply", A / B),), as_float=True)
    # Two ulps a step from 1 down to 0.75, one from there on.
    states = _loops.walk(0.75 + 1_000_001 * 2.0**-53, step, 2)
    times, value = _fast_forward.repeats(states, step, 10**18, fmt)
    assert value == states[-1] - times * 2.0**-52
    assert (value + 2.0**-52) * (A / B) == value
    assert value * (A / B) == value - 2.0**-53
    assert _fast_forward.repeats(states, step, 5, fmt) == (5, _loops.walk(states[-1], step, 5)[-1])


def test_nothing_is_proved_of_states_that_were_rounded_otherwise():
    fmt, step = FORMATS["float64"], _loops.operations((("multiply", 1.0),), as_float=True)
    drifting = [1.5, 1.5 + 2.0**-52, 1.5 + 2.0**-51]  # times 1 nothing moves
    assert _fast_forward.repeats(drifting, step, 10, fmt)[0] == 0
