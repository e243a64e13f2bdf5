"""``fpdrift threads``: how threads change a sum, how far orders differ, what equal bits cost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, check_output, deliver, whole, wholes
from fpdrift.cli.progress import reporting
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fpdrift.serialization import Result

_OPERATIONS = ("sum", "positive sum", "dot", "matmul", "histogram", "scatter-add")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "threads",
        help="how the order in which threads finish changes a sum",
        description="Add partial sums as threads finish them, and compare the results.",
        examples=("fpdrift threads --threads 1,2", "fpdrift threads --orders 1000 --n 1000"),
    )
    command.add_argument(
        "--operation",
        metavar="NAME",
        help=f"{', '.join(_OPERATIONS)} (default: sum; with --growth: positive sum)",
    )
    study = command.add_mutually_exclusive_group()
    study.add_argument(
        "--growth", action="store_true", help="measure the spread against n and chunks instead"
    )
    study.add_argument(
        "--strategies", action="store_true", help="measure what the same bits cost instead"
    )
    study.add_argument(
        "--orders",
        type=whole,
        metavar="N",
        help="add in N random orders, one number after another, instead (default: no such study)",
    )
    command.add_argument(
        "--n",
        type=wholes,
        metavar="N",
        help="how many numbers; several with --growth (default: depends on the operation; "
        "4194304 for a sum)",
    )
    command.add_argument(
        "--chunks",
        type=wholes,
        metavar="N",
        help="how many partial sums; several with --growth (default: 64; with --growth: "
        "16,64,256,1024)",
    )
    command.add_argument(
        "--threads", type=wholes, metavar="N,N", help="thread counts (default: 1 and all cores)"
    )
    command.add_argument(
        "--tries",
        type=whole,
        metavar="N",
        help="results for each thread count (default: 200; with --growth 50, --strategies 20)",
    )
    command.add_argument("--seed", type=whole, metavar="N", help="for the numbers (default: 1)")
    command.add_argument("--dtype", metavar="NAME", help="float32 or float64 (default: float32)")
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen study; return the exit code."""
    from fpdrift.validation import check_choice

    check_output(arguments)
    if arguments.operation is not None:
        check_choice("operation", arguments.operation, _OPERATIONS)
    study = _study(arguments)
    options = ("threads", "tries", "seed", "dtype")
    chosen = {name: getattr(arguments, name) for name in options}
    if arguments.growth:
        chosen |= {"ns": arguments.n, "chunks": arguments.chunks}
        chosen["threads"] = _one("threads", arguments.threads)
    else:
        chosen |= {name: _one(name, getattr(arguments, name)) for name in ("n", "chunks")}
    given = {name: value for name, value in chosen.items() if value is not None}
    with reporting() as report:
        result = study(progress=partial(report, "adding as they arrive"), **given)
    return deliver(result, arguments)


def _study(arguments: argparse.Namespace) -> Callable[..., Result]:
    """Return the function to call; it has its own defaults."""
    from fpdrift import reduction

    operation = arguments.operation
    if arguments.orders is not None:
        if operation not in (None, "sum"):
            message = f"--orders adds one number after another; leave out --operation {operation}"
            raise FpdriftError(message)
        return partial(reduction.order_spread, orders=arguments.orders)
    if arguments.growth:
        return partial(reduction.spread_growth, **({"operation": operation} if operation else {}))
    if arguments.strategies:
        return partial(reduction.strategies, operation or "sum")
    if operation in (None, "sum"):
        return reduction.thread_sums
    return partial(reduction.thread_operation, operation)


def _one(name: str, values: tuple[int, ...] | None) -> int | None:
    if values is not None and len(values) > 1:
        message = f"--{name} takes one number here, not {','.join(map(str, values))}"
        raise FpdriftError(message)
    return values[0] if values else None
