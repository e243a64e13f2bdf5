"""The environment check: what a machine has, and what will be left out on it."""

import pytest

from fpdrift.cli.main import main
from fpdrift.lessons import runtime as room


@pytest.fixture
def machine(monkeypatch):
    """Choose what is installed and how many cores there are."""

    def make(cores, **versions):
        known = dict.fromkeys(room.USES, "1.0") | versions
        monkeypatch.setattr(room, "_version", known.get)
        monkeypatch.setattr(room, "available_cores", lambda: cores)
        monkeypatch.setattr(room, "can_train", lambda: known["tensorflow"] is not None)

    return make


def test_all_is_there(machine, capsys):
    machine(4)
    assert room.environment().left_out == ()
    assert main(["lessons", "check"]) == 0
    printed = capsys.readouterr().out
    assert "Nothing is left out" in printed
    assert "4 cores" in printed
    assert "when it runs; without one" in " ".join(printed.split())
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("jupyterlab", "JupyterLab is not installed"),
        ("ipywidgets", "lessons 00 and 01 show text"),
        ("tensorflow", "lesson 08 cannot run"),
    ],
)
def test_what_is_missing_is_said(machine, capsys, missing, said):
    machine(2, **{missing: None})
    (told,) = room.environment().left_out
    assert said in told
    assert main(["lessons", "check"]) == 0
    printed = capsys.readouterr().out
    assert "not installed" in printed
    assert "Nothing is left out" not in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_one_core_is_said(machine):
    machine(1)
    (told,) = room.environment().left_out
    assert "lesson 04" in told


def test_versions_are_those_installed():
    import numpy as np

    assert room.environment().versions["numpy"] == np.__version__
    assert room._version("no-such-library-anywhere") is None
