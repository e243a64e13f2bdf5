"""The gate microscope's picture shows where both runs stood on the ReLU, and who holds what."""

import dataclasses

import numpy as np
import pytest
from made_gates import FOUND, GATE
from matplotlib.figure import Figure

from fpdrift.plotting import plot
from fpdrift.serialization import read_only


def drawn(result):
    figure = Figure()
    ax = plot(result, ax=figure.add_subplot())
    figure.draw_without_rendering()
    return ax, *ax.child_axes


def said(ax):
    return " | ".join(text.get_text() for text in ax.texts)


def test_both_runs_stand_on_the_kink():
    ax, left, right = drawn(FOUND)
    assert ax.get_title("left") == "Step 4: a ReLU is open only in run B (3 of 1,000 changed)"
    points = [tuple(np.ravel(line.get_xydata())) for line in left.lines if line.get_marker() == "o"]
    assert points == [(-2e-8, 0), (8e-8, 8e-8)]
    assert said(left) == "run A: closed\n-2.0e-08 | run B: open\n8.0e-08"
    assert [text.get_ha() for text in left.texts] == ["right", "left"]  # away from the kink
    assert "within 8.0e-08 standard deviations of 0" in left.get_xlabel()
    assert [bar.get_height() for bar in right.patches[:2]] == pytest.approx([80, 10])
    assert right.patches[0].get_facecolor() != right.patches[1].get_facecolor()
    assert said(right) == "unit 2: 80 %"
    assert right.get_xlabel() == "unit (11 smaller ones omitted)"


def test_no_gate_and_no_weights_are_said():
    ax, left, _ = drawn(dataclasses.replace(FOUND, gate=None, unit_changed=0))
    assert "no gate of the unit that diverged changed" in ax.get_title("left")
    assert "open for the same\nsamples in both runs" in said(left)
    nothing = {"layer": None, "unit": None, "moved_share": None, "shares": read_only([])}
    _, left, _ = drawn(dataclasses.replace(FOUND, gate=None, step=None, **nothing))
    assert said(left) == "no weights diverged"


def test_a_gate_that_is_not_seen_when_shut_says_so():
    hidden = dataclasses.replace(FOUND, gate=dataclasses.replace(GATE, value_a=None))
    _, left, _ = drawn(hidden)
    assert "run A: closed\nunknown" in said(left)
    assert str(hidden) == (
        "step 4: 3 of 1000 gates changed; relu1 unit 2 accounts for 80.0% of its layer's squared "
        "distance and 75.0% of the squared change in this step; relu1 unit 2, sample 44, "
        "pixel (10, 17): closed against 8e-08"
    )
