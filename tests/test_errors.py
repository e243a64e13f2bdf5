"""Errors survive the way to another process; checks say the value and the way out in one line."""

import pickle

import numpy as np
import pytest

from fpdrift.errors import FpdriftError, MissingExtraError
from fpdrift.validation import check_callable, check_choice, check_int, check_switch


@pytest.mark.parametrize("module", ["keras", "tensorboard", "anything"])
def test_a_missing_extra_is_the_same_after_pickling(module):
    error = MissingExtraError(module)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is MissingExtraError
    assert (str(again), again.module, again.extra) == (str(error), module, error.extra)


def test_whole_numbers_become_plain():
    assert type(check_int("n", np.uint8(7), 0, 7)) is int
    assert check_int("n", np.int64(-2), -2, 7) == -2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((-1, "-1"), (8, "8"), (3.0, "3.0"), (True, "True"), ("3", "'3'"), (None, "None")),
        (float("nan"), "nan"),
        pytest.param(10**5000, "an integer of thousands of digits", id="huge"),
    ],
)
def test_whole_says_the_value_and_the_range(value, text):
    with pytest.raises(FpdriftError) as caught:
        check_int("n", value, 0, 7)
    assert str(caught.value) == f"n is {text}; choose a whole number from 0 to 7"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: check_switch("jit", "no"), "jit is 'no'; choose True or False"),
        (lambda: check_switch("jit", None), "jit is None; choose True or False"),
        (lambda: check_switch("jit", 1, optional=True), "jit is 1; choose True, False or None"),
        (lambda: check_callable("progress", 3), "progress is 3; pass a function or None"),
        (
            lambda: check_choice("fruit", "fig", ("kiwi",)),
            "unknown fruit 'fig'; choose one of kiwi",
        ),
        (lambda: check_choice("fruit", ["kiwi"], ("kiwi",)), "unknown fruit ['kiwi']"),
    ],
)
def test_what_cannot_be_is_refused(call, text):
    with pytest.raises(FpdriftError) as caught:
        call()
    assert str(caught.value).startswith(text)


def test_what_can_be_is_let_through():
    for value in (True, False):
        check_switch("jit", value)
    check_switch("jit", None, optional=True)
    check_callable("progress", None)
    check_callable("progress", print)
    check_choice("fruit", "kiwi", ("kiwi",))
