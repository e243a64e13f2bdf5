"""The chain's picture shows the chain's numbers, and nothing that they do not say."""

from fractions import Fraction

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fpdrift.arithmetic import chain
from fpdrift.plotting._chain import draw_chain

A, B = 2 / 9 * 11, 2 * 11 / 9
PAIR = [("multiply", A), ("divide", B)]


def drawn(result):
    figure = Figure()
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    draw_chain(result, ax)
    figure.canvas.draw()  # a warning here is an error
    return ax


def test_both_lines_end_where_the_chain_and_exact_arithmetic_end():
    result = chain(1.0, Fraction(A) / Fraction(B), 10**8)
    ax = drawn(result)
    rounded, exact = (line.get_ydata() for line in ax.lines)
    assert rounded[0] == exact[0] == 0
    assert rounded[-1] == pytest.approx(float(result.lost) * 1e8, rel=1e-15)
    assert exact[-1] == pytest.approx(float(1 - result.exact()) * 1e8, rel=1e-15)
    assert ax.get_ylabel() == "1 − x   (in 10⁻⁸)"
    assert [text.get_text() for text in ax.texts] == [
        "nothing rounded:\n1.82e-08",
        "every step rounded:\n2.22e-08",
    ]


@pytest.mark.parametrize(
    ("result", "finding"),
    [
        (chain(1.0, Fraction(A) / Fraction(B), 10**8), "loses 22 % more"),
        (chain(1.0, PAIR, 2 * 10**16), "loses 54 % less"),
        (chain(0, "0.1", 2000, "add", "bfloat16"), "gains 84 % less"),
        (chain(1.0, PAIR, 10**8), "hardly matters"),
        (chain(1.0, 1.5, 3000), "hardly matters"),
        (chain(1.7e308, -1, 1001), "The effect of rounding every step"),
        (chain(1, 2, 0), "The effect of rounding every step"),
        (chain(1, 0, 5, "divide"), "The effect of rounding every step"),
        (chain("nan", 2, 5), "Nothing finite"),
        (chain(1, PAIR * 4, 10**6), "hardly matters"),
    ],
)
def test_the_title_follows_the_measurement(result, finding):
    ax = drawn(result)
    assert finding in ax.get_title(loc="left") + ax.get_title()
    assert len(ax.get_xlabel()) < 90
    for line in ax.lines:
        assert np.isfinite(line.get_ydata()).any()
