"""``fpdrift class``: all records of a folder, which of them have equal bits, and who left whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.output import add_output, check_output, deliver
from fpdrift.drift import compare_many
from fpdrift.drift.many import OTHER_MODEL
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    import argparse

    from fpdrift.drift import ManyRuns


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "class",
        help="compare all records of a folder, such as a class's",
        description="Group the records of a folder by equal bits. What cannot be read, or is of "
        "another model than most, is left out and named.",
        allow_abbrev=False,
    )
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument(
        "--anonymous", action="store_true", help="number the records instead of naming them"
    )
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare; return the exit code."""
    check_output(arguments)
    try:
        paths = sorted(arguments.folder.glob("*.fpdrift"))
        there = arguments.folder.is_dir()
    except OSError:
        there, paths = False, []
    if not paths:
        why = "holds no *.fpdrift" if there else "is no folder that can be read"
        message = f"{arguments.folder} {why}; give the folder with the records"
        raise FpdriftError(message)
    result = compare_many(paths)
    return deliver(_anonymous(result) if arguments.anonymous else result, arguments)


def _anonymous(result: ManyRuns) -> ManyRuns:
    """Take the names of files away; what is wrong with one is told without its name."""
    names = tuple(f"run {number}" for number in range(1, len(result.names) + 1))
    left_out = {
        f"file {number}": "of another model than most" if OTHER_MODEL in why else "no whole record"
        for number, why in enumerate(result.left_out.values(), 1)
    }
    return replace(result, names=names, left_out=left_out)
