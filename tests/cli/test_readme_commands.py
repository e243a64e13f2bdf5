"""The README's commands are commands, and what it shows of them is what they print."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fpdrift.cli.main import main, parser
from fpdrift.reduction import plans, reveal

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = re.search(
    r"## See the order in which a function adds\n(.*?)\n## ", README, re.DOTALL
).group(1)


def test_every_command_is_understood():
    lines = re.findall(r"^fpdrift (.*?)(?:\s+#.*)?$", SECTION, re.MULTILINE)
    assert len(lines) > 10
    verbs = {parser().parse_args(shlex.split(line)).command for line in lines}
    assert verbs == {"reveal", "sums", "threads", "batch", "gpu", "record-gpu"}


def test_the_tree_is_what_the_command_prints(capsys):
    if reveal(np.sum, 16).plan != plans.strided(16, 8):
        pytest.skip("NumPy adds in another order on this processor")
    shown = re.search(r"\$ fpdrift (.*?)\n(.*?)\n```", SECTION, re.DOTALL)
    assert main(shlex.split(shown.group(1))) == 0
    printed = capsys.readouterr().out.splitlines()
    rows = [line for line in shown.group(2).splitlines() if re.match(r" +\d+ -", line)]
    assert rows == [line for line in printed if re.match(r" +\d+ -", line)]
    assert len(rows) == 16
    assert shown.group(2).splitlines()[0] == printed[0]


def test_the_example_runs(tmp_path):
    code = re.search(r"```python\n(.*?)```", SECTION, re.DOTALL).group(1)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    # NumPy's tree is its own affair on another processor; that it replays to its bits is ours.
    assert lines[0].startswith("confirmed ")
    assert lines[2] == "True"
