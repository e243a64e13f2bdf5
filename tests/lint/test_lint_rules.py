"""Every rule on the script that breaks it and on the mended one."""

import ast
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import missing, require

from fpdrift.lint import RULES, fix, lint

SCRIPTS = Path(__file__).parent / "scripts"
ROOT = Path(__file__).parents[2]
#: Rules whose bad script is not shown to fail, and why.
NOT_SHOWN = {
    "FPD310": "on a GPU alone: on a CPU TensorFlow runs the operation, and it is deterministic"
}


@pytest.mark.parametrize("code", RULES)
def test_the_linter_finds_the_code_in_bad_and_nothing_in_good(code):
    bad, good = (lint([SCRIPTS / f"{code}_{kind}.py"]) for kind in ("bad", "good"))
    assert [finding.code for finding in bad.findings] == [code]
    assert good.findings == bad.errors == good.errors == ()


@pytest.mark.parametrize("code", [code for code, rule in RULES.items() if rule.fixable])
def test_a_fixed_script_is_clean(code, tmp_path):
    require("libcst")
    script = Path(shutil.copy(SCRIPTS / f"{code}_bad.py", tmp_path))
    before = script.read_text()
    assert fix(lint([script]).findings) == 1
    after = script.read_text()
    assert lint([script]).findings == ()
    ast.parse(after)
    lost = set(before.splitlines()) - set(after.splitlines())
    assert len(lost) <= 1


def test_every_script_belongs_to_a_rule():
    names = {f"{code}_{kind}.py" for code in RULES for kind in ("bad", "good")}
    assert {path.name for path in SCRIPTS.iterdir()} == names
    assert set(NOT_SHOWN) <= set(RULES)


@pytest.mark.parametrize("code", RULES)
def test_a_rule_says_what_it_has_to(code):
    rule = RULES[code]
    assert rule.message.count("{found}") == 1
    assert rule.reason.endswith(".")
    assert rule.remedy.endswith((".", ")"))
    assert (ROOT / "lessons" / rule.lesson).is_file()


def run(script, folder):
    """Run a script in a fresh process; return its exit code and what it printed."""
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONHASHSEED", "PYTHONPATH"}}
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    done = subprocess.run(
        [sys.executable, script], cwd=folder, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr[-500:]


#: Rules whose scripts are run: all with ``make faults``, a sample with ``make check``.
RUN = RULES if "FPDRIFT_WHOLE" in os.environ else sorted(random.Random(4).sample(sorted(RULES), 12))


@pytest.mark.check
@pytest.mark.slow
@pytest.mark.parametrize("code", RUN)
def test_the_bad_script_does_not_repeat_and_the_good_one_does(code, tmp_path):
    for module in ("tensorflow", "sklearn", "pandas"):
        require(module)
    if code in NOT_SHOWN:
        pytest.skip(NOT_SHOWN[code])
    good = [run(SCRIPTS / f"{code}_good.py", tmp_path) for _ in range(2)]
    assert good[0][0] == good[1][0] == 0, good
    assert good[0][1] == good[1][1] != ""
    if (os.cpu_count() or 1) == 1 and RULES[code].lesson.startswith("04"):
        missing("one core: threads arrive in one order")
    first = run(SCRIPTS / f"{code}_bad.py", tmp_path)
    if first[0] == 0:  # a race may end alike several times
        others = (run(SCRIPTS / f"{code}_bad.py", tmp_path) for _ in range(5))
        assert any(other[1] != first[1] for other in others), first[2]
