"""``fpdrift lint``: what makes a training script irreproducible, without running it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from fpdrift.errors import FpdriftError, did_you_mean

if TYPE_CHECKING:
    import argparse

CLEAN, FOUND, NOT_PYTHON = 0, 1, 2
#: Names of the output formats; `fpdrift.lint.FORMATS` has a function for each.
_FORMATS = ("text", "json", "github", "sarif")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "lint",
        help="find what makes a training script irreproducible, without running it",
        description="Read scripts and notebooks, and report what will differ from run to run.",
        epilog="A comment '# noqa: FPD001' silences a line. Exit codes: 0 for no findings, 1 for\n"
        "findings, 2 for a file that is not Python.",
        examples=("fpdrift lint train.py", "fpdrift lint . --select FPD0,FPD2 --fix"),
    )
    command.add_argument("paths", metavar="PATH", nargs="*", help="a script, notebook or folder")
    for name, what in (("select", "apply only these rules"), ("ignore", "leave out these rules")):
        command.add_argument(
            f"--{name}",
            metavar="CODES",
            default="",
            help=f"{what}: codes or prefixes, separated by commas (FPD0,FPD203; default: none)",
        )
    command.add_argument(
        "--output-format", choices=_FORMATS, default="text", help="(default: text)"
    )
    command.add_argument("--fix", action="store_true", help="fix what can be fixed safely")
    command.add_argument(
        "--explain", metavar="CODE", help="why a rule exists and what to do (default: none)"
    )
    command.add_argument("--list-rules", action="store_true", help="list all rules")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Lint; return the exit code."""
    from fpdrift.lint import FORMATS, RULES, explain, fix, lint

    if arguments.list_rules:
        print("\n".join(f"{code} {rule.name}" for code, rule in RULES.items()))
        return CLEAN
    if arguments.explain:
        if arguments.explain not in RULES:
            raise FpdriftError(
                f"{arguments.explain!r} is not the code of a rule"
                f"{did_you_mean(arguments.explain, RULES)}; see fpdrift lint --list-rules"
            )
        print(explain(arguments.explain))
        return CLEAN
    if not arguments.paths:
        raise FpdriftError("fpdrift lint needs a script, a notebook or a folder")
    chosen = [list(filter(None, text.split(","))) for text in (arguments.select, arguments.ignore)]
    report = lint(arguments.paths, *chosen)
    if arguments.fix and (count := fix(report.findings)):
        print(f"Fixed {count}.", file=sys.stderr)
        report = lint(arguments.paths, *chosen)
    if text := FORMATS[arguments.output_format](report):
        print(text)
    for error in report.errors:
        print(f"fpdrift: {error}", file=sys.stderr)
    return NOT_PYTHON if report.errors else FOUND if report.findings else CLEAN
