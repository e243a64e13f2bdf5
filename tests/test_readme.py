"""The README keeps its word: its picture is there, its names exist, its example runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import require

import fpdrift
from fpdrift.cli.screens import screen
from fpdrift.experiments import EXPERIMENTS, LIGHT, STUDIES
from fpdrift.serialization import Result

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_nothing_is_left_to_fill_in():
    assert "@@" not in README
    for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", README):
        assert (ROOT / picture).stat().st_size > 10_000


def test_every_public_name_is_in_the_table():
    table = README[README.index("## All public names") :]
    for name in set(fpdrift.__all__) - {"__version__"}:
        assert f"`{name}" in table or f" `{name}" in table, name


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


def test_the_source_is_explained_before_it_is_spoken_of():
    for text in (README, (ROOT / "figures" / "README.md").read_text()):
        explained, rest = text.split("called *the source* here", 1)
        assert "he source's" not in explained
        assert re.search(r"the\s+(source|forum)", rest)


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
    printed = re.search(r"This printed:\n\n```\n(.*?)\n```", README, re.DOTALL).group(1)
    # The same thread count gives the same bits anywhere; what XLA does is the machine's affair.
    assert first == printed.splitlines()[0] == "Comparison(no difference in 252 steps)"
    assert second.startswith("Comparison(")
