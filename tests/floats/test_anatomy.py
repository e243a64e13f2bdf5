"""The anatomy of every 16-bit float, and of many wider ones."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from float_oracle import LAYOUT, NAMES, SMALL, bits_of, everything, is_nan, number, scalar
from hypothesis import given
from hypothesis import strategies as st

from fpdrift import anatomy
from fpdrift.errors import FpdriftError
from fpdrift.floats import Anatomy, full_decimal


def check_fields(a, bits, name):
    """Everything but the neighbours, from the bits alone."""
    width, stored, _, _ = LAYOUT[name]
    text = format(bits, f"0{1 + width + stored}b")
    assert a.dtype == name
    assert bits_of(a.value, name) == bits
    assert a.bits == text
    assert (a.sign_bits, a.exponent_bits, a.significand_bits) == (
        text[0],
        text[1 : 1 + width],
        text[1 + width :],
    )
    assert a.sign == int(text[0])
    assert a.biased_exponent == int(a.exponent_bits, 2)
    field, ones = int(a.significand_bits, 2), "1" * width
    if a.exponent_bits == ones:
        assert a.kind == ("nan" if field else "infinite")
        assert a.exact is a.ulp is a.exponent is None
        assert a.significand == field
        assert a.decimal.lstrip("-") == ("nan" if field else "inf")
        return
    if "1" not in a.exponent_bits:
        assert a.kind == ("subnormal" if field else "zero")
        assert a.significand == field
    else:
        assert a.kind == "normal"
        assert a.significand == field + 2**stored
    assert a.exact == number(bits, name)
    assert a.exact == (-1) ** a.sign * a.significand * Fraction(2) ** a.exponent
    assert Fraction(Decimal(a.decimal)) == a.exact
    assert a.decimal.startswith("-") == bool(a.sign)
    away = number((bits & ~(1 << (width + stored))) + 1, name)
    if away is not None:
        assert a.ulp == away - abs(a.exact)


@pytest.mark.parametrize("name", SMALL)
def test_every_small_float(name):
    values = everything(name)
    up, down = values.dtype.type(np.inf), values.dtype.type(-np.inf)
    with np.errstate(all="ignore"):
        above, below = np.nextafter(values, up), np.nextafter(values, down)
    for bits, value in enumerate(values):
        a = anatomy(value, name)
        check_fields(a, bits, name)
        if is_nan(value):
            assert a.above is None
            assert a.below is None
            continue
        for mine, theirs, end in ((a.above, above[bits], up), (a.below, below[bits], down)):
            if value == end:
                assert mine is None
            else:
                assert mine.tobytes() == theirs.tobytes(), (value, mine, theirs)


@given(st.sampled_from(("float32", "float64")), st.data())
def test_wide_floats(name, data):
    _, _, dtype, unsigned = LAYOUT[name]
    bits = data.draw(st.integers(0, 2 ** (8 * unsigned.itemsize) - 1))
    value = scalar(bits, name)
    a = anatomy(value, name)
    check_fields(a, bits, name)
    if not np.isnan(value):
        for mine, end in ((a.above, np.inf), (a.below, -np.inf)):
            expected = np.nextafter(value, dtype.type(end))
            assert mine is None if value == end else mine.tobytes() == expected.tobytes()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float64_against_the_standard_library(x):
    a = anatomy(x)
    assert a.ulp == Fraction(math.ulp(x))
    for mine, end in ((a.above, math.inf), (a.below, -math.inf)):
        expected = math.nextafter(x, end)
        assert (float(mine), math.copysign(1, mine)) == (expected, math.copysign(1, expected))
    assert a.decimal == format(Decimal(x), "f").removesuffix(".0") or "." in a.decimal
    assert Decimal(a.decimal) == Decimal(x)
    assert float.fromhex(f"{'-' * a.sign}{a.significand:#x}p{a.exponent}") == x


def test_a_text_shows_what_a_literal_hides():
    assert anatomy("0.1").exact == Fraction(0.1)
    assert anatomy("0.1", "float16").decimal == "0.0999755859375"
    assert anatomy("1/3", "float32").value == np.float32(1) / np.float32(3)
    assert anatomy(2**60).decimal == str(2**60)


def test_the_signed_zeros_differ_in_their_sign_alone():
    plus, minus = anatomy(0.0), anatomy(-0.0)
    assert (plus.decimal, minus.decimal) == ("0", "-0")
    assert (plus.sign, minus.sign) == (0, 1)
    assert plus.above == minus.above == 5e-324
    assert plus.below == minus.below == -5e-324


def test_the_repr_is_short():
    assert repr(anatomy(1.5, "float16")) == "Anatomy(float16 1.5, normal, 0 01111 1000000000)"


@pytest.mark.parametrize("name", NAMES)
def test_special_values_survive_json(name):
    for text in ("0.1", "-0.0", "inf", "-inf", "nan", "1e-4000", "1e-5"):
        a = anatomy(text, name)
        b = Anatomy.from_json(a.to_json())
        assert b.value.tobytes() == a.value.tobytes()
        assert (b.exact, b.decimal, b.kind, b.bits) == (a.exact, a.decimal, a.kind, a.bits)
        assert (b.above is None) == (a.above is None)


@pytest.mark.parametrize(("x", "dtype"), [("abc", "float64"), (1.0, "float8"), (None, "float16")])
def test_bad_input_is_refused(x, dtype):
    with pytest.raises(FpdriftError):
        anatomy(x, dtype)


def test_full_decimal_does_not_depend_on_the_callers_context():
    import decimal

    with decimal.localcontext(decimal.Context(prec=3, Emax=5, Emin=-5)):
        assert full_decimal(Fraction(1, 2**20)) == "0.00000095367431640625"
