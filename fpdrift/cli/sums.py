"""``fpdrift sums``: error, error bound and cost of each way of summing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, check_output, deliver, numbers, whole, wholes
from fpdrift.cli.progress import reporting

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fpdrift.reduction import SumGrowth, SumTable


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "sums",
        help="ten ways of summing: errors, bounds and cost",
        description="Sum the same numbers in ten ways; compare errors, error bounds and cost.",
        examples=("fpdrift sums --n 100", "fpdrift sums --growth 100,1000 --plot growth.png"),
    )
    command.add_argument("--n", type=whole, default=1000, metavar="N", help="how many numbers")
    command.add_argument(
        "--dtype", default="float32", metavar="NAME", help="such as float64 or bfloat16"
    )
    command.add_argument(
        "--conditions",
        type=numbers,
        metavar="C,C",
        help="condition numbers of the sums (default: 1e2,1e6,1e10 as far as the dtype allows)",
    )
    command.add_argument("--orders", type=whole, default=20, metavar="N", help="orders to try")
    command.add_argument("--seed", type=whole, default=1, metavar="N", help="for the numbers")
    command.add_argument(
        "--repeats", type=whole, default=5, metavar="N", help="timings of each; 0 for none"
    )
    command.add_argument(
        "--growth",
        type=wholes,
        nargs="?",
        const=(),
        metavar="N,N",
        help="sum more and more numbers instead (default sizes: 100,1000,10000,100000)",
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


def _table(arguments: argparse.Namespace, progress: Callable[[int, int], None]) -> SumTable:
    from fpdrift.reduction import sum_table

    return sum_table(
        arguments.n,
        arguments.conditions,
        dtype=arguments.dtype,
        orders=arguments.orders,
        seed=arguments.seed,
        repeats=arguments.repeats,
        progress=progress,
    )


def _growth(arguments: argparse.Namespace, progress: Callable[[int, int], None]) -> SumGrowth:
    from fpdrift.reduction import sum_growth

    sizes = {"ns": arguments.growth} if arguments.growth else {}
    return sum_growth(**sizes, dtype=arguments.dtype, seed=arguments.seed, progress=progress)
