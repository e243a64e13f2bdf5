"""What every order gives, and what each step of it loses."""

import math
import re
from fractions import Fraction

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from order_oracle import EXACT, LITERAL, NAMES, TYPES, in_numpy, on_paper

import fpdrift
from fpdrift.arithmetic import Rounding, orders
from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, round_fraction, to_fraction

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
