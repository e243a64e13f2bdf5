"""What make says on a machine whose Python is too old, before anything is made."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

needs_make = pytest.mark.skipif(
    shutil.which("make") is None or sys.platform == "win32", reason="no make on this system"
)


def other_python(tmp_path, version):
    """A python3 that believes to be of another version."""
    script = tmp_path / "python3"
    script.write_text(
        f"#!/bin/sh\nexec '{sys.executable}' -c 'import runpy, sys; "
        f'sys.version_info = {version}; runpy.run_path(sys.argv[1])\' "$@"\n'
    )
    script.chmod(0o755)
    return script


def make(tmp_path, *argv):
    for name in ("Makefile", ".ci/check_python.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    # The suite itself may run under make, which would speak through these.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *argv], cwd=tmp_path, env=env, capture_output=True, text=True)


@needs_make
@pytest.mark.parametrize(("version", "word"), [((3, 10, 1), "3.10"), ((3, 14, 0), "3.14")])
@pytest.mark.parametrize("goal", ["demo", "test"])
def test_another_python_is_refused_in_one_line(tmp_path, version, word, goal):
    done = make(tmp_path, f"PYTHON={other_python(tmp_path, version)}", goal)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert word in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()


@needs_make
def test_no_python_at_all(tmp_path):
    done = make(tmp_path, "PYTHON=no-such-python", "demo")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "no-such-python" in done.stderr


@needs_make
def test_help_names_the_commands(tmp_path):
    done = make(tmp_path, f"PYTHON={sys.executable}", "help")
    assert done.returncode == 0
    goals = [line.split()[1] for line in done.stdout.splitlines()]
    assert goals == ["demo", "test", "check", "lessons-full"]
