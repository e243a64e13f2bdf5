"""Sources of difference: groups of conditions, pairs of runs, and what is said of them."""

import dataclasses
import itertools
import json
import zlib

import pytest
from long_results import some_sources
from made_records import made

from fpdrift.cli.screens import screen
from fpdrift.comparison._intervals import FEWEST, median_interval
from fpdrift.ensembles import _remote
from fpdrift.experiments import Settings, study
from fpdrift.experiments import _sources as room
from fpdrift.experiments._sources import conditions
from fpdrift.plotting import plot
from fpdrift.serialization import Result
from fpdrift.training import Condition


@pytest.fixture
def trained(monkeypatch):
    """Make records instead of training; `bits` says whose bits are equal."""
    told = {"bits": lambda c: zlib.crc32(c.name.encode())}

    def train(*args, **named):
        return made(*args, **named, bits=lambda condition: told["bits"](condition))

    monkeypatch.setattr(_remote, "train", train)
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
    first, second = rows["XLA"].distance
    assert first == 0 < second
    same = result.finding.partition("So did: ")[2].partition(". ")[0].split(", ")
    assert same[:2] == ["2 threads", "oneDNN off"]
    assert "XLA" not in same


def test_the_quick_size_leaves_two_rows_out(trained, tmp_path, monkeypatch):
    assert room.STEPS["full"] == 469
    monkeypatch.setitem(room.STEPS, "full", 14)
    quick, full = (
        [row.name for row in room.sources(Settings(out=tmp_path, full=full)).rows]
        for full in (False, True)
    )
    assert [name for name in full if name not in quick] == list(room.FULL_ALONE)
    assert [name for name in full if name in quick] == quick
    assert len(list((tmp_path / "sources").glob("*-12-steps-*.fpdrift"))) == 30


def test_a_table_is_told_and_drawn(trained, tmp_path):
    result = study("sources").run(Settings(out=tmp_path))
    longest = tuple(1.25e-10 * k for k in range(1, 7))
    wide = dict.fromkeys(("distance", "of_all", "loss", "accuracy"), longest)
    churn = (0.5 / 256, 1.0, 1.0, 1.0, 1.0, 1.0)
    rows = tuple(
        dataclasses.replace(row, runs=6, equal=0, churn=churn, **wide) for row in result.rows
    )
    lines = screen(result) + screen(dataclasses.replace(result, rows=rows))
    assert all(len(line) <= 80 for line in lines)
    assert any(line.endswith(" 100.0 (0.2..100.0)") for line in lines)
    assert "Size: quick, smaller than in the forum answer. 12 steps;" in " ".join(
        line.strip() for line in lines
    )
    control = result.rows[0]
    assert (control.name, control.runs, control.equal) == (room.CONTROL, 2, 2)
    assert control.distance == control.loss == control.accuracy == (0, 0)
    assert all(row.equal == 0 for row in result.rows[1:])
    assert result.finding.startswith("The control gave the same bits")
    assert Result.from_json(result.to_json()).to_json() == result.to_json()
    assert "; new seed: " in plot(result).get_title("left")


def test_each_row_has_its_own_figures(trained, tmp_path):
    result = room.sources(Settings(out=tmp_path))
    figures = {
        "distance": (3e-3, 1e-3),
        "of_all": (5e-3, 6e-3),
        "churn": (0.5, 0.25),
        "loss": (0.0, 0.0),
        "accuracy": (4e-2, 0.0),
    }
    row = dataclasses.replace(result.rows[0], name="tea", runs=2, equal=0, **figures)
    lines = screen(dataclasses.replace(result, rows=(row,)))
    assert [line.split()[1:] for line in lines if line.split()[:1] == ["tea"]] == [
        ["1.0e-03..3.0e-03", "5.0e-03..6.0e-03"],
        ["0", "0..4.0e-02", "25.0..50.0"],
    ]
    assert "Smallest and largest value; a median with an interval needs 6 pairs." in " ".join(
        line.strip() for line in lines
    )
    six = (6e-3, 5e-3, 4e-3, 3e-3, 2e-3, 1e-3)
    row = dataclasses.replace(row, runs=6, distance=six)
    lines = screen(dataclasses.replace(result, rows=(row,)))
    [told] = [line.split() for line in lines if "3.5e-03" in line]
    assert told[:3] == ["tea", "3.5e-03", "(1.0e-03..6.0e-03)"]
    assert "their 95 % intervals by order statistics" in " ".join(line.strip() for line in lines)


def test_what_reaches_zero_points_to_it(trained, tmp_path):
    """A log axis has no zero: pairs that are all equal are a square, one of several an arrow."""
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
        zero = "s" if not any(row.distance) else "<" if 0 in row.distance else None
        assert {mark for at, mark in marks if at == y} & {"s", "<"} == ({zero} - {None})
        assert said.get(y) == {"s": "equal weights", "<": "0", None: None}[zero]
    assert "float64" in names
    assert said[1 + names.index("XLA")] == "0"


def test_a_control_that_differs_is_said_first(trained, tmp_path):
    count = itertools.count(2)
    trained["bits"] = lambda _: next(count)
    result = room.sources(Settings(out=tmp_path))
    assert result.finding.startswith("The control differs")
    assert "nondeterministic here" in result.finding


def test_where_only_seeds_matter_that_is_said(trained, tmp_path):
    trained["bits"] = lambda c: sum(c.seed_for(k) for k in ("init", "order", "dropout"))
    result = room.sources(Settings(out=tmp_path))
    assert "No drift of the weights was observed from 2 threads, oneDNN off, " in result.finding
    assert "1e-8" not in result.finding.partition("No drift")[2]
    assert any("threads" in line and "same bits" in line for line in screen(result))


