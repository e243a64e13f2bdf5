"""``fpdrift show``: what a record contains, where it comes from, and whether it is complete."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fpdrift.cli.options import add_json, add_trust, check_output, deliver
from fpdrift.comparison import summary
from fpdrift.records import opener


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "show",
        help="show what a record contains and where it comes from",
        description="Show what a record contains. The file need not be trusted: it is checked "
        "while it is read, and never modified.",
        allow_abbrev=False,
    )
    command.add_argument("file", type=Path, metavar="FILE")
    add_trust(command)
    add_json(command)
    command.set_defaults(run=run, plot=None)


def run(arguments: argparse.Namespace) -> int:
    """Show one record; return the exit code."""
    check_output(arguments)
    record = opener(trust=arguments.trust)(arguments.file)
    return deliver(summary(record, arguments.file.stat().st_size), arguments)
