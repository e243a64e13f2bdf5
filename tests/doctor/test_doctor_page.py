"""docs/doctor.md: its commands and options exist, and its example is what the doctor reports."""

import re
import shlex
from pathlib import Path

import pytest
from helpers import require

from fpdrift.cli.main import parser
from fpdrift.cli.screens import screen
from fpdrift.doctor import CHANGES

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
TEXT = PAGE.read_text(encoding="utf-8")
SCRIPT, PROGRAM = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
#: What is new in every diagnosis: times, distances and digests.
_NEW = re.compile(r"\b\d+\.\d+(?:e[+-]\d+)?\b|\b[0-9a-f]{6}\b")
#: The two remedies on the page.
MENDED = SCRIPT.replace("np.random.seed", "keras.utils.set_random_seed").replace(
    "enumerate(words)", "enumerate(sorted(words))"
)


def known(lines):
    """Return lines without what is new in every diagnosis, and without their layout."""
    return [" ".join(_NEW.sub("#", line).split()) for line in lines]


def test_its_commands_are_commands():
    commands = re.findall(
        r"^(?:\$ )?fpdrift (.*)$|`fpdrift (doctor \S+\.ipynb)`", TEXT, re.MULTILINE
    )
    assert len(commands) >= 4
    for command in commands:
        assert parser().parse_args(shlex.split("".join(command))).command == "doctor"


def test_its_options_are_those_of_the_command():
    rows = re.findall(r"^\| `(--\w+)[^`]*` \|", TEXT, re.MULTILINE)
    found = parser().parse_args(["doctor", "train.py"])
    assert {f"--{name}" for name in vars(found)} >= set(rows)
    assert len(rows) == 9


def test_its_interventions_are_those_of_the_doctor():
    rows = TEXT.split("| intervention |")[1].split("\n\n")[0]
    cells = set(re.findall(r"^\| ([^|-][^|]*) \|", rows, re.MULTILINE))
    assert cells == set(CHANGES.values())


@pytest.mark.check
@pytest.mark.slow
def test_its_script_is_diagnosed_as_the_page_shows(tmp_path, monkeypatch, capsys):
    """Ten runs of the script."""
    require("tensorflow")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)
    names = {}
    exec(PROGRAM, names)  # as a reader runs it
    printed = capsys.readouterr().out
    assert names["found"].finding in printed
    assert all(cause.proof in printed for cause in names["found"].causes)
    shown = re.search(r"^\$ fpdrift doctor train.py\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)[1]
    reported = known(screen(names["found"]))
    missing = [line for line in known(shown.splitlines()) if line not in (*reported, "...")]
    assert missing == []
    (tmp_path / "train.py").write_text(MENDED)
    exec(PROGRAM, names)
    assert f"\n  {names['found'].finding}\n" in TEXT