def test_distances_leave_out_biases_that_rounding_alone_moves(trained, tmp_path, monkeypatch):
    """Of them all is told apart, with the source that moved the others most."""
    whole = room.run_distance

    def run_distance(*runs):
        found = whole(*runs)
        return dataclasses.replace(found, distance_excluding_zero_gradient=found.distance / 8)

    monkeypatch.setattr(room, "run_distance", run_distance)
    result = room.sources(Settings(out=tmp_path))
    for row in result.rows:
        assert tuple(8 * distance for distance in row.distance) == row.of_all
    moved = [distance for row in result.rounding for distance in row.distance]
    assert (
        f"moved the weights by {min(moved):.1e} to {max(moved):.1e} after 12 steps (2 pairs"
        in result.finding
    )
    least = min(distance for row in result.rounding for distance in row.of_all)
    assert result.finding.endswith(f"each pair that differs is at least {least:.1e}.")
    rows = [dataclasses.replace(row, distance=(0.0, 0.0)) for row in result.rows]
    texts = [text.get_text() for text in plot(dataclasses.replace(result, rows=tuple(rows))).texts]
    assert set(texts) == {"equal except biases"}
    told = dataclasses.replace(result, rows=(result.rows[0], *rows[1:])).finding
    assert "moved no weights except biases whose true gradient is zero (2 pairs" in told
    left_out = [line for line in screen(result) if line.startswith("  Skipped: ")]
    assert f"  Skipped: {'; '.join(room.FULL_ALONE)} (only with --full)." in left_out


def ranked(result, columns):
    """Give each source that rounding alone moves distances of its own."""
    names = [row.name for row in result.rounding]
    rows = [
        dataclasses.replace(
            row, **dict.fromkeys(("distance", "of_all"), columns[names.index(row.name)])
        )
        if row.name in names
        else row
        for row in result.rows
    ]
    return dataclasses.replace(result, rows=tuple(rows))


@pytest.fixture
def result():
    """Two pairs of each of a few sources, made up."""
    rounding = [(name, 2, 1e-6) for name in ("2 threads", "oneDNN off", "XLA")]
    return some_sources((room.CONTROL, 2, 0.0), *rounding, ("all seeds", 2, 1.0))


def test_a_source_is_ranked_by_a_test_or_not_at_all(result):
    count = len(result.rounding)
    assert "Too few pairs to rank the sources." in result.finding  # two of each
    alike = [tuple(1e-6 * (1 + (i + k) % count) for i in range(6)) for k in range(count)]
    assert "unknown which source moves them most (sign tests" in ranked(result, alike).finding
    first = [tuple(1e-3 * (1 + i) for i in range(6)), *alike[1:]]
    name = result.rounding[0].name
    assert f"{name} moved them more than every other source" in ranked(result, first).finding
    five = [column[:5] for column in first]
    assert "Too few pairs to rank the sources." in ranked(result, five).finding
    title = plot(ranked(result, first)).get_title("left")
    assert title.startswith("Rounding: 1e-6 to 6e-3; new seed: 0.33 to 2")


def test_six_pairs_have_a_bar_and_fewer_have_none(result):
    bars = [line for line in plot(result).lines if line.get_linewidth() == 5]
    assert not bars
    six = [tuple(1e-6 * (1 + i + k) for i in range(6)) for k in range(len(result.rounding))]
    ax = plot(ranked(result, six))
    ends = [line.get_xdata() for line in ax.lines if line.get_linewidth() == 5]
    assert [tuple(x) for x in ends] == [(column[0], column[5]) for column in six]
    assert "bar: 95 % of the median" in ax.get_xlabel()
    assert "bar" not in plot(result).get_xlabel()


@pytest.mark.parametrize(("runs", "kept"), [(1, (3.0,)), (2, (1.0, 5.0)), (5, ())])
def test_older_files_hold_two_pairs_or_none(runs, kept):
    """The bootstrap of two pairs has them as its ends; from that of five no pair comes back."""
    row = room.Source(name="tea", runs=runs, equal=0, **dict.fromkeys(room._FIGURES, ()))
    document = json.loads(row.to_json())
    ends = {"low": {"$float": "nan"}, "high": {"$float": "nan"}} if runs == 1 else None
    older = {"$result": "Interval", "mean": 3.0, **(ends or {"low": 1.0, "high": 5.0})}
    document["result"] |= dict.fromkeys(room._FIGURES, older)
    found = Result.from_json(json.dumps(document))
    assert (found.distance, found.accuracy) == (kept, kept)


def test_pairs_that_were_not_kept_are_no_equal_pairs(result):
    gone = ranked(result, [()] * len(result.rounding))
    assert "does not contain the distances; run the study again" in gone.finding
    assert "No drift" not in gone.finding
    ax = plot(gone)
    assert ax.get_title("left").startswith("This older result has no distances")
    assert [text.get_text() for text in ax.texts] == ["not kept"] * len(result.rounding)
    assert sum("not kept" in line for line in screen(gone)) == len(result.rounding)


def test_no_two_pairs_of_a_source_share_a_run():
    """So the interval of their median may take them for independent."""
    groups, _ = conditions(Condition(intra_op_threads=1, seed=7), FEWEST)
    control = groups.pop(room.CONTROL)
    for name, group in groups.items():
        pairs = list(zip(control, group, strict=True))
        assert median_interval(range(FEWEST), pairs), name
    first = control[0]
    assert not median_interval(range(FEWEST), [(first, c) for c in control])
