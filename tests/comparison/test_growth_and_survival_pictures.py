"""The pictures of growth and survival show what the results hold."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from fpdrift.comparison import growth_of, survival_curve
from fpdrift.plotting import plot, save

STEPS = np.array([*range(33), *range(40, 105, 8)])
SINCE = np.maximum(STEPS, 1)
FLOORED = 1e-7 * np.minimum(np.hypot(1, (SINCE / 12.0) ** 3), (64 / 12) ** 3)
RESULTS = {
    "jump, floor and plateau": growth_of(STEPS, FLOORED * np.where(STEPS >= 20, 20, 1)),
    "five jumps": growth_of(
        np.arange(101),
        1e-8 * 10.0 ** np.searchsorted([10, 25, 40, 60, 80], np.arange(101), "right"),
    ),
    "none": growth_of(STEPS, np.zeros(len(STEPS))),
    "cannot tell": growth_of([0, 1, 2], [0, 1e-6, np.inf]),
    "absorbed": survival_curve([0, 2, 3, 5, 5], [True, True, True, False, True]),
    "lasting": survival_curve([7] * 8, [False] * 8),
    "gone at once": survival_curve([0, 0], [True, True]),
}


def drawn(result):
    figure = Figure()
    ax = plot(result, ax=figure.add_subplot())
    figure.draw_without_rendering()
    return ax


def said(ax):
    return " | ".join(text.get_text() for text in ax.texts)


@pytest.mark.parametrize("name", RESULTS)
def test_each_is_the_same_after_json(name):
    result = RESULTS[name]
    text = result.to_json()
    assert type(result).from_json(text).to_json() == text


#: `make check` has each case.
SAMPLE = ("jump, floor and plateau", "absorbed")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in SAMPLE else pytest.mark.check) for n in RESULTS]
)
def test_the_same_picture_is_the_same_bytes_after_json_too(name, tmp_path):
    result = RESULTS[name]
    again = type(result).from_json(result.to_json())
    first, second = save(result, tmp_path / "first"), save(again, tmp_path / "second")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_jump_floor_plateau_and_law_are_drawn_and_said():
    result = RESULTS["jump, floor and plateau"]
    ax = drawn(result)
    text = said(ax)
    assert all(word in text for word in ("at step 20", "floor 1.0e-07", "plateau 3.0e-04"))
    assert ax.get_title("left") == f"Growth: 1 jump; {result.trend}"
    lines = [line.get_xydata() for line in ax.lines]
    rows = STEPS >= 1
    assert any(np.array_equal(xy[1:], np.c_[STEPS, result.distance][rows]) for xy in lines)
    rise = result.distance[[19, 20]].tolist()
    assert any(xy.tolist() == [[19, rise[0]], [20, rise[1]]] for xy in lines)


def test_only_the_largest_four_jumps_are_written_and_all_are_marked():
    result = RESULTS["five jumps"]
    assert len(result.jumps) == 5
    ax = drawn(result)
    assert said(ax).count("at step") == 4
    marked = [line.get_xdata().tolist() for line in ax.lines if line.get_linewidth() == 5]
    assert marked == [[jump.previous, jump.step] for jump in result.jumps]
    assert ax.get_title("left") == "Growth: 5 jumps; flat"


def test_what_does_not_grow_is_said():
    ax = drawn(RESULTS["none"])
    assert "no difference up to step 104" in said(ax)
    assert not ax.lines


def test_survival_is_a_stair_with_a_tick_for_each_that_was_still_there():
    ax = drawn(RESULTS["absorbed"])
    stair = next(line for line in ax.lines if line.get_drawstyle() == "steps-post")
    assert stair.get_xdata().tolist() == [0, 0, 2, 3, 5, 5]
    assert stair.get_ydata() == pytest.approx([1, 0.8, 0.6, 0.4, 0.2, 0.2])
    ticks = next(line for line in ax.lines if line.get_marker() == "|")
    assert ticks.get_xydata() == pytest.approx(np.array([[5, 0.2]]))
    assert ax.get_title("left") == "4 of 5 nudges absorbed within 5 steps"
    assert "half by step 3" in said(ax)
    assert "half" not in said(drawn(RESULTS["lasting"]))


def test_where_all_last_the_band_is_the_interval_of_the_absorbed_share():
    result = RESULTS["lasting"]
    ax = drawn(result)
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert 1 - heights.min() == pytest.approx(result.absorbed_interval.high)
    assert heights.max() == 1
    assert ax.get_title("left") == "0 of 8 nudges absorbed within 7 steps (95 %: 0 to 37 %)"
    assert "band: 95 %" in ax.get_xlabel()


def test_fewer_than_six_have_no_band():
    ax = drawn(RESULTS["absorbed"])
    assert not ax.collections
    assert "95 %" not in ax.get_xlabel()
    assert "tick: survived" in ax.get_xlabel()


def test_before_the_first_is_absorbed_the_band_has_a_width():
    ax = drawn(survival_curve([4, *[9] * 11], [True, *[False] * 11]))
    heights = ax.collections[0].get_paths()[0].vertices
    # none of twelve: 1 - 0.025 ** (1 / 12)
    assert heights[heights[:, 0] < 4][:, 1].min() == pytest.approx(0.025 ** (1 / 12))
