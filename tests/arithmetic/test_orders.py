"""Every order of an expression: which there are, what they give, what each step loses."""

import itertools
import math
import operator
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fpdrift
from fpdrift.arithmetic import Order, Orders, Rounding, orders
from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, round_fraction, to_fraction

NAMES = tuple(FORMATS)
TYPES = {name: fmt.dtype.type for name, fmt in FORMATS.items()}
EXACT = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
LITERAL = re.compile(r"\d+(?:\.\d+)?")


def in_numpy(text, scalar, names=None):
    """What Python makes of the text when each literal is a scalar of the dtype."""
    source = LITERAL.sub(lambda found: f"scalar('{found.group()}')", text)
    with np.errstate(all="ignore"):
        return eval(source, {"scalar": scalar}, names or {})


def on_paper(text, read, names=None):
    """What exact arithmetic makes of the text; `read` says what each literal stands for."""
    source = LITERAL.sub(lambda found: f"read('{found.group()}')", text)
    return eval(source, {"read": read}, names or {})


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
    assert "6*(1/7)/5" not in texts("6/7/5")
    found = texts("6/7/5", reciprocals=True)
    assert {"6*(1/7)/5", "6*(1/(7*5))", "6*(1/7*(1/5))", "6*(1/7/5)"} <= set(found)
    assert not any("/(1/" in text for text in found)
    longest = max(orders("2/3/5/7/11", reciprocals=True).orders, key=lambda o: len(o.text))
    assert len(longest.ledger) == 8  # four divisors to turn, four factors to multiply by
    assert orders("6/7", reciprocals=True).orders[1].value == 6 * (1 / 7)


# An independent list: every tree of every operation on the same operands, kept if it gives the same
# number on paper. The operands are too odd for that to happen by chance.

GENERIC = {
    name: Fraction(numerator, denominator)
    for name, numerator, denominator in zip(
        "abcdefg",
        (15485863, 32452843, 49979687, 67867967, 86028121, 104395301, 122949823),
        (7919, 17389, 27449, 37813, 48611, 59359, 70657),
        strict=True,
    )
}


class Sketch:
    """An expression as its size on paper and its shape, both without sign and without order."""

    def __init__(self, value, shape):
        self.sign = 1 if value > 0 else -1
        self.size = abs(value)
        self.shape = shape

    def __neg__(self):
        return Sketch(-self.sign * self.size, self.shape)

    def __add__(self, other):
        kind = "together" if self.sign == other.sign else "apart"
        value = self.sign * self.size + other.sign * other.size
        return Sketch(value, (kind, frozenset([self.shape, other.shape])))

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        value = self.sign * self.size * other.sign * other.size
        return Sketch(value, ("product", frozenset([self.shape, other.shape])))

    def __truediv__(self, other):
        value = self.sign * self.size / (other.sign * other.size)
        return Sketch(value, ("quotient", self.shape, other.shape))


def all_shapes(names):
    """Size and shape of everything that + - * / can make of the operands, each used once."""
    if len(names) == 1:
        return [Sketch(GENERIC[names], names)]
    found = []
    for k in range(1, 2 ** (len(names) - 1)):  # the last operand stays on the right
        left = "".join(n for i, n in enumerate(names) if k >> i & 1)
        right = "".join(n for n in names if n not in left)
        for x, y in itertools.product(all_shapes(left), all_shapes(right)):
            found += [x + y, x - y, x + -y if x.sign != y.sign else x - -y, x * y, x / y, y / x]
    return list({one.shape: one for one in found}.values())


EVERYTHING = {names: all_shapes(names) for names in ("ab", "abc", "abcd")}

