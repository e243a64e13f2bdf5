"""``fpdrift show``: what a record contains, where it comes from, and whether it is complete."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_json, add_trust, check_output, deliver

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "show",
        help="what a record contains, and its provenance",
        description="Show what a record contains, its provenance, and whether it is complete.",
        epilog="The file may come from anybody: it is checked first, and never written to.",
        examples=("fpdrift show a.fpdrift", "fpdrift show a.fpdrift --json a.json"),
    )
    command.add_argument("file", type=Path, metavar="FILE", help="the record")
    add_trust(command)
    add_json(command)
    command.set_defaults(run=run, plot=None)


def run(arguments: argparse.Namespace) -> int:
    """Show one record; return the exit code."""
    from fpdrift.comparison import summary
    from fpdrift.records import opener

    check_output(arguments)
    record = opener(trust=arguments.trust)(arguments.file)
    return deliver(summary(record, arguments.file.stat().st_size), arguments)
