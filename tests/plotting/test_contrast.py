"""The style's colours on its white ground: WCAG asks 4.5 to 1 for text, 3 to 1 for lines."""

from pathlib import Path

import pytest
from contrast import contrast

import fpdrift

#: Colours of a fifth and sixth line that do not reach it; such lines need a mark of their own.
PALE = {"#E69F00", "#56B4E9"}


@pytest.fixture(scope="module")
def style():
    import matplotlib as mpl

    path = Path(fpdrift.__file__).parent / "plotting" / "fpdrift.mplstyle"
    return mpl.rc_params_from_file(path, use_default_template=True)


def test_the_ratio_is_the_one_of_the_standard():
    assert contrast("#000000") == pytest.approx(21)
    assert contrast("#767676") == pytest.approx(4.54, abs=0.005)  # its own example of just enough


def test_lines_stand_out(style):
    cycle = [f"#{colour.lstrip('#')}" for colour in style["axes.prop_cycle"].by_key()["color"]]
    assert len(cycle) == len(set(cycle)) == 7
    assert {colour for colour in cycle if contrast(colour) < 3} == PALE
    assert not PALE & set(cycle[:4])


@pytest.mark.parametrize(
    "part", ["text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color"]
)
def test_text_stands_out(style, part):
    from matplotlib.colors import to_hex

    colour = style["text.color"] if style[part] == "auto" else style[part]
    ground = style["axes.facecolor"]
    assert contrast(to_hex(colour), to_hex(ground)) >= 4.5
