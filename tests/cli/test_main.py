import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fpdrift.cli.main import main
from fpdrift.cli.text_figures import chart
from fpdrift.experiments import EXPERIMENTS


def refused(capsys, *argv):
    """Run a command that must be refused; give its one line."""
    assert main(list(argv)) == 2
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    assert "usage" not in lines[0]
    return lines[0]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["demo", "--only", "dance"], ["dance", "order"]),
        (["demo", "--only", "order,,"], ["''", "order"]),
        (["demo", "--steps", "0"], ["0 steps"]),
        (["demo", "--steps", "-3"], ["-3"]),
        (["demo", "--steps", "99999999999999999999"], ["99999999999999999999"]),
        (["demo", "--steps", 5000 * "9"], ["5,000 characters", "--steps"]),
        (["demo", "--steps", "many"], ["many", "--steps"]),
        (["demo", "--seed", "-1"], ["seed -1"]),
        (["demo", "--seed", "1e3"], ["1e3"]),
        (["demo", "--data", "cats"], ["cats", "digits"]),
        (["demo", "--colour"], ["--colour"]),
        (["demo", "--onl", "order"], ["--onl"]),
        (["demo", "--only", "order", "--out", ""], ["--out"]),
        (["dance"], ["dance"]),
        (["lessons", "open", "77"], ["77", "01"]),
    ],
)
def test_bad_input_is_one_line_that_names_the_value(capsys, tmp_path, monkeypatch, argv, words):
    monkeypatch.chdir(tmp_path)
    line = refused(capsys, *argv)
    assert all(word in line for word in words), line
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_refused_first(capsys, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("kept")
    line = refused(capsys, "demo", "--only", "order", "--out", str(blocked / "in"))
    assert str(blocked) in line
    assert "--out" in line
    assert blocked.read_text() == "kept"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_one_line(tmp_path):
    script = "import sys; from fpdrift.cli.main import main; sys.exit(main(['demo', '--list']))"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert "space" in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr


def test_list_names_the_five_steps(capsys):
    assert main(["demo", "--list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["order", "chain", "threads", "nudge", "cnn"]


def test_chart_fits_and_marks_each_decade():
    lines = chart([0, 1, 50, 100], [0.0, 2e-8, 3e-4, 5e-2], "distance")
    assert max(map(len, lines)) <= 80
    assert sum(line.count("*") for line in lines) == 3
    assert lines[1].split()[0] == "1e-02"
    assert lines[-2].split()[0] == "1e-08"


def test_chart_of_equal_runs_is_empty():
    assert chart([0, 1], [0.0, 0.0], "distance") == []


def test_json_is_one_document_and_saved(capsys, tmp_path):
    assert main(["demo", "--only", "order", "--json", "--no-plots", "--out", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["failed"] == []
    assert document["steps"]["order"] == json.loads((tmp_path / "order.json").read_text())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["order.json"]


def test_a_step_that_fails_is_named_and_the_next_one_runs(capsys, tmp_path, monkeypatch):
    def broken(settings):
        raise ZeroDivisionError("two\nlines")

    first = EXPERIMENTS[0]
    changed = (replace(first, run=broken), *EXPERIMENTS[1:])
    monkeypatch.setattr("fpdrift.experiments._registry.EXPERIMENTS", changed)
    monkeypatch.setattr("fpdrift.experiments.EXPERIMENTS", changed)
    assert main(["demo", "--only", "order,nudge", "--no-plots", "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["fpdrift: step order failed: two lines"]
    assert [p.name for p in tmp_path.iterdir()] == ["nudge.json"]
    assert "1,187,829 of 2,375,658 weights selected" in captured.out


def test_a_place_where_a_file_cannot_be_replaced(capsys, tmp_path):
    (tmp_path / "order.json").mkdir()
    line = refused(capsys, "demo", "--only", "order", "--no-plots", "--out", str(tmp_path))
    assert "order" in line
    assert "choose another place" in line
