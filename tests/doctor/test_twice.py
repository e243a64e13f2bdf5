"""Whether a second run in one process equals a fresh one: made-up runs, and real scripts."""

import os
from pathlib import Path

import pytest

from fpdrift.cli.main import main
from fpdrift.cli.screens.screen import screen
from fpdrift.doctor import check_twice
from fpdrift.doctor._notebook import run_notebook
from fpdrift.doctor._run import Trace
from fpdrift.doctor._twice import _first_draw, _search
from fpdrift.serialization import Result

SCRIPTS = Path(__file__).with_name("twice")
#: Script -> what its first run leaves over for the second.
LEFT = {
    "seeds_itself": [],
    "seeds_at_import": ["modules"],
    "keeps_its_model": ["script variables"],
    "sets_precision": ["Keras' settings"],
}


class Patient:
    """Made-up processes: the second run differs unless `cause` is taken away; `changes` of it."""

    def __init__(self, cause=None, **changes):
        self.cause, self.changes, self.traces = cause, changes, []

    def phases(self, tasks, _what):
        found = [self.trace(task["twice"]) for task in tasks]
        self.traces += found
        return found

    def trace(self, task):
        same = self.cause is None or (task and self.cause in task["fresh"])
        left = {"modules": ["helper"], "variables": ["model", "x"], "settings": []}
        second = left | {"digest": "first" if same else "other", "steps": 4, "draws": 0}
        number = len(self.traces) + 1
        given = {
            "number": number,
            "interventions": (),
            "folder": Path("run"),
            "seconds": 1.0,
            "ended": "finished",
            "line": 0,
            "digest": "first",
            "steps": 4,
            "draws": [],
            "keras": True,
            "twice": second if task else {},
        }
        return Trace(**(given | (self.changes if task else {})))


def test_equal_runs_need_two_processes():
    patient = Patient()
    assert _search(patient) == ("same", ())
    assert len(patient.traces) == 2


@pytest.mark.parametrize(
    ("cause", "parts"), [("modules", ("helper",)), ("script variables", ("model", "x"))]
)
def test_what_helps_if_taken_away_was_left_over(cause, parts):
    conclusion, (leftover,) = _search(Patient(cause))
    assert (conclusion, leftover.kind, leftover.parts) == ("left over", cause, parts)


def test_a_difference_that_nothing_takes_away_has_no_cause():
    assert _search(Patient("cosmic rays")) == ("left over", ())


def test_a_first_run_that_fails_or_trains_nothing_is_no_evidence():
    assert _search(Patient(twice={}, ended="raised ValueError: no"))[0] == "failed"
    assert _search(Patient(digest=""))[0] == "nothing trained"


def test_a_second_run_that_raises_is_a_difference():
    left = {"modules": ["helper"], "variables": [], "settings": [], "digest": "first", "steps": 4}
    assert _search(Patient(twice=left, ended="raised KeyError: 'dense'"))[0] == "left over"


def test_the_draws_of_both_runs_are_compared():
    def draw(line, digest):
        place = {"generator": "numpy", "call": "np.random.rand", "file": "train.py", "line": line}
        return {"event": "draw", "count": 1, "digest": digest * 8, "instance": 0, **place}

    mark = {"event": "mark", "generator": "", "call": "", "file": "", "line": 0, "count": 1}
    draws = [draw(3, "aa"), mark | {"digest": "00" * 8}, draw(3, "bb")]
    (trace,) = Patient(draws=draws).phases([{"twice": {"fresh": []}}], "")
    trace.twice["draws"] = 1
    assert "np.random.rand at train.py:3 returns different values" in _first_draw(trace)


def test_the_cells_of_a_notebook_run_again_with_their_variables(tmp_path):
    import json
    import sys

    text = "first = 'x' not in globals()\nx = 1"
    cell = {"cell_type": "code", "source": text.splitlines(keepends=True)}
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": [cell]}))
    main_module, left = sys.modules["__main__"], {}
    try:
        run_notebook(str(path), left)
        assert left["first"]
        run_notebook(str(path), left)
    finally:
        sys.modules["__main__"] = main_module
    assert not left["first"]


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_a_script_that_trains_nothing_gets_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("n = globals().get('n', 0) + 1\nprint(n)")
    assert main(["doctor", "--twice", "train.py"]) == 2
    out, err = capsys.readouterr()
    assert "trains nothing that can be observed" in " ".join(out.split())
    assert err == "fpdrift doctor: twice in one process, once in another (2 runs)\n"


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_a_script_that_raises_in_its_second_run_is_run_twice(tmp_path, monkeypatch):
    """It trains nothing, so that is the answer; the second run has happened all the same."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("if 'n' in globals():\n    raise ValueError('again')\nn = 1")
    result = check_twice("train.py")
    assert [run.ended for run in result.runs] == ["raised ValueError: again", "finished"]


def test_the_two_questions_exclude_each_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("")
    for other in (["--resume"], ["--scale"], ["--save", "model"]):
        assert main(["doctor", "--twice", *other, "train.py"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert other[0] in line


@pytest.mark.check
@pytest.mark.parametrize("name", LEFT)
def test_what_a_script_leaves_over_is_found(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    result = check_twice(SCRIPTS / f"{name}.py")
    assert result.conclusion == ("left over" if LEFT[name] else "same"), result.finding
    assert [leftover.kind for leftover in result.leftovers] == LEFT[name]
    assert Result.from_json(result.to_json()) == result
    assert screen(result)
