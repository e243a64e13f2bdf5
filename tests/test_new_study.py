"""A study made as CONTRIBUTING.md shows, in a copy of the package, is printed, drawn and shown."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What the new file imports, as its neighbours do.
HEAD = """from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.experiments._experiment import as_study
from fpdrift.serialization import Result

if TYPE_CHECKING:
    from fpdrift.experiments._runs import Settings

"""
#: What knows the study by its result alone, which a process reads that has imported nothing else.
LOOK = """
import sys
from pathlib import Path
from fpdrift.serialization import Result
result = Result.from_json(Path("out/third.json").read_bytes())
from fpdrift.plotting import plot
print(plot(result).get_title("left"))
from fpdrift.slides import chosen, own_results
print(own_results(chosen(), Path("out")))
"""


def steps():
    """The files that the page names, each with what it adds."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.split("## A new study\n")[1].split("\n## ")[0]
    return dict(re.findall(r"```python\n# (\S+):.*?\n(.*?)```", section, flags=re.DOTALL))


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A folder with a package that has the study."""
    folder = tmp_path_factory.mktemp("copy")
    (folder / "out").mkdir()
    left_out = shutil.ignore_patterns("__pycache__", "notebooks")
    shutil.copytree(ROOT / "fpdrift", folder / "fpdrift", ignore=left_out)
    for name, added in steps().items():
        path = folder / name
        if not path.exists():
            text = HEAD + added
        elif name.endswith("_cards.py"):
            inside, end, after = path.read_text(encoding="utf-8").partition("\n)\n\n\n__all__")
            assert end
            text = f"{inside}\n{added}{end[1:]}{after}"
        else:
            text = path.read_text(encoding="utf-8") + "\n\n" + added
        path.write_text(text, encoding="utf-8")
    return folder


def run(folder, *command):
    env = {**os.environ, "PYTHONPATH": str(folder), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_names_four_files():
    assert len(steps()) == 4
    assert len([name for name in steps() if not (ROOT / name).exists()]) == 1


def test_the_study_has_its_screen_picture_and_card(copied):
    printed = run(copied, "-m", "fpdrift", "experiment", "third", "--json", "out/third.json")
    assert f"  A third is {1 / 3}." in printed.splitlines()
    saved = json.loads((copied / "out" / "third.json").read_text(encoding="utf-8"))
    assert saved["result"] == {"$result": "Third", "value": 1 / 3}
    title, cards = run(copied, "-c", LOOK).splitlines()
    assert title == f"A third is {1 / 3}"
    assert cards == f"({{'third': Third(value={1 / 3})}}, {{}})"
