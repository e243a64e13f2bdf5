"""The picture of a nudge shows the account, whatever is in it."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fpdrift.perturbation import nudge, nudge_ulp
from fpdrift.plotting._nudges import draw_nudge


def drawn(account):
    figure = Figure()
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    draw_nudge(account, ax)
    figure.canvas.draw()
    return ax


ONES = np.ones(10, np.float32)


@pytest.mark.parametrize(
    ("account", "title"),
    [
        (nudge(ONES, size=1e-9)[1], "None of 5 nudged weights changed"),
        (nudge(np.zeros(10))[1], "All 5 nudged weights changed"),
        (nudge([ONES, np.zeros(2000)])[1], "5 of 1,005 nudged weights did not change"),
        (nudge_ulp(ONES, 0, 1)[1], "The one nudged weight changed"),
        (nudge_ulp(ONES, 0, 1, 0)[1], "The one nudged weight did not change"),
        (nudge(ONES, fraction=0)[1], "No weight was selected"),
        (nudge({})[1], "No weight was selected"),
    ],
)
def test_the_title_follows_the_measurement(account, title):
    assert drawn(account).get_title(loc="left") + drawn(account).get_title() == title


def test_bars_hold_the_share_that_changed():
    weights = np.concatenate([np.full(30, 0.3), np.full(20, 2.0**-20), np.zeros(4)])
    ax = drawn(nudge(weights.astype(np.float32), fraction=1)[1])
    changed, absorbed = ([bar.get_height() for bar in group] for group in ax.containers)
    assert sorted(changed) == [0, 100, 100]
    assert [a + b for a, b in zip(changed, absorbed, strict=True)] == [100] * 3
    assert {t.get_text() for t in ax.texts} >= {"30", "20", "4"}
    labels = [t.get_text() for t in ax.get_xticklabels()]
    assert "less" in labels
    assert "0" in labels


def test_the_half_ulp_limit_stands_at_its_binade():
    weights = np.exp2(np.linspace(-8, 2, 500)).astype(np.float32)
    _, account = nudge(weights, fraction=1)
    ax = drawn(account)
    assert account.half_ulp_exponents == {"float32": -2}
    assert [line.get_xdata()[0] for line in ax.lines] == [-2]
    left_of_it = [bar for bar in ax.containers[0] if bar.get_x() > -2]
    assert left_of_it
    assert all(bar.get_height() == 0 for bar in left_of_it)


def test_the_whole_range_of_float64_fits():
    ax = drawn(nudge(np.array([5e-324, 1e-300, 1.0, 1e308, 1.7e308]), fraction=1)[1])
    assert len(ax.containers[0]) == 2
