"""Bits, fractions and rounding, against exact arithmetic and Python's own floats."""

import math
import struct
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from float_oracle import LAYOUT, NAMES, SMALL, bits_of, everything, number, positive_finite, scalar
from hypothesis import given
from hypothesis import strategies as st

from fpdrift.errors import FpdriftError
from fpdrift.floats import (
    FORMATS,
    exact,
    floor_log2,
    format_of,
    from_bits,
    round_fraction,
    round_to,
    to_bits,
    to_fraction,
)


@pytest.mark.parametrize("name", SMALL)
def test_every_small_float_goes_to_bits_and_back(name):
    fmt = FORMATS[name]
    for bits, value in enumerate(everything(name)):
        assert to_bits(value, fmt) == bits
        assert bits_of(from_bits(bits, fmt), name) == bits


@pytest.mark.parametrize("name", SMALL)
def test_every_small_float_has_its_exact_value_and_rounds_back(name):
    fmt = FORMATS[name]
    for bits, value in enumerate(everything(name)):
        expected = number(bits, name)
        if expected is None:
            with pytest.raises(FpdriftError, match="no exact value"):
                to_fraction(value, fmt)
            continue
        assert to_fraction(value, fmt) == expected
        assert bits_of(round_fraction(expected, fmt), name) == (bits if expected else 0)


@pytest.mark.parametrize("name", SMALL)
def test_every_midpoint_rounds_to_even_and_its_sides_to_their_side(name):
    fmt = FORMATS[name]
    width, stored, _, _ = LAYOUT[name]
    infinite = (2**width - 1) << stored
    overflow = 2 * number(infinite - 1, name) - number(infinite - 2, name)
    for bits in positive_finite(name):
        low = number(bits, name)
        high = overflow if bits + 1 == infinite else number(bits + 1, name)
        middle, hair = (low + high) / 2, (high - low) / 10**9
        assert to_bits(round_fraction(middle, fmt), fmt) == bits + bits % 2
        assert to_bits(round_fraction(middle - hair, fmt), fmt) == bits
        assert to_bits(round_fraction(middle + hair, fmt), fmt) == bits + 1
        assert to_bits(round_fraction(-middle, fmt), fmt) == bits + bits % 2 + fmt.sign_bit


@pytest.mark.parametrize("name", NAMES)
def test_far_beyond_the_largest_is_infinite_and_far_below_the_smallest_is_a_signed_zero(name):
    fmt = FORMATS[name]
    assert float(round_fraction(Fraction(10) ** 400, fmt)) == math.inf
    assert float(round_fraction(-(Fraction(10) ** 400), fmt)) == -math.inf
    assert to_bits(round_fraction(Fraction(1, 10**400), fmt), fmt) == 0
    assert to_bits(round_fraction(-Fraction(1, 10**400), fmt), fmt) == fmt.sign_bit
    assert to_bits(round_fraction(Fraction(0), fmt), fmt) == 0


@given(st.fractions())
def test_float64_rounds_like_python_divides(value):
    assert round_fraction(value, FORMATS["float64"]) == value.numerator / value.denominator


@given(st.integers(-(2**120), 2**120), st.integers(-1200, 1000))
def test_float64_rounds_like_python_in_every_binade(significand, exponent):
    value = significand * Fraction(2) ** exponent
    try:
        expected = value.numerator / value.denominator
    except OverflowError:
        expected = math.inf if value > 0 else -math.inf
    assert round_fraction(value, FORMATS["float64"]) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float32_rounds_like_the_standard_library(x):
    try:
        expected = struct.unpack("f", struct.pack("f", x))[0]
    except OverflowError:
        expected = math.copysign(math.inf, x)
    rounded = round_fraction(Fraction(x), FORMATS["float32"])
    assert float(rounded) == expected


@given(st.sampled_from(NAMES), st.data())
def test_bits_are_the_identity_for_every_format(name, data):
    fmt = FORMATS[name]
    bits = data.draw(st.integers(0, 2**fmt.bits - 1))
    assert to_bits(from_bits(bits, fmt), fmt) == bits
    assert bits_of(round_to(scalar(bits, name), fmt), name) == bits  # NaN payloads included
    expected = number(bits, name)
    if expected is not None:
        assert to_fraction(scalar(bits, name), fmt) == expected
        assert exact(scalar(bits, name)) == expected


@given(st.fractions().filter(bool).map(abs), st.integers(-3000, 3000))
def test_floor_log2_brackets(value, shift):
    value *= Fraction(2) ** shift
    e = floor_log2(value)
    assert Fraction(2) ** e <= value < Fraction(2) ** (e + 1)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("0.1", Fraction(1, 10)),
        (" 2.50 ", Fraction(5, 2)),
        ("1_000", Fraction(1000)),
        ("1/3", Fraction(1, 3)),
        ("1e-400", Fraction(1, 10**400)),
        ("0e999999999", Fraction(0)),
        (0.1, Fraction(0.1)),
        (7, Fraction(7)),
        pytest.param(10**5000, Fraction(10**5000), id="huge int"),
        pytest.param("1" * 5000, Fraction((10**5000 - 1) // 9), id="huge text"),
        (Fraction(2, 7), Fraction(2, 7)),
        (Decimal("1.10"), Fraction(11, 10)),
        (np.float32(0.1), Fraction(13421773, 2**27)),
        (np.int8(-3), Fraction(-3)),
        (np.array(2.5), Fraction(5, 2)),
        (np.array(3), Fraction(3)),
    ],
)
def test_exact_reads_without_rounding(given_, expected):
    value = exact(given_)
    assert value == expected
    assert type(value.numerator) is int  # a NumPy integer would overflow later


