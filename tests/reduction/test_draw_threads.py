"""The picture of thread sums shows what was measured, whatever that is."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fpdrift.plotting._threads import draw_threads
from fpdrift.reduction import thread_sums


def drawn(result):
    figure = Figure()
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    draw_threads(result, ax)
    figure.canvas.draw()
    return ax


def planted(*offsets, orders=1):
    """Thread sums whose second run landed this many ulps from the first."""
    result = thread_sums(1000, chunks=4, tries=len(offsets), threads=(1, 2))
    run = result.run(2)
    unit = np.float32(run.ulp)
    values = run.fixed + unit * np.array(offsets, np.float32)
    arrivals = np.array([np.roll(range(4), k % orders) for k in range(len(offsets))], np.uint8)
    return replace(result, runs=(result.run(1), replace(run, values=values, arrivals=arrivals)))


@pytest.mark.parametrize(
    ("result", "title"),
    [
        (planted(0, 0, 3, -1, orders=2), "Same numbers, 2 threads: 3 results, up to 4 ulps apart"),
        (planted(0, 1, orders=2), "Same numbers, 2 threads: 2 results, up to 1 ulp apart"),
        (planted(0, 0, orders=2), "Same numbers in different orders of arrival: still 1 result"),
        (planted(0, 0), "Same numbers, the same order of arrival each time: 1 result"),
    ],
)
def test_the_title_follows_the_measurement(result, title):
    assert drawn(result).get_title(loc="left") + drawn(result).get_title() == title


def test_each_result_has_a_bar_with_its_count():
    ax = drawn(planted(0, 0, 0, 3, -1, 3))
    counts = sorted(int(t.get_text()) for t in ax.texts if t.get_text().isdigit())
    assert counts == [1, 2, 3, 6, 12]  # 2 threads: 1, 2 and 3; 1 thread: 6; fixed order: 12
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "1 thread:\n1 result",
        "2 threads:\n3 results",
        "fixed order:\n1 result",
    ]


def test_far_results_share_bars_and_leave_the_exact_sum_out():
    result = planted(0, 5_000, 100_000)
    far = replace(result, runs=tuple(replace(r, exact=r.exact - 1e6) for r in result.runs))
    ax = drawn(far)
    assert len(ax.patches) < 10
    assert "exact sum" not in [t.get_text() for t in ax.texts]
    assert "exact sum" in [t.get_text() for t in drawn(result).texts]
