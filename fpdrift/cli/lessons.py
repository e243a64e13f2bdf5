"""``fpdrift lessons list|open NN|copy DIR|check``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fpdrift
from fpdrift.errors import FpdriftError, MissingExtraError

if TYPE_CHECKING:
    import argparse

#: Folder for the student's own copies that `open` makes.
FOLDER = Path("fpdrift-lessons")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "lessons",
        help="list, open or copy the lesson notebooks; check what this machine supports",
        description="List, open or copy the lesson notebooks, or check what this machine supports.",
        examples=("fpdrift lessons list", "fpdrift lessons open 01"),
    )
    verbs = command.add_subparsers(dest="verb", metavar="COMMAND", title="commands")
    verbs.add_parser(
        "list",
        help="list all lessons",
        description="List the number and title of each lesson.",
        examples=("fpdrift lessons list", "fpdrift lessons list > lessons.txt"),
    ).set_defaults(run=_list)
    opener = verbs.add_parser(
        "open",
        help="open your own copy of a lesson in JupyterLab",
        description="Open your own copy of a lesson in JupyterLab.",
        epilog=f"The copy is in {FOLDER}/ in the current folder; an existing one is kept.",
        examples=("fpdrift lessons open 01", "fpdrift lessons open 08"),
    )
    opener.add_argument("number", metavar="NN", help="the lesson's number, such as 01")
    opener.set_defaults(run=_open)
    copier = verbs.add_parser(
        "copy",
        help="copy all lessons, solutions and the teacher's guide",
        description="Copy all lessons, solutions and the teacher's guide into a folder.",
        examples=("fpdrift lessons copy course", "fpdrift lessons copy ."),
    )
    copier.add_argument("directory", metavar="DIR", type=Path, help="made if it does not exist")
    copier.set_defaults(run=_copy)
    checker = verbs.add_parser(
        "check",
        help="show what this machine has, and what is left out",
        description="Show which libraries this machine has, and what the lessons leave out.",
        examples=("fpdrift lessons check", "fpdrift lessons check > machine.txt"),
    )
    checker.set_defaults(run=_check)


def _list(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command is called in the same way
    from fpdrift.lessons import lessons

    for lesson in lessons():
        print(f"{lesson.number}  {lesson.title}")
    return 0


def _open(arguments: argparse.Namespace) -> int:
    import subprocess

    from fpdrift.lessons import copy_lesson, find_lesson

    lesson = find_lesson(arguments.number)
    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingExtraError("jupyterlab")
    copy = copy_lesson(lesson, FOLDER)
    print(f"Your copy: {copy}", flush=True)
    # No path of ours is executed: this interpreter starts its own JupyterLab on that file.
    command = [sys.executable, "-m", "jupyterlab", str(copy)]
    if subprocess.run(command, check=False).returncode:  # noqa: S603
        message = f"JupyterLab did not start; open {copy} in another notebook program"
        raise FpdriftError(message)
    return 0


def _copy(arguments: argparse.Namespace) -> int:
    from fpdrift.lessons import copy_lessons

    for path in copy_lessons(arguments.directory):
        print(path)
    return 0


def _check(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command is called in the same way
    from fpdrift.cli.screens.screen import wrapped
    from fpdrift.lessons.runtime import USES, environment
    from fpdrift.text import plural

    found = environment()
    where = f"{plural(found.cores, 'core')}, {found.system}"
    print(f"fpdrift {fpdrift.__version__}, Python {found.python}, {where}")
    for name, use in USES.items():
        print(f"  {name:12} {found.versions[name] or 'not installed':15} for {use}")
    for said in found.left_out:
        print("\n".join(wrapped(said, mark="- ")))
    if not found.left_out:
        print("  Nothing is left out: all lessons run.")
    # Only libraries that take long to load can find a GPU.
    gpu = "Lesson 06 looks for a GPU when it runs; without one its live part is left out."
    print("\n".join(wrapped(gpu, mark="- ")))
    return 0
