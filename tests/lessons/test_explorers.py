"""The float and the expression as widgets, and the same as text."""

import importlib.util
from fractions import Fraction

import pytest
from helpers import require

import fpdrift
from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, facts, flipped, float_lines, letters
from fpdrift.lessons import widgets
from fpdrift.lessons.widgets import FloatExplorer, OrderExplorer, explore_float, explore_orders

TENTH = fpdrift.anatomy("0.1")


@pytest.fixture
def without_widgets(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)


@pytest.fixture
def explorer():
    require("ipywidgets")
    return FloatExplorer(TENTH)


@pytest.mark.parametrize("dtype", FORMATS)
def test_flipping_twice_gives_the_float_back(dtype):
    of = fpdrift.anatomy("0.1", dtype)
    for place in range(FORMATS[dtype].bits):
        once = flipped(of, place)
        assert sum(a != b for a, b in zip(of.bits, once.bits, strict=True)) == 1
        assert once.bits[place] != of.bits[place]
        assert flipped(once, place).bits == of.bits


@pytest.mark.parametrize("place", [-1, 64, True, 1.0, None])
def test_there_is_no_such_bit(place):
    with pytest.raises(FpdriftError, match="no bit"):
        flipped(TENTH, place)


def test_letters_tell_the_fields():
    assert letters(TENTH) == "s" + 11 * "e" + 52 * "f"


@pytest.mark.parametrize("x", [-2.5, 0.1, 3.0, -5e-324])
def test_the_formula_is_the_number(x):
    significand, _, power = facts(fpdrift.anatomy(x))["formula"].partition(" * 2**")
    assert Fraction(significand) * Fraction(2) ** int(power) == Fraction(x)


def test_facts_of_what_is_not_finite():
    said = facts(fpdrift.anatomy("-inf"))
    assert "ulp" not in said
    assert said["below"] == "none"
    assert facts(fpdrift.anatomy("nan"))["above"] == "none"


def test_a_click_shows_the_other_float(explorer):
    explorer.bits[0].click()
    assert explorer.of.value == -0.1
    assert explorer.entry.value == "-0.1"
    assert [button.description for button in explorer.bits] == list(explorer.of.bits)
    before = explorer.said.value
    explorer.bits[11].click()
    assert explorer.of.ulp != TENTH.ulp
    assert facts(explorer.of)["ulp"] in explorer.said.value != before


def test_every_bit_is_told_by_colour_letter_and_name(explorer):
    tooltips = [button.tooltip for button in explorer.bits]
    assert len(set(tooltips)) == 64
    assert tooltips[0] == "sign bit 1 of 1"
    for bit, letter, button in zip(TENTH.bits, letters(TENTH), explorer.bits, strict=True):
        assert button.style.button_color == widgets.COLOURS[letter][bit == "0"]
    heads = [row.children[0].value for row in explorer.rows.children]
    assert heads == ["<b>s</b> = sign", "<b>e</b> = exponent", "<b>f</b> = fraction"]


def test_another_number_and_another_dtype(explorer):
    explorer.entry.value = "1/3"
    assert explorer.of.value == 1 / 3
    explorer.dtype.value = "bfloat16"
    assert (explorer.of.dtype, len(explorer.bits)) == ("bfloat16", 16)
    explorer.entry.value = "a third"
    assert "not a real number" in explorer.said.value
    assert "&#x27;" in explorer.said.value


def test_a_bit_in_a_text_is_no_markup(explorer):
    explorer.entry.value = "<b>1</b>"
    assert "<b>" not in explorer.said.value


def test_orders_are_explored(monkeypatch):
    require("ipywidgets")
    found = OrderExplorer(fpdrift.orders("2*11/9"))
    assert "2/9*11" in found.said.value
    found.entry.value = "0.1+0.2+0.3"
    assert "0.6000000000000001" in found.said.value
    found.entry.value = "0.1+"
    assert "not an expression" in found.said.value
    found.entry.value = "0.1+0.2"
    found.dtype.value = "float16"
    assert "in float16" in found.said.value


def test_the_same_as_text(without_widgets):
    assert repr(explore_float("0.1")) == "\n".join(float_lines(TENTH))
    told = repr(explore_orders("2*11/9"))
    for order in fpdrift.orders("2*11/9").orders:
        assert order.text in told
    assert "lost" in told


def test_a_wrong_number_is_refused_at_once():
    with pytest.raises(FpdriftError, match="not a real number"):
        explore_float("a tenth")
