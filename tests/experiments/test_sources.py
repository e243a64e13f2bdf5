"""Sources of difference: groups of conditions, bootstrap intervals, and what is said of them."""

import dataclasses
import itertools
import math
import statistics
import zlib

import numpy as np
import pytest
from made_records import made

from fpdrift.cli.screens import screen
from fpdrift.experiments import Interval, Settings, study
from fpdrift.experiments import sources as room
from fpdrift.experiments.sources import bootstrap, conditions
from fpdrift.plotting import plot
from fpdrift.results import Result
from fpdrift.training import Condition, job


@pytest.fixture
def trained(monkeypatch):
    """Make records instead of training; `bits` says whose bits are equal."""
    told = {"bits": lambda c: zlib.crc32(c.name.encode())}

    def train(*args, **named):
        return made(*args, **named, bits=lambda condition: told["bits"](condition))

    monkeypatch.setattr(job, "train", train)
    return told


def test_each_source_changes_one_thing_alone_in_the_run_of_its_seed():
    groups, _ = conditions(Condition(intra_op_threads=1, seed=5), 3)
    control = groups.pop(room.CONTROL)
    assert [c.seed for c in control] == [5, 6, 7]
    assert [c.seed for c in groups["all seeds"]] == [8, 9, 10]  # no pair shares a run with another
    changed = {
        name: {
            key
            for plain, moved in zip(control, group, strict=True)
            for key, value in moved.to_dict().items()
            if value != plain.to_dict()[key]
        }
        for name, group in groups.items()
    }
    assert len(changed.pop("all seeds, threads, 1e-8")) == 3
    assert len(changed.pop("threads, 1e-8, XLA, det.")) == 4
    assert all(len(keys) == 1 for keys in changed.values())
    assert all(len(set(group)) == 3 for group in groups.values())


def test_each_run_of_a_nudge_has_another_one_of_the_same_size():
    groups, _ = conditions(Condition(intra_op_threads=1, seed=5), 3)
    ulps = [c.perturbation for c in groups["one ulp in one weight"]]
    assert [(ulp.kind, ulp.tensor) for ulp in ulps] == [("ulp", "conv2/kernel")] * 3
    assert [ulp.index for ulp in ulps] == [997, 1994, 2991]
    for name in ("1e-8 on half", "threads, 1e-8, XLA, det.", "all seeds, threads, 1e-8"):
        noise = [c.perturbation for c in groups[name]]
        assert [(n.kind, n.size, n.fraction) for n in noise] == [("noise", 1e-8, 0.5)] * 3
        assert [n.seed for n in noise] == [8, 9, 10]


def test_each_run_is_held_against_that_of_its_seed(trained, tmp_path):
    trained["bits"] = lambda c: c.seed + 8 * (c.jit or 0) * (c.seed == 2)
    result = room.sources(Settings(out=tmp_path, seed=1))
    rows = {row.name: row for row in result.rows}
    assert (rows["XLA"].runs, rows["XLA"].equal) == (2, 1)
    assert (rows["2 threads"].runs, rows["2 threads"].equal) == (2, 2)
    assert (rows["all seeds"].runs, rows["all seeds"].equal) == (2, 0)
    # the first seed's two runs are equal, so the mean is half of the other seed's
    assert 0 == rows["XLA"].distance.low < rows["XLA"].distance.high
    assert rows["XLA"].distance.mean == rows["XLA"].distance.high / 2
    same = result.finding.partition("The same bits as well: ")[2].partition(". ")[0].split(", ")
    assert same[:2] == ["2 threads", "oneDNN off"]
    assert "XLA" not in same


def test_the_quick_size_leaves_two_rows_out(trained, tmp_path):
    quick, full = (
        [row.name for row in room.sources(Settings(out=tmp_path, full=full)).rows]
        for full in (False, True)
    )
    assert [name for name in full if name not in quick] == list(room.FULL_ALONE)
    assert [name for name in full if name in quick] == quick
    assert len(list((tmp_path / "sources").glob("*-12-steps-*.fpdrift"))) == 30


def test_bootstrap_is_that_of_all_samples():
    values = [1.0, 2.0, 4.0, 8.0]
    found = bootstrap(values, np.random.default_rng(3))
    means = sorted(statistics.mean(drawn) for drawn in itertools.product(values, repeat=4))
    low, high = np.quantile(means, [0.025, 0.975])
    assert found.mean == 3.75
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.26)
    assert bootstrap(values, np.random.default_rng(3)) == found
    alone = bootstrap([2.0], np.random.default_rng(3))
    assert alone.mean == 2.0
    assert math.isnan(alone.low)


def test_bootstrap_leaves_out_a_fortieth_on_each_side():
    values = np.random.default_rng(1).normal(size=400)
    found = bootstrap(values, np.random.default_rng(2))
    error = values.std() / 20
    assert [(end - found.mean) / error for end in (found.low, found.high)] == pytest.approx(
        [-1.96, 1.96], rel=0.06
    )


def test_a_table_is_told_and_drawn(trained, tmp_path):
    result = study("sources").run(Settings(out=tmp_path))
    longest = Interval(mean=1.25e-10, low=1.25e-10, high=1.25e-10)
    wide = dict.fromkeys(("distance", "of_all", "loss", "accuracy"), longest)
    churn = Interval(mean=1.0, low=0.5 / 256, high=1.0)
    rows = tuple(dataclasses.replace(row, equal=0, churn=churn, **wide) for row in result.rows)
    lines = screen(result) + screen(dataclasses.replace(result, rows=rows))
    assert all(len(line) <= 80 for line in lines)
    assert any(line.endswith(" 100.0 % (0.2-100.0)") for line in lines)
    assert lines[0].startswith("  Quick, not the source's size: 12 steps")
    control = result.rows[0]
    assert (control.name, control.runs, control.equal) == (room.CONTROL, 2, 2)
    assert control.distance.mean == control.loss.mean == control.accuracy.mean == 0
    assert all(row.equal == 0 for row in result.rows[1:])
    assert result.finding.startswith("The control has the same bits")
    assert Result.from_json(result.to_json()).to_json() == result.to_json()
    assert " apart; other seeds: " in plot(result).get_title("left")


