"""``fpdrift class``: which records of a folder have equal bits, and where the others diverged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.anonymous import anonymous, by_content
from fpdrift.cli.output import add_output, add_trust, check_output, deliver
from fpdrift.drift import compare_many
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    import argparse

    from fpdrift.drift import ManyRuns


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "class",
        help="compare all records of a folder, such as a class's",
        description="Group the records of a folder by equal bits, in the tensors that all have. "
        "What cannot be read, or is of another model than most, is left out and named.",
        allow_abbrev=False,
    )
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument(
        "--anonymous",
        action="store_true",
        help="number the records, in no order of their names, and tell no fact of a person's own",
    )
    add_trust(command)
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
    compared = _nameless if arguments.anonymous else compare_many
    return deliver(compared(paths, trust=arguments.trust), arguments)


def _nameless(paths: list[Path], *, trust: bool) -> ManyRuns:
    in_order = sorted(paths, key=lambda path: by_content(path, trust=trust))
    try:
        return anonymous(compare_many(in_order, trust=trust))
    except FpdriftError:  # it names a file
        message = "no record to compare; leave --anonymous out to see what is wrong with which"
        raise FpdriftError(message) from None
