"""``fpdrift lessons list|open NN|copy DIR|check``."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fpdrift
from fpdrift.cli.screens.screen import wrapped
from fpdrift.errors import FpdriftError, MissingExtraError
from fpdrift.lessons import copy_lesson, copy_lessons, find_lesson, lessons
from fpdrift.lessons.runtime import USES, environment
from fpdrift.text import plural

if TYPE_CHECKING:
    import argparse

#: Where `open` puts a student's own copy.
FOLDER = Path("fpdrift-lessons")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "lessons", help="list, open or copy the lesson notebooks; check this machine for them"
    )
    verbs = command.add_subparsers(dest="verb", metavar="list|open|copy|check", required=True)
    verbs.add_parser("list", help="show all lessons").set_defaults(run=_list)
    opener = verbs.add_parser(
        "open",
        help="open your own copy of a lesson in JupyterLab",
        description=f"Copy lesson NN into {FOLDER}/ in the current folder, unless it is there, "
        "and open it in JupyterLab.",
    )
    opener.add_argument("number", metavar="NN")
    opener.set_defaults(run=_open)
    copier = verbs.add_parser(
        "copy", help="copy all lessons, solutions and the teacher's guide into a folder"
    )
    copier.add_argument("directory", metavar="DIR", type=Path)
    copier.set_defaults(run=_copy)
    checker = verbs.add_parser("check", help="say what this machine has, and what is left out")
    checker.set_defaults(run=_check)


def _list(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command is called alike
    for lesson in lessons():
        print(f"{lesson.number}  {lesson.title}")
    return 0


def _open(arguments: argparse.Namespace) -> int:
    lesson = find_lesson(arguments.number)
    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingExtraError("jupyterlab")
    copy = copy_lesson(lesson, FOLDER)
    print(f"Your copy: {copy}", flush=True)
    # No path of ours is executed: this interpreter starts its own JupyterLab on that file.
    command = [sys.executable, "-m", "jupyterlab", str(copy)]
    if subprocess.run(command, check=False).returncode:  # noqa: S603
        message = f"JupyterLab did not start; open {copy} with the notebook program you have"
        raise FpdriftError(message)
    return 0


def _copy(arguments: argparse.Namespace) -> int:
    for path in copy_lessons(arguments.directory):
        print(path)
    return 0


def _check(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command is called alike
    found = environment()
    where = f"{plural(found.cores, 'core')}, {found.system}"
    print(f"fpdrift {fpdrift.__version__}, Python {found.python}, {where}")
    for name, use in USES.items():
        print(f"  {name:12} {found.versions[name] or 'not installed':15} for {use}")
    for said in found.left_out:
        print("\n".join(wrapped(said, mark="- ")))
    if not found.left_out:
        print("  Nothing is left out: all lessons run.")
    # Whether there is a GPU is known only to libraries that take long to load.
    gpu = "A GPU is looked for when lesson 06 runs; without one its live part is left out."
    print("\n".join(wrapped(gpu, mark="- ")))
    return 0
