"""The picture of growth says what the comparisons say, and hides none of them."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from make_record import make_record
from matplotlib.figure import Figure

from fpdrift.comparison import Comparisons, compare
from fpdrift.plotting import plot, save


def pair(*distances, churn=None):
    """A comparison with these distances at steps 0, 1, ...; 0 where the bits are equal."""
    states = [{"conv/kernel": np.ones(4, np.float32)} for _ in distances]
    moved = [{"conv/kernel": np.full(4, 1 + d, np.float32)} for d in distances]
    found = compare(make_record(states), make_record(moved, name="b.fpdrift"))
    error = np.full(len(distances), 0.02) * distances
    return replace(found, distance=np.array(distances), standard_error=error, churn=churn)


def several(**pairs):
    return Comparisons(labels=tuple(pairs), comparisons=tuple(pairs.values()))


GROWING = (0.0, 1e-6, 1e-4, 1e-2)
RESULTS = {
    "one": pair(*GROWING, churn=0.0625),
    "equal": pair(0.0, 0.0, 0.0),
    "one point": several(one=pair(1e-3)),
    "three": several(again=pair(0.0, 0.0, 0.0, 0.0), threads=pair(*GROWING), nudge=pair(*GROWING)),
    "five": several(**{name: pair(*GROWING, churn=0.1) for name in "abcde"}),
    "blown up": several(a=pair(0.0, 1e-3, np.inf, np.nan), b=pair(0.0, np.nan, np.nan)),
    "long": several(**{"a name that does not fit beside any picture": pair(*GROWING)}),
}


def drawn(result):
    with mpl.style.context(["default", "fpdrift.plotting.fpdrift"]):
        figure = Figure()
        ax = plot(result, ax=figure.add_subplot())
        figure.draw_without_rendering()
    return figure, ax


def said(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("name", RESULTS)
def test_each_is_the_same_after_json(name):
    result = RESULTS[name]
    text = result.to_json()
    assert type(result).from_json(text).to_json() == text


#: `make check` has each case.
SAMPLE = ("one", "one point")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in SAMPLE else pytest.mark.check) for n in RESULTS]
)
def test_the_same_picture_is_the_same_bytes_after_json_too(name, tmp_path):
    result = RESULTS[name]
    again = type(result).from_json(result.to_json())
    first, second = save(result, tmp_path / "first"), save(again, tmp_path / "second")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("name", RESULTS)
def test_words_are_legible_inside_and_apart(name):
    figure, ax = drawn(RESULTS[name])
    boxes = []
    for text in [*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label]:
        if text.get_text():
            assert text.get_fontsize() >= 12
            boxes.append(mpl.text.Text.get_window_extent(text))
    for i, box in enumerate(boxes):
        assert -1 <= box.x0 < box.x1 <= figure.bbox.x1 + 1
        assert -1 <= box.y0 < box.y1 <= figure.bbox.y1 + 1
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_distances_and_their_first_difference_are_drawn_where_they_are():
    _, ax = drawn(RESULTS["one"])
    curve, ring = ax.lines
    np.testing.assert_array_equal(curve.get_ydata(), [np.nan, 1e-6, 1e-4, 1e-2])
    assert ax.get_yscale() == "log"
    place = ax.transData.inverted().transform(
        ring.get_transform().transform((1, ring.get_ydata()[0]))
    )
    np.testing.assert_allclose(place, (1, 1e-6))
    assert ring.get_marker() == "o"
    assert said(ax) == [
        "differs at step 1 in conv/kernel",
        "b.fpdrift against a.fpdrift\n1.0e-02 at step 3\nchurn: 6.2 %",
    ]


def test_the_band_is_1_96_standard_errors_to_each_side():
    _, ax = drawn(RESULTS["one"])
    corners = ax.collections[0].get_paths()[0].vertices
    at_the_end = np.unique(corners[corners[:, 0] == 3][:, 1])
    np.testing.assert_allclose(at_the_end, [1e-2 * (1 - 1.96 * 0.02), 1e-2 * (1 + 1.96 * 0.02)])


def test_a_pair_of_the_same_bits_is_listed_and_not_drawn():
    _, ax = drawn(RESULTS["three"])
    assert len(ax.collections) == 2  # bands
    assert "again\nsame bits up to step 3" in said(ax)
    _, alone = drawn(RESULTS["equal"])
    assert not alone.lines
    assert alone.get_title(loc="left") == "No bit differs"


def test_a_difference_outside_the_weights_is_marked_at_the_bottom_or_told():
    first = pair(0.0, 1e-6).first_difference
    slot = replace(first.tensors[0], name="adam/m", role="slot")
    slots_first = replace(pair(0.0, 0.0, 1e-6), first_difference=replace(first, tensors=(slot,)))
    _, ax = drawn(slots_first)
    assert (ax.lines[1].get_marker(), *ax.lines[1].get_ydata()) == ("^", 0.0)
    never = replace(slots_first, distance=np.zeros(3))
    _, ax = drawn(several(slots=never))
    assert said(ax) == ["slots\ndiffers at step 1 in adam/m"]
    assert ax.get_title(loc="left") == "No distance is known"


def test_curves_can_be_told_apart_without_colour():
    _, ax = drawn(RESULTS["five"])
    curves = [line for line in ax.lines if len(line.get_xdata()) > 1]
    assert len({(c.get_linestyle(), c.get_marker()) for c in curves}) == 5
