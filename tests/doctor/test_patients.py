"""A sample of the scripts with planted causes; tests/faults/sweep_patients.py examines all."""

import importlib.util
import random
import shutil
from pathlib import Path

import pytest

from fpdrift.doctor import diagnose_script

FAULTS = Path(__file__).parents[1] / "faults" / "sweep_patients.py"
spec = importlib.util.spec_from_file_location("sweep_patients", FAULTS)
sweep = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sweep)

ALL = sorted(p for p in sweep.PATIENTS.rglob("*") if p.suffix in (".py", ".ipynb"))


def test_there_are_patients_of_each_kind():
    texts = [sweep.head(path) for path in ALL]
    assert len(ALL) >= 90
    assert all("# patient: " in text and "# expect: " in text for text in texts)
    assert sum("# expect: nothing" in text for text in texts) >= 20
    assert len({kind for path in ALL for kind, _, _ in sweep.expected(path)}) >= 12


def test_what_is_planted_is_in_the_line_that_the_head_names():
    for path in ALL:
        for _, file, lines in sweep.expected(path):
            text = sweep.head(path)
            if ":cell " not in file:
                assert max(lines, default=1) <= len(text.splitlines()), path.name


@pytest.mark.check
@pytest.mark.parametrize("path", random.Random(4).sample(ALL, 2), ids=lambda path: path.name)
def test_a_sample_is_diagnosed(path, tmp_path, monkeypatch):
    pytest.importorskip("tensorflow")
    shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    verdict, shown = sweep.judge(path, diagnose_script(path.name))
    assert verdict == "right", shown