def test_each_row_has_its_own_figures(trained, tmp_path):
    result = room.sources(Settings(out=tmp_path))
    figures = {
        "distance": Interval(mean=2e-3, low=1e-3, high=3e-3),
        "of_all": Interval(mean=5e-3, low=4e-3, high=6e-3),
        "churn": Interval(mean=0.5, low=0.25, high=0.75),
        "loss": Interval(mean=0.0, low=0.0, high=0.0),
        "accuracy": Interval(mean=4e-2, low=math.nan, high=math.nan),
    }
    row = dataclasses.replace(result.rows[0], name="tea", runs=2, equal=0, **figures)
    told = [line.split() for line in screen(dataclasses.replace(result, rows=(row,)))]
    assert [words[1:] for words in told if words[:1] == ["tea"]] == [
        ["2.0e-03", "(1.0e-03-3.0e-03)", "5.0e-03", "50.0", "%", "(25.0-75.0)"],
        ["0", "4.0e-02"],
    ]


def test_what_reaches_zero_points_to_it(trained, tmp_path):
    """A log axis has no zero: a mean of zero is a square, an interval that reaches it an arrow."""
    trained["bits"] = lambda c: c.seed + 8 * (c.jit or 0) * (c.seed == 2)
    result = room.sources(Settings(out=tmp_path, seed=1))
    rows = list(result.rows)
    float64 = next(i for i, row in enumerate(rows) if row.name == "float64")
    rows[float64] = dataclasses.replace(rows[float64], equal=1)  # a slot that is no weight
    ax = plot(dataclasses.replace(result, rows=tuple(rows)))
    marks = {(int(line.get_ydata()[0]), line.get_marker()) for line in ax.lines}
    marks -= {(0, "None")}  # the break in the axis is a line without marks
    said = {int(text.xy[1]): text.get_text() for text in ax.texts}
    same, *names = (label.get_text().split(" (")[0] for label in ax.get_yticklabels())
    assert same == f"same bits: {sum(row.equal == row.runs for row in rows)} sources"
    assert {mark for at, mark in marks if at == 0} == {"s"}
    others = [row for row in rows if row.equal < row.runs]
    for y, (name, row) in enumerate(zip(names, others, strict=True), 1):
        assert name == row.name
        zero = "s" if row.distance.mean == 0 else "<" if row.distance.low == 0 else None
        assert {mark for at, mark in marks if at == y} & {"s", "<"} == ({zero} - {None})
        assert said.get(y) == {"s": "equal weights", "<": "0", None: None}[zero]
    assert "float64" in names
    assert said[1 + names.index("XLA")] == "0"


def test_a_control_that_differs_is_said_first(trained, tmp_path):
    count = itertools.count(2)
    trained["bits"] = lambda _: next(count)
    result = room.sources(Settings(out=tmp_path))
    assert result.finding.startswith("The control is not equal")
    assert "nondeterministic here" in result.finding


def test_where_only_seeds_matter_that_is_said(trained, tmp_path):
    trained["bits"] = lambda c: sum(c.seed_for(k) for k in ("init", "order", "dropout"))
    result = room.sources(Settings(out=tmp_path))
    assert "No drift seen in the weights from 2 threads, oneDNN off, " in result.finding
    assert "1e-8" not in result.finding.partition("No drift")[2]
    assert any("threads" in line and "same bits" in line for line in screen(result))


def test_distances_leave_out_biases_that_rounding_alone_moves(trained, tmp_path, monkeypatch):
    """Of them all is told apart, with the source that moved the others most."""
    whole = room.run_distance

    def run_distance(*runs):
        found = whole(*runs)
        return dataclasses.replace(found, learned=found.distance / 8)

    monkeypatch.setattr(room, "run_distance", run_distance)
    result = room.sources(Settings(out=tmp_path))
    assert [row.distance.mean * 8 for row in result.rows] == [
        row.of_all.mean for row in result.rows
    ]
    moved = [r for r in result.rows if "seed" not in r.name and r.name not in room.PLANTED]
    most = max(moved, key=lambda row: row.distance.mean)
    assert f"by {most.distance.mean:.1e} after 12 steps" in result.finding
    least = min(row.of_all.mean for row in moved if row.of_all.mean)
    assert result.finding.endswith(f"each of these moves the weights by {least:.1e} or more.")
    gone = Interval(mean=0.0, low=0.0, high=0.0)
    rows = [dataclasses.replace(row, distance=gone) for row in result.rows]
    texts = [text.get_text() for text in plot(dataclasses.replace(result, rows=tuple(rows))).texts]
    assert set(texts) == {"equal but biases"}
    told = room._tell(dataclasses.replace(result, rows=(result.rows[0], *rows[1:])))
    assert "moved no weights but biases whose true gradient is zero; other seeds" in told
    left_out = [line for line in screen(result) if line.startswith("  Left out, ")]
    assert [line for line in left_out if "--full" in line] == [
        f"  Left out, {name}: --full has it" for name in room.FULL_ALONE
    ]
