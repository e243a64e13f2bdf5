"""The rounding ledger's picture: the right bits, and no text over another."""

import itertools

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fpdrift import anatomy, orders
from fpdrift.plotting import plot


def drawn(result):
    figure = Figure(figsize=(10, 5.625), layout="constrained")
    FigureCanvasAgg(figure)
    return plot(result, ax=figure.add_subplot())


def rows(ax):
    """Texts from top to bottom, each row from left to right."""
    texts = [t for t in ax.texts if t.get_text()]
    texts.sort(key=lambda t: (round(t.get_position()[1], 3), t.get_position()[0]))
    return [
        [t.get_text() for t in row]
        for _, row in itertools.groupby(texts, key=lambda t: round(t.get_position()[1], 3))
    ]


def frames(ax):
    return sum(p.get_linewidth() > 2 for p in ax.patches if isinstance(p, Rectangle))


def test_the_sources_two_orders_bit_by_bit():
    ax = drawn(orders("2*11/9"))
    assert ax.get_title(loc="left") == "2*11/9 in float64: 5 orders, 2 results"
    _, first, one, two, second, three, four, note = rows(ax)
    assert first == ["2*11/9 = 2.4444444444444446", "3 of 5 orders"]
    assert second == ["2/9*11 = 2.444444444444444", "2 of 5 orders"]
    for row, text, value, fell, told in (
        (one, "2*11", 22.0, [], "nothing lost"),
        (two, "2*11/9", 22 / 9, [*"10001", "…"], "up 0.44 ulp"),
        (three, "2/9", 2 / 9, [*"01110", "…"], "down 0.44 ulp"),
        (four, "2/9*11", 2 / 9 * 11, [*"01000"], "down 0.25 ulp"),
    ):
        kept = list(anatomy(value).significand_bits[-8:])
        assert row == [text, "…", *kept, *fell, repr(value), told]
    assert note == ["framed: where these two results differ"]
    assert frames(ax) == 2 * 3  # ...100 against ...011


def test_a_narrow_significand_is_drawn_whole():
    _, _, one, *_ = rows(drawn(orders("2*11/9", dtype="bfloat16")))
    assert one == ["2*11", *"10110000", "22", "nothing lost"]


@pytest.mark.parametrize(
    ("expression", "note"),
    [
        ("1+2+3", None),
        ("1e300*1e10/1e20", "These two results differ in more than their significand."),
        ("1e16+1-1e16", "These two results differ in more than their significand."),
        (
            "1099511627776+0.00006103515625-1099511627776+1",
            "These two results differ in earlier bits.",
        ),
    ],
)
def test_what_cannot_be_framed_is_said(expression, note):
    ax = drawn(orders(expression))
    assert frames(ax) == 0
    last = rows(ax)[-1]
    assert last == [note] if note else len(last) > 2


def test_what_is_not_finite_has_no_bits():
    ax = drawn(orders("1e300*1e10"))
    assert rows(ax)[-1] == ["1e300*1e10", "inf", "not finite"]
    assert not ax.patches


@pytest.mark.parametrize(
    ("expression", "dtype"),
    [
        ("2*11/9", "float64"),
        ("2*11/9", "float16"),
        ("0.1+0.2+0.3+0.4+0.5+0.6+0.7", "float32"),
        ("-1.2345678901234567e-300*3.3/7.7*1.1", "float64"),
        ("0.1000000000000000055511151231257827*3.14159265358979/2.71828182845", "float64"),
        ("1/0*0-2", "float64"),
        ("3", "bfloat16"),
    ],
)
def test_no_text_lies_over_another_or_leaves_the_picture(expression, dtype):
    ax = drawn(orders(expression, dtype=dtype))
    ax.figure.canvas.draw()
    boxes = [(t.get_text(), t.get_window_extent()) for t in ax.texts if t.get_text()]
    page = ax.figure.bbox
    for text, box in boxes:
        assert page.x0 <= box.x0 < box.x1 <= page.x1, text
        assert page.y0 <= box.y0 < box.y1 <= page.y1, text
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        assert not a.overlaps(b), (one, other)
    assert all(t.get_fontsize() >= 12 for t in ax.texts)
