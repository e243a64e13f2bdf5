"""Every kind of result has a picture: deterministic, on the axes given, and leaving no trace."""

import os
import subprocess
import sys
from functools import cache

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from legible import faults
from long_results import long_results
from make_record import make_record
from matplotlib.figure import Figure
from reduction_results import reduction_results
from study_results import a_study, study_results
from test_plot_gates import FOUND

import fpdrift
from fpdrift import _kinds
from fpdrift.comparison import Comparisons, growth, run_curves, survival_curve, tensor_matrix
from fpdrift.errors import FpdriftError
from fpdrift.experiments import (
    CnnDrift,
    FiveRuns,
    GradientRuns,
    OneGate,
    Settings,
    ThreadsAndTree,
    TrainedRun,
    experiment,
)
from fpdrift.floats import anatomy
from fpdrift.plotting import plot, save, save_picture
from fpdrift.plotting._plot import look


def results():
    weights = {"kernel": np.linspace(-0.5, 0.5, 999, dtype=np.float32)}
    moved = (weights["kernel"] * np.float32(scale) for scale in (1.5, 1.25))
    yield "anatomy", anatomy("0.1")
    yield "anatomy-tiny", anatomy("1e-300")
    yield "anatomy-nan", anatomy("nan", "bfloat16")
    yield "orders", fpdrift.orders("2*11/9")
    yield "orders-agree", fpdrift.orders("0.5+0.25")
    yield "chain", fpdrift.chain(1.0, 1 - 2**-52, 10**6)
    yield "chain-still", fpdrift.chain(1.0, 1.0, 10)
    yield "chain-inf", fpdrift.chain(1.0, 2.0, 10**6)
    yield "threads", fpdrift.thread_sums(5000, chunks=8, tries=5, threads=(1, 2))
    yield "threads-one", fpdrift.thread_sums(1, chunks=1, tries=1, threads=1)
    tree = fpdrift.reveal(np.sum, 8, name="numpy:sum")
    yield (
        "threads-and-tree",
        ThreadsAndTree(sums=fpdrift.thread_sums(8, chunks=2, tries=2), tree=tree),
    )
    yield "two-loops", experiment("chain").run(Settings())
    yield "nudge", fpdrift.nudge(weights, size=1e-8)[1]
    yield "nudge-nothing", fpdrift.nudge(weights, size=0.0)[1]
    pair = fpdrift.compare(*(make_record([weights, {"kernel": w}]) for w in moved))
    yield "comparison", pair
    yield "growth", growth(pair)
    runs = [make_record([weights, {"kernel": w}]) for w in (weights["kernel"], -weights["kernel"])]
    yield "matrix", tensor_matrix(*runs)
    one, other = deep_runs()
    yield "matrix-deep", tensor_matrix(one, other)
    yield "matrix-equal", tensor_matrix(one, one)
    yield "curves", run_curves([make_record([weights], loss=np.ones(1))])
    yield "survival", survival_curve([0, 3, 5], [True, True, False])
    pairs = Comparisons(labels=("1 thread again", "nudged"), comparisons=(pair, pair))
    yield "comparisons", pairs
    names = {"network": "answer", "data": "noise", "baseline": "1 thread"}
    yield "cnn", CnnDrift(**names, seed=0, steps=1, records=(), tensors=1, pairs=pairs)
    yield "five-runs", five_runs()
    yield from reduction_results()
    yield from study_results()
    yield from long_results()
    yield "gates", FOUND
    yield "one-gate", OneGate(study=a_study(name="gate"), gates=FOUND)
    yield "no-gate", OneGate(study=a_study(name="gate"), gates=None)


def deep_runs():
    """Record two long trainings of a network of many layers, whose names leave a title no room."""
    names = [f"network/convolution_{layer}/kernel" for layer in range(120)]
    states = [[{name: np.full(3, end, np.float32) for name in names}] for end in (1, 2)]
    same = {name: np.ones(3, np.float32) for name in names}
    return [make_record([same, *state], steps=[0, 18_760]) for state in states]


def five_runs():
    figures = {"accuracy": 0.1, "validation_loss": 2.0, "validation_accuracy": 0.1, "weights": "0"}
    runs = tuple(
        TrainedRun(label=c, condition=c, record=c, loss=ord(c) / 32, **figures) for c in "abcde"
    )
    own = GradientRuns(gradient="the loss's own", runs=runs, figure=4 / 97, distinct=5)
    same = GradientRuns(gradient="fused", runs=runs[:1] * 5, figure=0.0, distinct=1)
    names = {"network": "answer", "data": "noise", "labels": "multi-hot", "size": "quick"}
    return FiveRuns(
        **names,
        seed=1,
        steps=60,
        validation_images=256,
        gradients=(own, same),
        source=1e-4,
        skipped={},
    )


RESULTS = dict(results())
#: Part of its size on a slide at which a picture is drawn.
SCALE = 0.75
#: One of each kind, for what does not depend on how a picture looks.
KINDS = {type(result): name for name, result in reversed(RESULTS.items())}.values()
#: Those saved in both formats. Nothing that draws a kind knows the format, and an SVG holds every
#: stroke and every letter, so one kind that has pixels of its own and two others stand for PNG.
BOTH = ["equality", "matrix", "orders"]
FORMATS = {name: (".png", ".svg") if name in BOTH else (".svg",) for name in KINDS}
FILES = [f"{name}{suffix}" for name, suffixes in FORMATS.items() for suffix in suffixes]
#: Save a picture of each JSON in a folder; PNG, too, for the names behind it.
SAVE_AGAIN = """
import sys
from pathlib import Path
from fpdrift.plotting import save_picture
from fpdrift.serialization import Result
folder, *both = sys.argv[1:]
for path in Path(folder).glob("*.json"):
    suffixes = (".png", ".svg") if path.stem in both else (".svg",)
    save_picture(Result.from_json(path.read_bytes()), *map(path.with_suffix, suffixes))
"""


