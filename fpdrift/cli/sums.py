"""``fpdrift sums``: what each way of summing gets wrong, may get wrong, and costs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, check_output, deliver, numbers, whole, wholes
from fpdrift.cli.progress import reporting
from fpdrift.reduction import sum_growth, sum_table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fpdrift.reduction import SumGrowth, SumTable


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "sums", help="ten ways of summing, their errors, bounds and cost", allow_abbrev=False
    )
    command.add_argument("--n", type=whole, default=1000, metavar="N", help="how many numbers")
    command.add_argument("--dtype", default="float32", metavar="NAME")
    command.add_argument(
        "--conditions",
        type=numbers,
        metavar="C,C",
        help="condition numbers of the sums",
    )
    command.add_argument("--orders", type=whole, default=20, metavar="N", help="orders to try")
    command.add_argument("--seed", type=whole, default=1, metavar="N")
    command.add_argument(
        "--repeats", type=whole, default=5, metavar="N", help="how often to time; 0: not at all"
    )
    command.add_argument(
        "--growth", type=wholes, nargs="?", const=(), metavar="N,N", help="with more numbers"
    )
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the table; return the exit code."""
    check_output(arguments)
    study = _table if arguments.growth is None else _growth
    with reporting() as report:
        result = study(arguments, partial(report, "summing in ten ways"))
    return deliver(result, arguments)


def _table(arguments: argparse.Namespace, tell: Callable[[int, int], None]) -> SumTable:
    return sum_table(
        arguments.n,
        arguments.conditions,
        dtype=arguments.dtype,
        orders=arguments.orders,
        seed=arguments.seed,
        repeats=arguments.repeats,
        progress=tell,
    )


def _growth(arguments: argparse.Namespace, tell: Callable[[int, int], None]) -> SumGrowth:
    sizes = {"ns": arguments.growth} if arguments.growth else {}
    return sum_growth(**sizes, dtype=arguments.dtype, seed=arguments.seed, progress=tell)
