"""Distances in ulps: every 16-bit float sorted, then the properties of a distance."""

import math

import ml_dtypes
import numpy as np
import pytest
from float_oracle import LAYOUT, NAMES, SMALL, everything, is_nan, scalar
from hypothesis import assume, given
from hypothesis import strategies as st

from fpdrift import ulp_distance
from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, from_ordinal, ordinal


def in_order(name):
    """All floats but NaN from minus to plus infinity, each zero once (the sort keeps one)."""
    values = everything(name)
    values = values[[not is_nan(value) for value in values]]
    return values[np.argsort(values.astype(np.float64), kind="stable")]


@pytest.mark.parametrize("name", SMALL)
def test_each_small_float_is_one_step_from_the_next(name):
    values = in_order(name)
    steps = ulp_distance(values[1:], values[:-1])
    both_zero = (values[1:] == 0) & (values[:-1] == 0)
    assert both_zero.sum() == 1
    np.testing.assert_array_equal(steps, np.where(both_zero, 0, 1))


@pytest.mark.parametrize("name", SMALL)
def test_the_distance_from_the_lowest_is_the_rank(name):
    values = in_order(name)
    rank = np.unique(values.astype(np.float64), return_inverse=True)[1]
    np.testing.assert_array_equal(ulp_distance(values, values[0]), rank)
    np.testing.assert_array_equal(ulp_distance(values[-1], values), rank[-1] - rank)


@pytest.mark.parametrize("name", SMALL)
def test_ordinals_of_every_small_float_are_its_place(name):
    fmt = FORMATS[name]
    places = [ordinal(value, fmt) for value in in_order(name)]
    assert places == sorted(places)
    assert set(np.diff(places)) == {0, 1}
    assert all(ordinal(from_ordinal(place, fmt), fmt) == place for place in places)


def two_bits(name):
    width = 8 * LAYOUT[name][3].itemsize
    return st.tuples(st.just(name), *[st.integers(0, 2**width - 1)] * 3)


@given(st.sampled_from(NAMES).flatmap(two_bits))
def test_it_is_a_distance(drawn):
    name, *bits = drawn
    a, b, c = (scalar(x, name) for x in bits)
    assume(not any(math.isnan(float(x)) for x in (a, b, c)))
    a, b, c = sorted((a, b, c), key=float)
    assert type(ulp_distance(a, b)) is int
    assert ulp_distance(a, b) == ulp_distance(b, a) >= 0
    assert (ulp_distance(a, b) == 0) == (float(a) == float(b))
    assert ulp_distance(a, b) == ulp_distance(-a, -b)
    assert ulp_distance(a, c) == ulp_distance(a, b) + ulp_distance(b, c)


@given(st.floats(allow_nan=False), st.integers(0, 50))
def test_walking_counts_the_steps(x, steps):
    y = x
    for _ in range(steps):
        y = math.nextafter(y, math.inf)
    walked = steps if y < math.inf else None
    if walked is not None:
        assert ulp_distance(x, y) == walked


def test_the_sources_two_orders_are_neighbours():
    assert ulp_distance(2 * 11 / 9, 2 / 9 * 11) == 1


@pytest.mark.parametrize("name", NAMES)
def test_zero_infinity_and_nan(name):
    fmt = FORMATS[name]
    zero, minus_zero = scalar(0, name), scalar(fmt.sign_bit, name)
    tiny, top = scalar(1, name), scalar(fmt.infinity_bits - 1, name)
    infinity, nan = scalar(fmt.infinity_bits, name), scalar(fmt.infinity_bits + 1, name)
    other_nan = scalar(2**fmt.bits - 1, name)
    assert ulp_distance(zero, minus_zero) == 0
    assert ulp_distance(tiny, -tiny) == 2
    assert ulp_distance(minus_zero, tiny) == 1
    assert ulp_distance(top, infinity) == 1
    assert ulp_distance(infinity, infinity) == 0
    assert ulp_distance(-infinity, infinity) == 2 * fmt.infinity_bits
    assert ulp_distance(nan, other_nan) == 0
    with pytest.raises(
        FpdriftError, match=r"no distance in ulps between a NaN and a number: .*nan"
    ):
        ulp_distance(nan, tiny)
    with pytest.raises(FpdriftError, match=r"at index \(1,\)"):
        ulp_distance(np.array([zero, nan, nan]), tiny)


