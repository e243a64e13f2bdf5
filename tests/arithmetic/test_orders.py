"""Every order of an expression: which there are, and what stands in the result."""

import math
from fractions import Fraction

import numpy as np
import pytest
from order_oracle import NAMES, TYPES, in_numpy

import fpdrift
from fpdrift.arithmetic import Order, Orders, Rounding, orders
from fpdrift.cli.screens import screen
from fpdrift.floats import FORMATS


def texts(*args, **kwargs):
    return [order.text for order in orders(*args, **kwargs).orders]


# What the source claims: 2*11/9 and 2/9*11.


def test_the_sources_two_orders_differ_in_the_last_bit():
    found = {order.text: order for order in orders("2*11/9").orders}
    assert repr(float(found["2*11/9"].value)) == "2.4444444444444446"
    assert repr(float(found["2/9*11"].value)) == "2.444444444444444"
    assert fpdrift.ulp_distance(found["2*11/9"].value, found["2/9*11"].value) == 1
    assert found["2*11/9"].value == orders("2*11/9").correctly_rounded == 22 / 9


@pytest.mark.parametrize("dtype", NAMES)
def test_all_five_orders_stand_there_in_every_dtype(dtype):
    result = orders("2*11/9", dtype=dtype)
    assert [o.text for o in result.orders] == [
        "2*11/9",
        "2/9*11",
        "2*(11/9)",
        "2/(9/11)",
        "11/(9/2)",
    ]
    assert result.exact == Fraction(22, 9)
    assert result.dtype == dtype
    for order in result.orders:
        assert order.value.dtype == FORMATS[dtype].dtype
        assert order.value == in_numpy(order.text, TYPES[dtype])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("3", ["3"]),
        ("--3", ["3"]),
        ("-3", ["-3"]),
        ("2+3", ["2+3"]),
        ("(2)+((3))", ["2+3"]),
        ("2 * (11 / 9)", ["2*(11/9)", "2*11/9", "2/9*11", "2/(9/11)", "11/(9/2)"]),
        ("1+2+3", ["1+2+3", "1+3+2", "1+(2+3)"]),
        ("1-2-3", ["1-2-3", "1-3-2", "1-(2+3)"]),
        ("1-(2-3)", ["1-(2-3)", "1-2+3", "1+3-2"]),
        ("-1-2-3", ["-1-2-3", "-1-3-2", "-1-(2+3)"]),
        ("-1+2+3", ["-1+2+3", "3-1+2", "2+3-1"]),
        ("6/2/3", ["6/2/3", "6/3/2", "6/(2*3)"]),
        ("2*3+5", ["2*3+5"]),
        ("(2+3)*5", ["(2+3)*5"]),
        ("(2+3)*5*7", ["(2+3)*5*7", "(2+3)*7*5", "(2+3)*(5*7)"]),
        ("2*-3", ["2*(-3)"]),
        ("-2*3/5", ["-2*3/5", "-2/5*3", "-2*(3/5)", "-2/(5/3)", "-3/(5/2)"]),
        ("-(2*3)*5", ["-(2*3)*5", "-2*5*3", "-2*(3*5)"]),
        ("1/7/7", ["1/7/7", "1/(7*7)"]),
        ("3+3+3", ["3+3+3"]),
        ("5+3+5", ["5+3+5", "5+5+3"]),
        ("2*3-5*7", ["2*3-5*7"]),
    ],
)
def test_which_orders_there_are(expression, expected):
    found = texts(expression)
    assert found[0] == expected[0]
    assert sorted(found) == sorted(expected)


def test_a_reciprocal_is_only_used_when_asked_for():
    assert texts("6/7") == ["6/7"]
    assert texts("6/7", reciprocals=True) == ["6/7", "6*(1/7)"]
    assert texts("5+6/7", reciprocals=True) == ["5+6/7", "5+6*(1/7)"]
    assert "6*(1/7)/5" not in texts("6/7/5")
    found = texts("6/7/5", reciprocals=True)
    assert {"6*(1/7)/5", "6*(1/(7*5))", "6*(1/7*(1/5))", "6*(1/7/5)"} <= set(found)
    assert not any("/(1/" in text for text in found)
    longest = max(orders("2/3/5/7/11", reciprocals=True).orders, key=lambda o: len(o.text))
    assert len(longest.ledger) == 8  # four divisors to turn, four factors to multiply by
    assert orders("6/7", reciprocals=True).orders[1].value == 6 * (1 / 7)


# Infinity, NaN, zero.


