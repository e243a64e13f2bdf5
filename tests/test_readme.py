"""The README keeps its word: its picture is there, its names exist, its example runs."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from helpers import require

import fpdrift
from fpdrift.cli.screens import screen
from fpdrift.experiments import EXPERIMENTS, LIGHT, STUDIES
from fpdrift.serialization import Result

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
#: Public beside the table and the rooms: what the annotations need, and names of before.
OTHERS = {"TYPE_CHECKING", "annotations", "demo", "drift", "results"}


def test_nothing_is_left_to_fill_in():
    assert "@@" not in README
    for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", README):
        assert (ROOT / picture).stat().st_size > 10_000


def names_in_the_table():
    """Every name of ours in the first column, without what it is called with."""
    table = README.split("## All public names")[1].split("\n\n")[1]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    return {
        name for cell in cells for name in re.findall(r"`((?:fpdrift\.)?[A-Za-z_.]+)[(`]", cell)
    }


def test_the_public_names_are_those_in_the_table_and_the_rooms():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    house = page.split("| package or module | contents |")[1].split("\n\n")[0]
    rooms = {
        name
        for line in house.splitlines()[2:]
        for name in re.findall(r"`(\w+)(?:/|\.py)`", line.split("|")[1])
    }
    named = {name for name in names_in_the_table() if "." not in name}
    inside = {"explain_kept", "diagnose_step"}  # follow the room of the name before them
    assert inside <= named
    assert named - inside == set(fpdrift.__all__) - {"__version__"}
    code = "import fpdrift; print(*[name for name in dir(fpdrift) if name[0] != '_'])"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(fresh.stdout.split()) == (named - inside) | rooms | OTHERS


def test_dotted_names_of_the_table_are_public_in_their_rooms():
    dotted = [name.rpartition(".") for name in names_in_the_table() if "." in name]
    assert len(dotted) >= 5
    for room, _, name in dotted:
        assert name in import_module(room).__all__, (room, name)


def test_the_recorded_table_is_the_recording():
    table = "\n".join(screen(fpdrift.load_recorded("five-runs")))
    assert f"```\n{table}\n```" in README


def test_the_demo_s_screens_are_those_of_its_results():
    for step in EXPERIMENTS:
        saved = (ROOT / "figures" / "demo" / f"{step.name}.json").read_text()
        assert "\n".join(screen(Result.from_json(saved))) in README, step.name


def test_no_page_installs_from_an_index_what_none_has():
    pages = (*ROOT.glob("docs/*.md"), *ROOT.glob("lessons/src/*.py"), ROOT / "lessons/TEACHING.md")
    assert len(pages) > 15
    assert [p.name for p in pages if 'pip install "fpdrift' in p.read_text()] == []


def test_the_forum_question_is_introduced_before_it_is_mentioned():
    for text in (README, (ROOT / "figures" / "README.md").read_text()):
        introduced, rest = text.split("*the forum question*", 1)
        assert "forum question" not in introduced
        assert "forum question" in rest


def test_every_study_is_in_the_table():
    for study in (*STUDIES, *LIGHT, *EXPERIMENTS):
        assert f"| `{study.name}` | " in README


def test_the_two_commands_are_goals_of_make():
    makefile = (ROOT / "Makefile").read_text()
    for goal in ("demo", "test"):
        assert f"make {goal} " in README
        assert re.search(rf"^{goal}:", makefile, re.MULTILINE)


@pytest.mark.slow
def test_the_example_runs_and_prints_what_it_says(tmp_path):
    require("tensorflow")
    code = re.search(r"```python\n(import keras.*?)```", README, re.DOTALL).group(1)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    first, second = done.stdout.strip().splitlines()
    printed = re.search(r"Output:\n\n```\n(.*?)\n```", README, re.DOTALL).group(1)
    # The same thread count gives the same bits anywhere; what XLA does is the machine's affair.
    assert first == printed.splitlines()[0] == "Comparison(no difference in 252 steps)"
    assert second.startswith("Comparison(")