EXPRESSIONS = (
    *("a+b", "a-b", "-a-b", "a*b", "a/b", "-a/b"),
    *("a+b+c", "a-b+c", "-a-b-c", "a-(b-c)", "a*b*c", "a*b/c", "a/b/c", "a/(b/c)", "-a*(-b/c)"),
    *("a*b+c", "a-b/c", "(a+b)*c", "(a-b)/c", "a/(b-c)", "-(a-b)*c", "a*(-b-c)", "-(a+b)-c"),
    *("a+b+c+d", "a-b-c-d", "-(a-b)-(c-d)", "a*b*c*d", "a*b*c/d", "a*b/c/d", "a/b/c/d"),
    *("a*b+c*d", "a*b-c-d", "(a+b)*(c-d)", "(a+b)*c*d", "a/(b+c)/d", "a-b*c/d", "(a+b-c)/d"),
    *("a*(b-c)/d", "-a*(-b)/(-c-d)", "(a*b+c)*d", "a-(b-(c-d))", "a/(b/(c/d))", "-(a*b)*c/d"),
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_orders_are_all_that_are_equal_on_paper(expression):
    used = {name: value for name, value in GENERIC.items() if name in expression}
    whole = abs(eval(expression, {}, used))
    expected = {one.shape for one in EVERYTHING["".join(used)] if one.size == whole}
    letters = {name: Sketch(value, name) for name, value in used.items()}
    found = texts(expression, **used)
    shapes = [eval(text, {}, letters).shape for text in found]
    assert set(shapes) == expected
    assert len(shapes) == len(set(shapes)) == len(set(found))


@pytest.mark.parametrize(
    ("expression", "count"),
    [("+".join("abcdefg"), 10395), ("a*b*c*d/e/f/g", 79965), ("a*b*c*d*e*f*g", 10395)],
)
def test_the_largest_are_as_many_as_combinatorics_says(expression, count):
    # (2n - 3)!! trees for n operands; with inverses each mixed pair may be written two ways
    result = orders(expression, **dict(zip("abcdefg", (3, 5, 7, 11, 13, 17, 19), strict=True)))
    assert len({order.text for order in result.orders}) == len(result.orders) == count


# Values, against NumPy and against exact arithmetic rounded once a step.

numbers = st.one_of(
    st.integers(0, 40).map(str),
    st.decimals(0, 100, places=2, allow_nan=False).map(str),
)


@st.composite
def expressions(draw, largest=5):
    """Text of a random expression of up to five literals."""

    def grow(count):
        if count == 1:
            literal = draw(numbers)
            return f"-{literal}" if draw(st.integers(0, 5)) == 0 else literal
        left = draw(st.integers(1, count - 1))
        inner = f"{grow(left)}{draw(st.sampled_from('+-*/'))}{grow(count - left)}"
        return f"({inner})" if draw(st.booleans()) else inner

    return grow(draw(st.integers(1, largest))).replace("--", "+").replace("+-", "-")


def bits(value):
    return value.tobytes()


@settings(max_examples=150)
@given(expressions(), st.sampled_from(NAMES))
def test_every_order_is_equal_on_paper_and_has_the_machines_bits(expression, dtype):
    try:
        result = orders(expression, dtype=dtype)
    except FpdriftError:
        assume(False)
    fmt, scalar = FORMATS[dtype], TYPES[dtype]

    def read(text):
        return to_fraction(fpdrift.anatomy(text, dtype).value, fmt)

    for order in result.orders:
        with np.errstate(all="ignore"):
            expected = in_numpy(order.text, lambda text: fpdrift.anatomy(text, dtype).value)
        assert bits(scalar(expected)) == bits(order.value) or (
            np.isnan(expected) and np.isnan(order.value)
        )
        if result.exact is not None:
            try:
                assert on_paper(order.text, read) == result.exact
            except ZeroDivisionError:  # 1/(0/2) is 2/0*1... on paper undefined, listed all the same
                assert "/" in order.text


@settings(max_examples=100)
@given(expressions())
def test_pythons_own_eval_gives_the_same_bits(expression):
    expression = LITERAL.sub(lambda found: repr(float(found.group())), expression)
    try:
        result = orders(expression)
    except FpdriftError:
        assume(False)
    for order in result.orders:
        try:
            expected = eval(order.text)
        except (ZeroDivisionError, OverflowError):  # where NumPy goes on with inf or nan
            continue
        assert bits(np.float64(expected)) == bits(order.value) or math.isnan(expected)


@settings(max_examples=150)
@given(expressions(), st.sampled_from(NAMES))
def test_each_step_of_the_ledger_is_exact_then_rounded_once(expression, dtype):
    try:
        result = orders(expression, dtype=dtype)
    except FpdriftError:
        assume(False)
    fmt = FORMATS[dtype]
    for order in result.orders[:20]:
        steps = order.ledger
        assert len(steps) == len(re.findall(r"[\d)] *[-+*/]", order.text))
        if steps:
            assert bits(steps[-1].rounded) in (bits(order.value), bits(-order.value))
        for step in steps:
            left, right = step.operands
            if step.exact is None:
                assert step.lost is None
                dead = not (np.isfinite(left) and np.isfinite(right))
                assert dead or (step.operation == "/" and right == 0)
                continue
            x, y = to_fraction(left, fmt), to_fraction(right, fmt)
            assert step.exact == EXACT[step.operation](x, y)
            assert step.rounded == round_fraction(step.exact, fmt)
            if np.isfinite(step.rounded):
                assert step.lost == step.exact - to_fraction(step.rounded, fmt)
            else:
                assert step.lost is None


@settings(max_examples=100)
@given(st.lists(numbers, min_size=2, max_size=5), st.data(), st.sampled_from(NAMES))
def test_the_losses_of_a_sum_add_up_to_its_error(literals, data, dtype):
    signs = data.draw(st.lists(st.sampled_from("+-"), min_size=4, max_size=4))
    expression = literals[0] + "".join(map("".join, zip(signs, literals[1:], strict=False)))
    result = orders(expression, dtype=dtype)
    fmt = FORMATS[dtype]
    for order in result.orders:
        error = to_fraction(order.value, fmt) - result.exact
        # Follow each loss to the end: it changes sign with every minus it passes.
        lost = {step.text: step.lost for step in order.ledger}
        assert error == -_followed(order.text, lost)
        ulp = fpdrift.anatomy(result.correctly_rounded, dtype).ulp
        assert order.error_ulps == error / ulp


class Followed:
    """A text and the losses that have reached it."""

    def __init__(self, text, lost, binding=2):
        self.text, self.lost, self.binding = text, lost, binding

    def join(self, other, sign, ledger):
        right = f"({other.text})" if other.binding == 1 else other.text
        text = f"{self.text}{'+' if sign > 0 else '-'}{right}"
        return Followed(text, self.lost + sign * other.lost + ledger[text], 1)


def _followed(text, ledger):
    class Term(Followed):
        def __add__(self, other):
            return Term(*vars(self.join(other, 1, ledger)).values())

        def __sub__(self, other):
            return Term(*vars(self.join(other, -1, ledger)).values())

    source = LITERAL.sub(lambda found: f"Term('{found.group()}', 0)", text)
    return eval(source, {"Term": Term}).lost


def test_where_the_last_bit_went():
    first, second = (o for o in orders("2*11/9").orders if o.text in ("2*11/9", "2/9*11"))
    assert [step.text for step in first.ledger] == ["2*11", "2*11/9"]
    assert first.ledger[0] == Rounding(
        text="2*11",
        operation="*",
        operands=(np.float64(2), np.float64(11)),
        exact=Fraction(22),
        rounded=np.float64(22),
        lost=Fraction(0),
    )
    assert [step.text for step in second.ledger] == ["2/9", "2/9*11"]
    assert second.ledger[0].exact == Fraction(2, 9)
    assert second.ledger[0].lost == Fraction(2, 9) - Fraction(2 / 9)
    assert second.ledger[1].exact == Fraction(2 / 9) * 11
    assert float(second.error_ulps) == -5 / 9


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


def test_the_callers_settings_for_floating_point_errors_stay():
    with np.errstate(all="raise"):
        assert orders("1e300*1e300").orders[0].value == math.inf
        assert orders("1/0").orders[0].ledger[0].rounded == math.inf
        assert np.geterr()["divide"] == "raise"
