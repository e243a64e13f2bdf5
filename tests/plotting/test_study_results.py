"""Studies' screens and pictures show the figures of their results, each in its place."""

import dataclasses
import math
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from study_results import a_study, study_results

from fpdrift.cli.screens import screen
from fpdrift.experiments import Determinism, HashSeed, Metric, NoSeeds, Study
from fpdrift.plotting import plot
from fpdrift.plotting._plot import look
from fpdrift.provenance import describe_machine

RESULTS = dict(study_results())
STUDIES = [
    name
    for name, result in RESULTS.items()
    if isinstance(result, Study | Determinism | HashSeed | Metric | NoSeeds)
]


def drawn(name):
    return plot(RESULTS[name], ax=Figure().add_subplot())


def rows(name):
    return [re.split(r"  +", line.strip()) for line in screen(RESULTS[name])]


@pytest.mark.parametrize("name", STUDIES)
def test_a_screen_says_size_finding_and_claim(name):
    lines = screen(RESULTS[name])
    assert all(len(line) <= 80 for line in lines)
    full = name == "study-many"
    text = " ".join(line.strip() for line in lines)
    start = "as large as in the forum answer" if full else "quick, smaller than in the forum answer"
    assert text.startswith(f"{RESULTS[name].finding} Size: {start}. ")
    claim = next(
        i for i, line in enumerate(lines) if line.startswith(("  Claim: ", "  Question: "))
    )
    assert describe_machine(RESULTS[name].provenance) in " ".join(
        line.strip() for line in lines[claim:]
    )
    size = "original size" if full else "quick"
    assert f"({size}: 12 steps per run)" in drawn(name).get_title(loc="left")


def test_a_row_is_a_run_against_its_baseline():
    lines = [" ".join(line.split()) for line in screen(RESULTS["study"])]
    assert "0 threads, 1 thread, op det. never 0 -" in lines
    assert "2 threads, op det. again 1 thread, op det. step 1 1.0e+00 25.0 %" in lines


def test_what_a_machine_lacks_is_told():
    study = dataclasses.replace(a_study(), skipped={"oneDNN off": "no such processor"})
    assert "  Skipped: oneDNN off (no such processor)." in screen(study)


def test_equal_bits_stand_left_of_the_line():
    ax = drawn("study")
    *points, line = ax.lines
    places = [(float(point.get_xdata()[0]), point.get_ydata()[0]) for point in points]
    assert places[1:] == [(3e-5, 1), (1.0, 2)]
    assert places[0][0] < line.get_xdata()[0] < 3e-5
    assert [point.get_marker() for point in points] == ["s", "o", "o"]
    ticks = [label.get_text() for label in ax.get_xticklabels()]
    assert ticks == ["same\nbits", "1e-4", "1e-3", "1e-2", "1e-1", "1e0"]


def test_a_run_repeated_shares_the_row_of_what_it_repeats():
    study = a_study((0.0, 3e-5, 1.0))
    one, two, _ = study.distances
    again = dataclasses.replace(one, label="1 thread, op det. again")
    other = dataclasses.replace(two, label=f"{two.label} again", baseline=two.label)
    study = dataclasses.replace(study, distances=(two, other, again))
    ax = plot(study, ax=Figure().add_subplot())
    assert [text.get_text() for text in ax.get_yticklabels()] == [two.label, "1 thread, op det."]
    points = [(line.get_ydata()[0], line.get_marker()) for line in ax.lines[:3]]
    assert points == [(0, "o"), (0, "+"), (1, "+")]
    title = ax.get_title(loc="left")
    assert title.startswith("1 of 2 reruns and 0 of 1 other setting gave the same bits\n")
    assert "+: rerun" in ax.get_xlabel()


def test_what_is_no_distance_does_not_stand_among_equal_bits():
    study = a_study((0.0, 3e-5, math.nan, math.inf))
    equal = dataclasses.replace(study.distances[1], distance=0.0)
    study = dataclasses.replace(study, distances=(*study.distances, equal))
    ax = plot(study, ax=Figure().add_subplot())
    places = [float(line.get_xdata()[0]) for line in ax.lines[:5]]
    assert places == [places[0], 3e-5, places[2], places[2], places[0]]
    assert places[0] < 3e-5 < places[2] < ax.get_xlim()[1]
    text = {
        float(x): label.get_text()
        for x, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    }
    assert text[places[2]] == "not finite"
    assert text[places[0]] == "same bits\n(open: only of\nthe weights)"
    assert ax.lines[4].get_markerfacecolor() == "none"


def test_what_determinism_cost():
    assert ["b", "1.50"] in rows("determinism")
    title = drawn("determinism").get_title(loc="left")
    assert "\nOp determinism takes 1.25 to 1.50 times as long (2 pairs)\n" in title
    assert "times as long" not in drawn("determinism-untimed").get_title(loc="left")


def test_the_spread_of_each_metric():
    assert ["loss", "2.5e-05 %", "0.01 %", "10 %"] in rows("metric")
    assert ["accuracy", "17 %", "1 %", "10 %"] in rows("metric")
    assert ["validation accuracy", "-", "10 %"] in rows("metric")
    points = [line.get_xydata().tolist() for line in drawn("metric").lines]
    assert np.allclose(points[0], [[2.5e-5, 0], [100 / 6, 1]])
    assert np.allclose(points[1], [[0.01, 0], [1, 1]])  # neither 0 nor NaN has a place
    assert np.allclose(points[2], [[10, y] for y in range(4)])


def test_the_spread_of_each_iteration():
    assert ["10", "1", "100.0 %", "1", "100.0 %"] in rows("no-seeds")
    losses = RESULTS["no-seeds"].study.losses
    lines = drawn("no-seeds").lines
    assert [line.get_ydata().tolist() for line in lines] == losses[:, :10].tolist()
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--"]
    one, other, seeded = (line.get_label() for line in lines)
    assert (one, seeded) == ("2 runs, random seeds", "1 run, fixed seed, different threads")
    assert other.startswith("_")  # which keeps it out of the legend


def test_how_many_different_results():
    assert ["PYTHONHASHSEED=0 after the start", "5", "5"] in rows("hash-seed")
    ax = drawn("hash-seed")
    assert [bar.get_width() for bar in ax.patches] == [1, 5, 1, 1]
    assert ax.texts[1].get_text() == "5 results in 5"
    with look():
        same, several = to_rgba("C2"), to_rgba("C1")
    assert [bar.get_facecolor() for bar in ax.patches] == [same, several, same, same]


def test_a_misspelt_variable_is_said_to_be_misspelt():
    result = RESULTS["hash-seed"]
    typo = dataclasses.replace(result.hashes[1], label="PYTHONASHSEED=0")
    ax = plot(dataclasses.replace(result, hashes=(typo,)), ax=Figure().add_subplot())
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[0] == "misspelt:\nPYTHONASHSEED=0"
    assert "misspelt" not in labels[1]
