"""What `chain` refuses: always one short line that names the value."""

import numpy as np
import pytest

from fpdrift.arithmetic import chain
from fpdrift.errors import FpdriftError


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((1.0, 2.0, -1), "-1"),
        ((1.0, 2.0, 1.5), "1.5"),
        ((1.0, 2.0, 2**63), str(2**63)),
        ((1.0, 2.0, 10**6000), "digits"),
        ((1.0, 2.0, float("nan")), "nan"),
        ((1.0, 2.0, "7"), "'7'"),
        ((1.0, 2.0, True), "True"),
        ((1.0, 2.0, None), "None"),
        ((True, 2.0, 1), "True"),
        (("one", 2.0, 1), "one"),
        ((1.0, None, 1), "None"),
        ((1.0, np.True_, 1), "True"),
        ((1.0, 2.0, 1, "power"), "power"),
        ((1.0, 2.0, 1, ["add"]), "add"),
        ((1.0, 2.0, 1, "add", "float8"), "float8"),
        ((1.0, [], 1), "0"),
        ((1.0, [("add", 1)] * 9, 1), "9"),
        ((1.0, [1.0, 2.0], 1), "1.0"),
        ((1.0, ["ad"], 1), "ad"),
        ((1.0, [("add", 1), ("add",)], 1), "('add',)"),
        ((1.0, [("modulo", 1)], 1), "modulo"),
        ((1.0, [("add", 1)], 1, "divide"), "divide"),
        ((1.0, 2.0, 1, "add", "float64", 0), "0"),
        ((1.0, 2.0, 1, "add", "float64", float("nan")), "nan"),
        ((1.0, 2.0, 1, "add", "float64", "soon"), "soon"),
        ((1.0, 2.0, 1, "add", "float64", 10**6000), "digits"),
        ((1.0, 2.0, np.eye(3)), "count"),
        ((1.0, np.eye(3), 1), "factor"),
        ((np.eye(3), 2.0, 1), "start"),
        ((1.0, 2.0, 1, np.eye(3)), "operation"),
        ((1.0, 2.0, 1, "x" * 5000), "operation"),
        ((1.0, [("add", 1)], 1, np.eye(3)), "op=array"),
        ((1.0, [("add", 1)], 1, "x" * 5000), "op='xxx"),
        ((1.0, [np.eye(3)], 1), "pair"),
        ((1.0, [tuple(range(9999))], 1), "pair: (0, 1,"),
        ((1.0, [("x" * 5000, 1)], 1), "operation"),
        ((1.0, 2.0, 1, "add", "float64", np.eye(3)), "max_seconds"),
    ],
)
def test_bad_input_is_one_short_line_that_names_it(arguments, named):
    with pytest.raises(FpdriftError) as caught:
        chain(*arguments)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("points", [1, -3, 2.5, True, "ten", np.eye(3), "x" * 5000])
def test_a_curve_needs_points(points):
    with pytest.raises(FpdriftError, match="at least 2") as caught:
        chain(1.0, 2.0, 3).curve(points)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_chain_that_takes_too_long_says_how_far_it_came():
    with pytest.raises(FpdriftError) as caught:
        chain(1.0, 1 + 2.0**-30, 10**18, max_seconds=0.05)
    message = str(caught.value)
    assert "of 1,000,000,000,000,000,000 steps" in message
    assert "at the value 1." in message
    assert "max_seconds=0.05" in message
    assert "\n" not in message
