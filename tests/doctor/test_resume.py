"""Whether a training resumes: on made-up runs, and on scripts that each lose one state."""

import os
from pathlib import Path

import pytest

from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.doctor import ResumeCheck, check_resume
from fpdrift.doctor._resume import _Check
from fpdrift.doctor._resume_state import digests
from fpdrift.doctor._run import Trace
from fpdrift.errors import FpdriftError
from fpdrift.serialization import Result

SCRIPTS = Path(__file__).with_name("resume")
#: Script -> what is saved, and the kinds of state that are lost.
LOST = {
    "iterations": ("weights", ["iterations"]),
    "dropout": ("model", ["seed generators"]),
    "own_callback": ("model", ["callback state"]),
    "ema": ("model", ["weights"]),
    "python_random": ("model", ["Python's generator"]),
    "schedule": ("model", []),
}


class Patient:
    """Made-up runs of a script's training.

    Parameters
    ----------
    middle, resumed : dict
        State of the first run at the middle, and of the resumed one where it begins.
    needed : str, optional
        Kind of state without which the end differs; "data" for one that cannot be restored.
    **full
        Changes of the first run.
    """

    def __init__(self, middle, resumed, needed=None, **full):
        self.middle, self.resumed, self.needed, self.full = middle, resumed, needed, full
        self.traces, self.restored = [], []

    def phases(self, tasks, _what):
        found = [self.trace(task["resume"]) for task in tasks]
        self.traces += found
        return found

    def trace(self, task):
        phase = task["phase"]
        known = {"epochs": 4, "cut": 2, "data": "arrays", "place": ["train.py", 7]}
        known["middle"] = self.resumed if phase == "second" else self.middle
        if phase == "second":
            self.restored.append(task["restore"])
        whole = self.needed is None or self.needed in task["restore"]
        same = phase == "full" or (phase == "second" and whole)
        given = {
            "number": len(self.traces) + 1,
            "interventions": (),
            "folder": Path("run"),
            "seconds": 1.0,
            "ended": "finished",
            "line": 0,
            "digest": "same" if same else "other",
            "steps": 8,
            "draws": [],
            "keras": True,
            "resume": known,
        }
        return Trace(**(given | (self.full if phase == "full" else {})))


@pytest.fixture
def checked(tmp_path):
    def check(patient):
        check = _Check(patient, tmp_path, "model")
        return check.result("train.py", (), check.run())

    return check


def text(result):
    """The screen in one line."""
    return " ".join(" ".join(screen(result)).split())


STATE = {"weights": {"0 kernel": "a"}, "optimizer slots": {"2 m": "b", "3 v": "c"}}


def test_equal_ends_resume(checked):
    result = checked(Patient(STATE, STATE))
    assert (result.conclusion, result.lost, len(result.runs)) == ("resumes", (), 3)
    assert result.finding == (
        "The training of train.py resumes: saved after 2 of 4 epochs and loaded in a new process, "
        "it ends with the same bits."
    )


def test_lost_state_is_named_and_proven(checked):
    patient = Patient(STATE, STATE | {"optimizer slots": {"2 m": "0"}}, "optimizer slots")
    result = checked(patient)
    (lost,) = result.lost
    assert (lost.kind, lost.parts, lost.proven) == ("optimizer slots", ("m", "v"), True)
    assert patient.restored == [[], ["optimizer slots"]]
    assert "ends with different bits. Lost: optimizer slots." in result.finding
    assert "restored from the first run" in text(result)


def test_what_no_state_explains_is_the_position_in_the_data(checked):
    result = checked(Patient(STATE, STATE, "data"))
    (lost,) = result.lost
    assert (lost.kind, lost.parts, lost.proven) == ("position in the data", ("arrays",), False)
    assert len(result.runs) == 3  # there is nothing to restore


def test_state_whose_restoring_does_not_help_is_not_called_proven(checked):
    other = STATE | {"optimizer slots": {"2 m": "0"}}
    result = checked(Patient(STATE, other, "data"))
    assert [(lost.kind, lost.proven) for lost in result.lost] == [
        ("optimizer slots", False),
        ("position in the data", False),
    ]
    assert "proof" not in text(result)


def test_state_that_has_no_effect_is_reported_as_such(checked):
    state = {"Python's generator": {"random": "a"}}
    result = checked(Patient(state, {"Python's generator": {"random": "b"}}))
    assert (result.conclusion, result.without_effect) == ("resumes", ("Python's generator",))


def test_a_script_whose_runs_differ_anyway_is_not_resumed(checked):
    other = {"epochs": 4, "cut": 2, "middle": {"weights": {"0 kernel": "z"}}}
    result = checked(Patient(STATE, STATE, resume=other))
    assert (result.conclusion, len(result.runs)) == ("does not repeat", 2)


@pytest.mark.parametrize(
    ("full", "conclusion", "sentence"),
    [
        ({"resume": {}}, "no training", "two epochs or more"),
        ({"ended": "raised ValueError: no", "line": 3}, "failed", "ValueError: no in line 3."),
        ({"resume": {"epochs": 4, "cut": 2}}, "failed", "ended before the middle of its epochs"),
    ],
)
def test_a_script_without_a_middle_gets_a_sentence(checked, full, conclusion, sentence):
    result = checked(Patient(STATE, STATE, **full))
    assert result.conclusion == conclusion
    assert sentence in result.finding
    assert Result.from_json(result.to_json()) == result
    assert screen(result)


def test_state_that_is_no_data_has_no_digest():
    state = {"callback state": {"best": 0.5, "waits": [1, 2], "lambda": object()}}
    found = digests(state)["callback state"]
    assert sorted(found) == ["best", "waits"]
    assert found == digests({"callback state": {"best": 0.5, "waits": [1, 2]}})["callback state"]
    assert found["best"] != digests({"callback state": {"best": 0.6}})["callback state"]["best"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--save", "model", "train.py"], "--save model needs --resume"),
        (["--resume", "--steps", "2", "train.py"], "--steps does not go with --resume"),
        (["--resume", "nowhere.py"], "there is no file 'nowhere.py'"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, capsys, argv, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("")
    assert main(["doctor", *argv]) == 2
    assert message in capsys.readouterr().err


def test_save_is_one_of_two(tmp_path):
    (tmp_path / "train.py").write_text("")
    with pytest.raises(FpdriftError, match="save must be 'model' or 'weights', not 'all'"):
        check_resume(tmp_path / "train.py", save="all")


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_a_script_without_keras_has_no_training(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("print(1)")
    assert main(["doctor", "--resume", "train.py"]) == 2
    out, err = capsys.readouterr()
    assert "no training to cut in two" in " ".join(out.split())
    assert err == "fpdrift doctor: all of the training, and its first half (2 runs)\n"


def test_every_script_is_checked():
    assert {path.stem for path in SCRIPTS.glob("*.py")} == set(LOST)


@pytest.mark.check
@pytest.mark.parametrize("name", LOST)
def test_the_state_that_a_script_loses_is_found(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    save, lost = LOST[name]
    result = check_resume(SCRIPTS / f"{name}.py", save=save)
    assert result.conclusion == ("state lost" if lost else "resumes"), result.finding
    assert [state.kind for state in result.lost] == lost
    assert isinstance(result, ResumeCheck)
