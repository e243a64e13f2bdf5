"""A chain leaves a plain loop's bits, whatever the start, the factors and the dtype."""

import math
import operator
from collections import Counter
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fpdrift.arithmetic import _fast_forward, chain
from fpdrift.floats import FORMATS, from_bits, to_bits

APPLY = {
    "multiply": operator.mul,
    "divide": operator.truediv,
    "add": operator.add,
    "subtract": operator.sub,
}
EVERYDAY = (0.1, 1.0, -1.0, 2.0, 0.5, 3.0, -0.75, 11 / 9, 1e-3, 7.0)


def plain_loop(start, factors, count):
    x = start
    with np.errstate(all="ignore"):
        for _ in range(count):
            for name, factor in factors:
                x = APPLY[name](x, factor)
    return x


def bits(x, fmt):
    return "nan" if math.isnan(x) else to_bits(x, fmt)


def number(fmt, kind, raw):
    """Make a float of a drawn integer: any bits, special ones, borders of binades, everyday."""
    sign = fmt.sign_bit * (raw >> 60 & 1)
    if kind == 0:
        return from_bits(raw % (1 << fmt.bits), fmt)
    if kind == 1:
        special = (0, 1, 2, fmt.infinity_bits - 1, fmt.infinity_bits, fmt.infinity_bits + 1)
        return from_bits(special[raw % 6] | sign, fmt)
    if kind == 2:
        exponent, ulps = 1 + raw % (2 * fmt.emax), raw // (2 * fmt.emax) % 301 - 150
        return from_bits(abs((exponent << fmt.fraction_bits) + ulps) | sign, fmt)
    return fmt.dtype.type(EVERYDAY[raw % len(EVERYDAY)])


def operand(fmt, name, kind, raw, start):
    """Mostly what makes stretches: a few ulps from 1 or -1, or a few eighths of start's ulp."""
    if kind < 4:
        return number(fmt, kind, raw)
    few = raw % 81 - 40
    if name in ("multiply", "divide"):
        near = from_bits(to_bits(fmt.dtype.type(1), fmt) + few, fmt)
        return -near if kind == 4 else near
    exponent = math.frexp(start)[1] if math.isfinite(start) else 0
    return fmt.dtype.type(math.ldexp(few, max(exponent - fmt.precision, fmt.quantum) - 3))


def chains(operations):
    """Strategy of raw chains; drawing flat integers is several times faster than building them."""
    raw = st.integers(0, 2**64 - 1)
    one = st.tuples(st.sampled_from(sorted(APPLY)), st.integers(0, 8), raw)
    formats, counts = st.sampled_from(list(FORMATS.values())), st.integers(0, 300)
    return st.tuples(formats, st.integers(0, 3), raw, st.tuples(*[one] * operations), counts)


def check(case, seen):
    fmt, kind, raw, step, count = case
    with np.errstate(all="ignore"):
        start = number(fmt, kind, raw)
        factors = tuple((name, operand(fmt, name, *how, start)) for name, *how in step)
    result = chain(start, factors, count, dtype=fmt.name)
    assert type(result.value) is fmt.dtype.type
    assert bits(result.value, fmt) == bits(plain_loop(start, factors, count), fmt)
    seen["chains"] += 1
    seen["jumped"] += result.stretches > 0


@pytest.mark.parametrize("cases", [1000, pytest.param(10_000, marks=pytest.mark.check)])
@pytest.mark.parametrize("operations", [1, 2])
def test_short_chains_leave_the_bits_of_a_plain_loop(operations, cases):
    seen = Counter()
    proved = _fast_forward.repeats

    def counting(*arguments):
        times, value = proved(*arguments)
        seen["stretches"] += times > 0
        return times, value

    @settings(max_examples=cases, suppress_health_check=list(HealthCheck), database=None)
    @given(chains(operations))
    def run(case):
        check(case, seen)

    with patch.object(_fast_forward, "repeats", counting):
        run()
    # The shortcuts were tried, not only the loop.
    assert seen["chains"] >= cases
    assert seen["jumped"] > cases / 3
    assert seen["stretches"] > cases / 20


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("border", [1.0, -4.0])
def test_every_step_across_the_border_of_a_binade(dtype, border):
    fmt = FORMATS[dtype]
    ulp = fmt.dtype.type(2.0 ** (1 - fmt.precision) * border)
    for eighths in range(-24, 25):
        start = fmt.dtype.type(border - math.copysign(60, eighths) * ulp)
        factor = fmt.dtype.type(eighths * ulp / 8)
        x = start
        for count in range(1, 130):
            x = x + factor
            assert chain(start, factor, count, "add", dtype).value == x, (eighths, count)
