"""``fpdrift batch``: how batch size, instruction set, threads or memory address change bits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, check_output, deliver, whole, wholes, words
from fpdrift.cli.progress import reporting
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "batch",
        help="how the batch size, a condition or the memory address changes the bits",
        description="Compute one row in batches of several sizes, or under several conditions, or\n"
        "functions at several memory addresses.",
        epilog="An operation may also be your own, module:function, whose code is then run.",
        examples=(
            "fpdrift batch --operations matmul --libraries numpy",
            "fpdrift batch --conditions --operations matmul --libraries numpy",
            "fpdrift batch --alignment --libraries numpy",
        ),
    )
    instead = command.add_mutually_exclusive_group()
    instead.add_argument(
        "--conditions", action="store_true", help="compare instruction sets and threads instead"
    )
    instead.add_argument(
        "--alignment",
        action="store_true",
        help="compare memory addresses instead, with each set of kernels",
    )
    command.add_argument(
        "--operations",
        type=words,
        metavar="NAME,NAME",
        help="operations to compute (default: matmul,convolution,softmax); with --alignment, "
        "functions such as numpy:sum (default: all known)",
    )
    command.add_argument(
        "--libraries",
        type=words,
        metavar="NAME,NAME",
        help="libraries to use (default: numpy,tensorflow)",
    )
    command.add_argument(
        "--batches", type=wholes, metavar="N,N", help="batch sizes (default: 1,2,3,8,64,1000)"
    )
    command.add_argument("--seed", type=whole, metavar="N", help="for the numbers (default: 1)")
    command.add_argument(
        "--timeout", type=whole, metavar="SECONDS", help="limit for one process (default: 300)"
    )
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compute the rows; return the exit code."""
    from fpdrift.reduction import alignment_table, batch_classes, condition_matrix

    check_output(arguments)
    options = ("operations", "libraries", "batches", "seed", "timeout")
    given = {name: getattr(arguments, name) for name in options}
    chosen = {name: value for name, value in given.items() if value is not None}
    if any(":" in name for name in chosen.get("operations", ())):
        sys.path.insert(0, str(Path.cwd()))  # of the user's own module; processes copy the path
    study: Any = condition_matrix if arguments.conditions else batch_classes
    if arguments.alignment:
        if "batches" in chosen:
            raise FpdriftError("--alignment computes no batches; leave out --batches")
        study = alignment_table
    with reporting() as report:
        result = study(
            progress=lambda done, total, name: report(name or "done", done, total), **chosen
        )
    if not result.runs:
        raise FpdriftError("; ".join(f"{name}: {why}" for name, why in result.skipped.items()))
    return deliver(result, arguments)