def test_a_long_double_is_read_whole():
    third = np.longdouble(1) / np.longdouble(3)
    assert exact(third) == Fraction(*third.as_integer_ratio())


@pytest.mark.parametrize("text", ["inf", "-inf", "-0.0", "-0e5"])
def test_what_no_fraction_can_hold_stays_a_float(text):
    value = exact(text)
    assert isinstance(value, float)
    assert str(value) == str(float(text))
    assert str(exact(Decimal(text))) == str(value)
    assert str(exact(float(text))) == str(value)
    for fmt in FORMATS.values():
        rounded = round_to(text, fmt)
        assert float(rounded) == float(text)
        assert bool(np.signbit(rounded)) == text.startswith("-")


def test_nan_is_read_as_nan():
    for given_ in ("nan", math.nan, np.float32("nan"), Decimal("nan")):
        assert math.isnan(exact(given_))
        for fmt in FORMATS.values():
            assert np.isnan(round_to(given_, fmt))


@pytest.mark.parametrize(
    "bad",
    [
        "abc",
        "",
        "1/0",
        "1/2/3",
        "0x10",
        "snan",
        "1e99999999999999999999",
        None,
        1j,
        np.complex64(1 + 2j),
        np.array(1j),
        b"1.5",
        np.timedelta64(3, "s"),
        [1.0],
        np.array([1.0]),
        np.eye(3),
        True,
        np.bool_(True),
        np.array(True),
        object(),
        pytest.param("9" * 5000 + "/7", id="huge text"),
        "a\nb",
    ],
)
def test_what_is_no_number_is_refused_in_one_line(bad):
    with pytest.raises(FpdriftError, match=r"^not a real number: ") as caught:
        exact(bad)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("text", ["1e5001", "-1e5001", "1e-5001", "1e999999999"])
def test_an_exponent_beyond_reason_is_refused(text):
    with pytest.raises(
        FpdriftError, match=r"'-?1e-?\d+' is outside the range of every format.*5000"
    ):
        exact(text)


_LONG = 10**6 * "7"
_HUGE = 1 << 10**7


@pytest.mark.parametrize(
    "x",
    [
        *(_LONG, f"0.{_LONG}", f"-.{_LONG}e-9", f"1/{_LONG}", f"{_LONG}/3", f"1e{_LONG}"),
        *(Decimal(_LONG), Decimal((0, (1,) * 10_001, -10_000))),
        *(_HUGE, -_HUGE, Fraction(1, _HUGE + 1), Fraction(_HUGE + 1, 2)),
    ],
    ids=lambda x: type(x).__name__,
)
def test_more_digits_than_any_format_has_are_refused_at_once(x):
    began = time.process_time()
    with pytest.raises(FpdriftError, match=r"10,000") as caught:
        exact(x)
    assert time.process_time() - began < 5  # without the limit it is minutes
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 150


def test_ten_thousand_digits_are_read_exactly():
    text = f"0.{9_998 * '7'}"
    assert exact(text) == Fraction((10**9_998 - 1) // 9 * 7, 10**9_998)


@given(st.sampled_from(NAMES), st.fractions())
def test_text_and_fraction_round_alike(name, value):
    fmt = FORMATS[name]
    text = f"{value.numerator}/{value.denominator}"
    assert to_bits(round_to(text, fmt), fmt) == to_bits(round_fraction(value, fmt), fmt)


def test_a_text_is_rounded_once():
    # just above the midpoint of two float32; rounding to float64 first would land on it
    text = "1.00000005960464477540"
    assert round_to(text, FORMATS["float32"]) == np.float32(1) + np.float32(2**-23)
    assert round_to(float(text), FORMATS["float32"]) == np.float32(1)


@pytest.mark.parametrize(
    "dtype", ["float32", "f4", np.float32, np.dtype("float32"), ">f4", np.float32(1).dtype]
)
def test_a_format_is_found_by_what_numpy_takes(dtype):
    assert format_of(dtype) is FORMATS["float32"]


@pytest.mark.parametrize(
    "bad", ["float8", "int32", "(2,", None, 1.5, [], {"a": 1}, "f4,f4", object(), "", "complex64"]
)
def test_an_unknown_dtype_is_refused_with_the_choice(bad):
    with pytest.raises(FpdriftError, match=r"unknown dtype .*float16, bfloat16, float32, float64"):
        format_of(bad)


@pytest.mark.parametrize("name", NAMES)
def test_the_parameters_are_those_of_numpy(name):
    import ml_dtypes

    fmt = FORMATS[name]
    info = ml_dtypes.finfo(fmt.dtype)
    assert fmt.bits == info.bits
    assert fmt.fraction_bits == info.nmant
    assert fmt.exponent_bits == info.iexp
    assert fmt.emin == info.minexp
    assert fmt.emax == info.maxexp - 1
    assert to_fraction(info.smallest_subnormal, fmt) == Fraction(2) ** fmt.quantum
    assert to_bits(fmt.dtype.type(np.inf), fmt) == fmt.infinity_bits