def test_a_division_by_zero_is_told_not_raised():
    result = orders("1/0*2")
    assert result.exact is result.correctly_rounded is None
    first = result.orders[0]
    assert first.value == math.inf
    assert first.error_ulps is None
    assert first.ledger[0].exact is None
    assert first.ledger[0].lost is None
    assert first.ledger[0].rounded == math.inf
    assert math.isnan(orders("0/0").orders[0].value)


def test_an_overflow_in_one_order_leaves_the_others():
    result = orders("1e300*1e10/1e20")
    found = {order.text: order for order in result.orders}
    assert found["1e300*1e10/1e20"].value == math.inf
    assert found["1e300*1e10/1e20"].error_ulps is None
    assert found["1e300*1e10/1e20"].ledger[0].exact == Fraction(1e300) * 10**10
    assert found["1e300*1e10/1e20"].ledger[0].lost is None
    assert abs(found["1e300/1e20*1e10"].error_ulps) < 2
    assert result.correctly_rounded == 1e290
    assert len(result.groups) >= 2


@pytest.mark.parametrize("x", ["inf", "-inf", "nan", math.inf, np.float32("nan"), -0.0])
def test_a_name_may_stand_for_anything_a_float_can_be(x):
    for dtype in NAMES:
        result = orders("x+y-x", x=x, y="0.5", dtype=dtype)
        assert (result.exact is None) == (float(x) != 0)
        assert all(len(order.ledger) == 2 for order in result.orders)
        assert Orders.from_json(result.to_json()).to_json() == result.to_json()


def test_cancellation_to_zero_counts_in_the_smallest_ulps():
    result = orders("0.1+0.2-0.3-x", x=Fraction(0.1) + Fraction(0.2) - Fraction(0.3))
    assert result.correctly_rounded == 0
    assert any(order.error_ulps for order in result.orders)


# Names, grouping, the result as an object.


def test_names_are_read_exactly_and_rounded_once():
    result = orders("x/y*z", x="0.1", y=Fraction(1, 3), z=np.float32(0.1))
    assert [order.text for order in result.orders][:2] == ["x/y*z", "x*z/y"]
    assert result.orders[0].value == 0.1 / (1 / 3) * float(np.float32(0.1))
    assert result.exact == Fraction(0.1) / Fraction(1 / 3) * Fraction(float(np.float32(0.1)))
    assert orders("expression+dtype_", expression=1, dtype_=2).orders[0].value == 3


def test_a_literal_is_rounded_once_not_by_way_of_float64():
    # just above the midpoint of two float32
    assert orders("1.00000005960464477540", dtype="float32").orders[0].value == np.float32(
        1.0000001
    )


def test_groups_share_their_bits_and_start_with_the_users_own():
    result = orders("0.1+0.2+0.3+0.4")
    assert sorted(o.text for g in result.groups for o in g) == sorted(o.text for o in result.orders)
    for group in result.groups:
        assert len({order.bits for order in group}) == 1
    assert len({group[0].bits for group in result.groups}) == len(result.groups)
    assert result.groups[0][0].text == "0.1+0.2+0.3+0.4"


@pytest.mark.parametrize("dtype", NAMES)
def test_json_keeps_everything(dtype):
    result = orders("x*11/9", x=2, dtype=dtype)
    again = Orders.from_json(result.to_json())
    assert again == result
    assert again.groups == result.groups
    assert [o.ledger for o in again.orders] == [o.ledger for o in result.orders]
    one = result.orders[1]
    assert Order.from_json(one.to_json()) == one
    step = one.ledger[0]
    assert Rounding.from_json(step.to_json()) == step


def test_the_reprs_are_short():
    result = orders("2*11/9")
    assert repr(result) == "Orders('2*11/9', float64, orders: 5, results: 2)"
    assert repr(result.orders[1]) == "Order(2/9*11 = 2.444444444444444)"
    assert repr(result.orders[0].ledger[0]) == "Rounding(2.0 * 11.0 = 22.0, lost 0)"


def test_a_float32_is_written_with_its_own_digits():
    result = orders("2*11/9", dtype="float32")
    assert repr(result.orders[0]) == "Order(2*11/9 = 2.4444444)"
    assert repr(result.orders[0].ledger[1]).startswith("Rounding(22.0 / 9.0 = 2.4444444, lost ")
    assert ["2.4444444", "2*11/9"] in [line.split()[:2] for line in screen(result)]


def test_the_callers_settings_for_floating_point_errors_stay():
    with np.errstate(all="raise"):
        assert orders("1e300*1e300").orders[0].value == math.inf
        assert orders("1/0").orders[0].ledger[0].rounded == math.inf
        assert np.geterr()["divide"] == "raise"