@cache
def drawn(name):
    """Draw a result on axes of a figure that does not have our style."""
    ax = Figure().add_subplot()
    assert plot(RESULTS[name], ax=ax) is ax
    return ax


@pytest.mark.parametrize("name", RESULTS)
def test_draws_on_the_axes_given(name):
    ax = drawn(name)
    assert ax.get_title(loc="left") or ax.get_title()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Save a picture of each kind; another process saves one of the same result from JSON.

    Only here is each kind drawn before it is saved: were a drawing to change the result or to count
    anything, the bytes would differ.
    """
    here, there = (tmp_path_factory.mktemp(place) for place in ("here", "there"))
    for name in KINDS:
        (there / f"{name}.json").write_text(RESULTS[name].to_json(), encoding="utf-8")
    hashing = os.environ | {"PYTHONHASHSEED": "random"}
    command = [sys.executable, "-c", SAVE_AGAIN, there, *BOTH]
    own = mpl.rc_context(
        {"lines.linewidth": 17}
    )  # the caller's look: kept, and drawn in no picture
    with own, subprocess.Popen(command, env=hashing, stderr=subprocess.PIPE) as process:
        try:
            before = dict(mpl.rcParams)
            for name, suffixes in FORMATS.items():
                drawn(name)
                save_picture(RESULTS[name], *(here / f"{name}{suffix}" for suffix in suffixes))
                assert dict(mpl.rcParams) == before, name
            _, said = process.communicate(timeout=300)
        finally:
            process.kill()  # which does nothing to one that has ended
    assert process.returncode == 0, said.decode()
    return here, there


@pytest.mark.parametrize("file", FILES)
def test_another_process_draws_the_same_bytes_from_json(file, pictures):
    first, again = ((place / file).read_bytes() for place in pictures)
    assert len(first) > 2000
    assert first == again
    assert b"<image" not in first or file.removesuffix(".svg") in BOTH


def test_what_is_saved_is_both_pictures(tmp_path, pictures):
    paths = save(RESULTS["orders"], tmp_path / "0.1+0.2")
    assert [path.name for path in paths] == ["0.1+0.2.png", "0.1+0.2.svg"]
    for path in paths:
        assert path.read_bytes() == (pictures[0] / f"orders{path.suffix}").read_bytes()


@pytest.mark.parametrize("name", RESULTS)
def test_text_is_legible_inside_and_apart(name, monkeypatch):
    with look():
        # letters are not as wide at every resolution
        figure = Figure(dpi=mpl.rcParams["savefig.dpi"])
        plot(RESULTS[name], ax=figure.add_subplot())
        assert faults(figure, monkeypatch, scale=1 / SCALE) == []


def test_what_cannot_be_read_is_named(monkeypatch):
    with look():
        figure = Figure()
        ax = figure.add_subplot()
        place = {"transform": ax.transAxes, "in_layout": False}
        ax.text(0.1, 0.5, "small", fontsize=13, **place)
        for y, words in ((0.7, "one"), (0.71, "other"), (-3, "deep")):
            ax.text(0.1, y, words, **place)
        ax.text(0.9, 0.9, "too long for the place", **place)
        ax.set_xscale("log")
        found = " | ".join(faults(figure, monkeypatch, scale=1 / SCALE))
    assert "17.3 points: small" in found
    assert "over each other: one / other" in found
    assert "outside, left or right: too long for the place" in found
    assert "outside, above or below: deep" in found
    assert "points: $\\mathdefault{10^{0}}$" in found


def test_labels_of_twenty_epochs_do_not_overlap():
    with mpl.style.context(["default", "fpdrift.plotting.fpdrift"]):
        figure = Figure()
        ax = plot(fpdrift.load_recorded("long"), ax=figure.add_subplot())
        figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) > 3
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


@pytest.mark.parametrize("name", ["anatomy", "anatomy-tiny", "anatomy-nan"])
def test_every_bit_of_a_float_is_drawn(name):
    ax = drawn(name)
    texts = [text.get_text() for text in ax.texts]
    assert "".join(text for text in texts if text in ("0", "1")) == RESULTS[name].bits
    assert {"s = sign", "e = exponent", "f = fraction"} <= set(texts)
    (exact,) = (text.split()[1] for text in texts if text.startswith("exact"))
    assert RESULTS[name].decimal.startswith(exact.rstrip("…"))
    assert len(exact) > 2


def test_a_notebook_that_draws_later_takes_our_colours():
    axes = plot(RESULTS["two-loops"])
    colours = [line.get_color() for line in axes.lines] + [t.get_color() for t in axes.texts]
    plt.close(axes.figure)
    assert colours
    assert not [c for c in colours if isinstance(c, str) and c.startswith("C")]


def test_every_kind_of_picture_is_tried():
    assert {type(result).__name__ for result in RESULTS.values()} == set(_kinds.pictures.all())


def test_no_picture_for_this():
    with pytest.raises(FpdriftError, match="no picture for results of type Order; choose"):
        plot(fpdrift.orders("1+2").orders[0])


@pytest.mark.parametrize("ax", [3, Figure(), np.eye(3), 5000 * "x"], ids=type)
def test_what_is_no_axes_is_refused(ax):
    with pytest.raises(FpdriftError, match=r"ax is .*; pass a Matplotlib Axes or None") as caught:
        plot(RESULTS["chain"], ax=ax)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 150
