"""Every code block of the pages runs as it stands, from top to bottom, in one folder."""

import ast
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from helpers import require

import fpdrift
from fpdrift.cli.main import parser

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
#: What each page needs that not everybody has.
NEEDS = {
    "your-model.md": ("tensorflow", "tensorboard"),
    "class.md": ("tensorflow", "sklearn"),
    "cluster.md": ("tensorflow", "distributed"),
}
#: Pages whose code has a test of its own, and where that is.
ELSEWHERE = {
    "doctor.md": "tests/doctor/test_doctor_page.py",  # runs the doctor on its script
    "ensembles.md": "tests/cli/test_train_and_ensemble.py",  # made records for its training
    "lint.md": "tests/lint/test_page.py",  # its script and what the command prints
    "record-format.md": "tests/records/test_format_page.py",  # reads a record by it
}


def blocks(text):
    """Give kind and text of each fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run(kind, text, folder):
    """Do what a block says; a block that begins with a file's name is kept as that file."""
    name = re.match(r"# (\S+\.\w+)\n", text)
    place = folder / (name[1] if name else "block.py")
    if kind in ("python", "toml"):
        place.write_text(text)
    if kind == "python":
        commands = [[sys.executable, place.name]]
    else:
        lines = re.findall(r"^\$ fpdrift (.*)$", text, re.MULTILINE)
        assert kind == "toml" or len(lines) == len(text.splitlines())
        commands = [[sys.executable, "-m", "fpdrift", *shlex.split(line)] for line in lines]
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.check
@pytest.mark.slow
@pytest.mark.parametrize("page", NEEDS)
def test_the_code_of_a_page_runs(page, tmp_path):
    for module in NEEDS[page]:
        require(module)
    found = blocks((DOCS / page).read_text())
    assert len(found) >= 3
    for kind, text in found:
        run(kind, text, tmp_path)


@pytest.mark.parametrize("page", NEEDS)
def test_the_code_of_a_page_names_what_there_is(page):
    """Commands that are commands, and names that fpdrift has."""
    for kind, text in blocks((DOCS / page).read_text()):
        for line in re.findall(r"^\$ fpdrift (.*)$", text, re.MULTILINE):
            parser().parse_args(shlex.split(line))
        for node in ast.walk(ast.parse(text if kind == "python" else "")):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("fpdrift"):
                module = import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names)
            elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "fpdrift":
                assert hasattr(fpdrift, node.attr)


def test_every_page_with_code_is_run():
    with_code = {p.name for p in PAGES if blocks(p.read_text())}
    assert with_code == set(NEEDS) | set(ELSEWHERE)
    for page, test in ELSEWHERE.items():
        assert page in (ROOT / test).read_text(encoding="utf-8")


def test_the_readme_leads_to_every_page():
    text = (ROOT / "README.md").read_text()
    assert all(f"docs/{page.name}" in text for page in PAGES)