@given(st.sampled_from(NAMES), st.data())
def test_arrays_are_scalars_side_by_side(name, data):
    _, _, dtype, unsigned = LAYOUT[name]
    some = st.lists(st.integers(0, FORMATS[name].infinity_bits), min_size=1, max_size=6)
    x = np.array(data.draw(some), unsigned).view(dtype)
    y = -np.array(data.draw(some), unsigned).view(dtype)
    table = ulp_distance(x[:, None], y)
    assert table.shape == (len(x), len(y))
    assert table.dtype == np.uint64
    assert [[int(d) for d in row] for row in table] == [[ulp_distance(a, b) for b in y] for a in x]


def test_shape_and_memory_layout_do_not_matter():
    x = np.arange(12.0).reshape(3, 4)
    y = np.nextafter(x, 100)
    np.testing.assert_array_equal(ulp_distance(x.T, y.T), np.ones((4, 3)))
    np.testing.assert_array_equal(ulp_distance(x[::-2, ::3], y[::-2, ::3]), np.ones((2, 2)))
    np.testing.assert_array_equal(ulp_distance(x.astype(">f8"), y), np.ones((3, 4)))
    np.testing.assert_array_equal(ulp_distance(x.astype(">f8"), y.astype(">f8")), np.ones((3, 4)))
    assert ulp_distance(np.array([]), np.array([])).shape == (0,)
    assert ulp_distance(np.ones((0, 3)), np.ones(3)).shape == (0, 3)
    assert ulp_distance(np.array(1.0), np.array(1.0)) == 0
    assert ulp_distance([1.0, 2.0], [1.0, 2.0]).tolist() == [0, 0]


def test_a_python_number_joins_a_dtype_that_holds_it():
    assert ulp_distance(np.float32(1), 1) == 0
    assert ulp_distance(1.5, np.float16(1.5)) == 0
    assert ulp_distance(np.array([1, 2], np.float32), 1.0).tolist() == [0, 2**23]
    assert ulp_distance(ml_dtypes.bfloat16(1), 1.0) == 0
    assert ulp_distance(math.inf, np.float16(65504)) == 1
    assert ulp_distance(math.nan, np.float16("nan")) == 0
    assert ulp_distance(-0.0, np.float32(0)) == 0


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (0.1, np.float32(0.1), "0.1 is not exact in float32; round it explicitly"),
        (np.float16(1), 1e6, "1000000.0 is not exact in float16"),
        (1.0, 2**53 + 1, "9007199254740993 is not exact in float64"),
        (10**400, 1.0, "is not exact in float64"),
        pytest.param(10**5000, 1.0, "is not exact in float64", id="huge"),
        (np.float32(1), np.float64(1), "cannot count ulps between float32 and float64"),
        (np.float16(1), ml_dtypes.bfloat16(1), "between float16 and bfloat16"),
        (np.array([1, 2]), 1.0, "between int64 and float64; pass two values of one dtype: float16"),
        ("1.0", 1.0, "cannot count ulps between str96 and float64"),
        (None, None, "cannot count ulps between object"),
        (np.complex64(1), np.complex64(1), "between complex64 and complex64"),
        ([[1.0], [1.0, 2.0]], 1.0, "not an array of numbers"),
        (np.ones(2), np.ones(3), r"shapes \(2,\) and \(3,\) cannot be broadcast together"),
    ],
)
def test_what_has_no_distance_is_refused(a, b, message):
    with pytest.raises(FpdriftError, match=message) as caught:
        ulp_distance(a, b)
    assert "\n" not in str(caught.value)
