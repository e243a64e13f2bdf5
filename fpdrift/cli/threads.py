"""``fpdrift threads``: what threads do to a sum, how far orders go, what the same bits cost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, check_output, deliver, whole, wholes
from fpdrift.cli.progress import reporting
from fpdrift.errors import FpdriftError
from fpdrift.reduction import order_spread, spread_growth, strategies, thread_operation, thread_sums
from fpdrift.validation import check_choice

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fpdrift.serialization import Result

_OPERATIONS = ("sum", "positive sum", "dot", "matmul", "histogram", "scatter-add")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "threads", help="what the order of arrival does to a sum", allow_abbrev=False
    )
    command.add_argument("--operation", metavar="NAME", help=f"{', '.join(_OPERATIONS)}")
    study = command.add_mutually_exclusive_group()
    study.add_argument("--growth", action="store_true", help="spread against n and chunks")
    study.add_argument("--strategies", action="store_true", help="what the same bits cost")
    study.add_argument("--orders", type=whole, metavar="N", help="a sum in N random orders")
    command.add_argument("--n", type=wholes, metavar="N", help="how many numbers")
    command.add_argument("--chunks", type=wholes, metavar="N", help="into how many chunks")
    command.add_argument("--threads", type=wholes, metavar="N,N", help="by how many threads")
    command.add_argument("--tries", type=whole, metavar="N", help="how often")
    command.add_argument("--seed", type=whole, metavar="N")
    command.add_argument("--dtype", metavar="NAME", help="float32 or float64")
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the study asked for; return the exit code."""
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
    """Choose the function; what is not given is left to its own defaults."""
    operation = arguments.operation
    if arguments.orders is not None:
        if operation not in (None, "sum"):
            message = f"--orders adds in one sequence, which --operation {operation} is not"
            raise FpdriftError(message)
        return partial(order_spread, orders=arguments.orders)
    if arguments.growth:
        return partial(spread_growth, **({"operation": operation} if operation else {}))
    if arguments.strategies:
        return partial(strategies, operation or "sum")
    return thread_sums if operation in (None, "sum") else partial(thread_operation, operation)


def _one(name: str, values: tuple[int, ...] | None) -> int | None:
    if values is not None and len(values) > 1:
        message = f"--{name} takes one number here, not {','.join(map(str, values))}"
        raise FpdriftError(message)
    return values[0] if values else None
