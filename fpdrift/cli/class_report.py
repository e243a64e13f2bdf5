"""``fpdrift class``: which records of a folder have equal bits, and where the others diverged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, add_trust, check_output, deliver
from fpdrift.cli.progress import waiting
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    import argparse

    from fpdrift.comparison import ManyRuns


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "class",
        help="compare all records in a folder, such as those of a class",
        description="Group the records in a folder by equal bits, over the tensors that all\n"
        "contain.",
        epilog="A file that cannot be read, or has a different model than most, is left out\n"
        "and named.",
        examples=("fpdrift class records", "fpdrift class records --anonymous --plot class.png"),
    )
    command.add_argument("folder", type=Path, metavar="DIR", help="the folder with *.fpdrift")
    command.add_argument(
        "--anonymous",
        action="store_true",
        help="replace names by numbers, and hide facts that may name a person",
    )
    add_trust(command)
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare; return the exit code."""
    from fpdrift.comparison import compare_many

    check_output(arguments)
    try:
        paths = sorted(arguments.folder.glob("*.fpdrift"))
        exists = arguments.folder.is_dir()
    except OSError:
        exists, paths = False, []
    if not paths:
        why = "contains no *.fpdrift file" if exists else "is not a readable folder"
        message = f"{arguments.folder} {why}; name the folder with the records"
        raise FpdriftError(message)
    compared = _nameless if arguments.anonymous else compare_many
    with waiting("comparing"):
        result = compared(paths, trust=arguments.trust)
    return deliver(result, arguments)


def _nameless(paths: list[Path], *, trust: bool) -> ManyRuns:
    from fpdrift.cli.anonymous import anonymous, by_content
    from fpdrift.comparison import compare_many

    in_order = sorted(paths, key=lambda path: by_content(path, trust=trust))
    try:
        return anonymous(compare_many(in_order, trust=trust))
    except FpdriftError:  # it names a file
        message = "no record can be compared; run without --anonymous to see why"
        raise FpdriftError(message) from None
