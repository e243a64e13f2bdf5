"""Numbers along logarithmic axes are plain, also where an axis is shorter than a decade."""

import pytest
from matplotlib.figure import Figure

from fpdrift.plotting._style import short_power, write_plainly


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "0"), (0.01, "0.01"), (0.00999, "0.01"), (100, "100"), (-300, "-300")),
        *((999.9, "1e3"), (1e3, "1e3"), (1.5e-6, "1.5e-6"), (1e-10, "1e-10"), (4.24e18, "4.2e18")),
        (float("inf"), "inf"),
    ],
)
def test_a_number_is_short(number, text):
    assert short_power(number) == text


@pytest.mark.parametrize(
    ("limits", "texts"), [((1e-4, 1e4), {"1e-4", "1", "100"}), ((2, 8), {"3", "4", "6"})]
)
def test_ticks_have_no_raised_exponent(limits, texts):
    ax = Figure().add_subplot()
    ax.set_xscale("log")
    ax.set_xlim(*limits)
    write_plainly(ax)
    ax.figure.draw_without_rendering()
    found = {t.get_text() for t in (*ax.get_xticklabels(), *ax.get_xticklabels(minor=True))}
    assert texts <= found
    assert not any("$" in text for text in found)
