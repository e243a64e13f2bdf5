"""``fpdrift reveal NAME``: the order in which a function adds, or why there is none."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, check_output, deliver, whole
from fpdrift.cli.progress import reporting
from fpdrift.errors import FpdriftError, short_repr

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fpdrift.backends.summing_functions import BlackBox
    from fpdrift.reduction import Revealed, SameOrder


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "reveal",
        help="show the order in which a function adds, as a tree",
        description="Show the order in which a function adds, as a tree.",
        epilog="NAME is a known name, or module:function of your own, whose code is then run.",
        examples=("fpdrift reveal numpy:sum", "fpdrift reveal numpy:sum --n 100 --dtype float64"),
    )
    command.add_argument("name", nargs="?", metavar="NAME", help="such as numpy:sum")
    command.add_argument("--list", action="store_true", help="list the known names and exit")
    command.add_argument("--n", type=whole, default=16, metavar="N", help="how many numbers")
    command.add_argument("--dtype", default="float32", metavar="NAME", help="such as float64")
    command.add_argument(
        "--kind",
        default="sum",
        metavar="KIND",
        help="what your own function computes: sum, mean, dot or matmul",
    )
    command.add_argument(
        "--against", metavar="NAME", help="compare with another function (default: none)"
    )
    command.add_argument(
        "--max-probes", type=whole, metavar="N", help="stop after N calls (default: no limit)"
    )
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Reveal, compare or list; return the exit code."""
    from fpdrift.backends.summing_functions import box, known

    if arguments.list:
        _list()
        return 0
    if arguments.name is None:
        message = "name a function, such as numpy:sum; fpdrift reveal --list lists the known ones"
        raise FpdriftError(message)
    check_output(arguments)
    _check_numbers(arguments)
    names = [arguments.name] if arguments.against is None else [arguments.name, arguments.against]
    listed = {item.name for item in known()}
    for name in names:
        if name not in listed and ":" in name:
            print(f"fpdrift: {name} is not a known name: running its code", file=sys.stderr)
    # Output of such code must not appear inside a result.
    with redirect_stdout(sys.stderr), reporting() as report:
        boxes = [box(name, arguments.kind) for name in names]
        for found in boxes:
            _check_dtype(found, arguments.dtype)
        report(f"asking {' and '.join(names)}", 0, 1)
        try:
            result = _ask(boxes, arguments)
        except SystemExit as error:
            message = f"{' or '.join(names)} ended the program with {short_repr(error.code)}"
            raise FpdriftError(message) from None
    return deliver(result, arguments)


def _check_numbers(arguments: argparse.Namespace) -> None:
    """Check the numbers before any function is imported or called."""
    from fpdrift import validation

    n = validation.check_int("n", arguments.n, 1, 2**30)
    if arguments.max_probes is not None:
        validation.check_int("max-probes", arguments.max_probes, 1, 2**62)
    if arguments.plot is not None:
        from fpdrift.plotting._trees import MOST_INPUTS

        if n > MOST_INPUTS:
            message = (
                f"--n {n} is too large for a picture; choose at most {MOST_INPUTS}, or no --plot"
            )
            raise FpdriftError(message)


def _check_dtype(found: BlackBox, dtype: str) -> None:
    if dtype not in found.dtypes:
        message = f"{found.name} has no {dtype!r}; choose one of {', '.join(found.dtypes)}"
        raise FpdriftError(message)


def _ask(boxes: list[BlackBox], arguments: argparse.Namespace) -> Revealed | SameOrder:
    from fpdrift.reduction import _reveal

    n, dtype, most = arguments.n, arguments.dtype, arguments.max_probes
    if len(boxes) == 2:
        first, second = (_as_sum(found, n, dtype) for found in boxes)
        return _reveal.same_order(first, second, n, dtype, max_probes=most)
    (found,) = boxes
    reveals: dict[str, Callable[..., Revealed]] = {
        "sum": _reveal.reveal,
        "mean": _reveal.reveal_mean,
        "dot": _reveal.reveal_dot,
        "matmul": _reveal.reveal_matmul,
    }
    return reveals[found.kind](found.call, n, dtype, max_probes=most, name=found.name)


def _as_sum(found: BlackBox, n: int, dtype: str) -> Callable[[Any], Any]:
    """Return a black box as a sum, under its own name."""
    from fpdrift.reduction import _reveal

    def named(*arrays: Any) -> Any:
        return found.call(*arrays)

    named.__name__ = found.name
    if found.kind == "sum":
        return named
    sums: dict[str, Callable[..., Callable[[Any], Any]]] = {
        "mean": _reveal.sum_of_mean,
        "dot": _reveal.sum_of_dot,
        "matmul": _reveal.sum_of_matmul,
    }
    return sums[found.kind](named, n, dtype)


def _list() -> None:
    """Print the known functions, and why some are not available here."""
    from fpdrift.backends.summing_functions import known
    from fpdrift.cli.screens.screen import wrapped

    missing = []
    for item in known():
        if item.missing is None:
            print(f"  {item.name:25} {item.kind:7} {' '.join(item.dtypes)}")
        else:
            missing.append(item)
    for reason, items in groupby(missing, key=lambda item: item.missing):
        lines = [*wrapped(f"{', '.join(item.name for item in items)}:"), *wrapped(str(reason), 4)]
        print("\n".join(["", *lines]))
    print("\n  Any other module:function is your own; its code is then run.")
