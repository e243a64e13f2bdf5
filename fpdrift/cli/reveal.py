"""``fpdrift reveal NAME``: the order in which a function adds, or why there is none."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fpdrift import reduction
from fpdrift.cli.output import add_output, check_output, deliver
from fpdrift.cli.parsing import whole
from fpdrift.cli.progress import reporting
from fpdrift.cli.screens.screen import wrapped
from fpdrift.errors import FpdriftError
from fpdrift.frameworks.boxes import BlackBox, box, known

if TYPE_CHECKING:
    import argparse

#: Kind of black box -> what reveals it.
_REVEAL: dict[str, Any] = {
    "sum": reduction.reveal,
    "mean": getattr(reduction, "reveal_mean", None),
    "dot": getattr(reduction, "reveal_dot", None),
    "matmul": getattr(reduction, "reveal_matmul", None),
}


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "reveal",
        help="the tree in which a function adds",
        description="Show the tree in which a function adds: numpy:sum, tensorflow:reduce_sum, "
        "or module:function of your own, whose code is run.",
        allow_abbrev=False,
    )
    command.add_argument("name", nargs="?", metavar="NAME", help="such as numpy:sum")
    command.add_argument("--list", action="store_true", help="list the known names and stop")
    command.add_argument("--n", type=whole, default=16, metavar="N", help="how many numbers")
    command.add_argument("--dtype", default="float32", metavar="NAME")
    command.add_argument(
        "--kind", default="sum", metavar="KIND", help="what your own is: sum, mean, dot or matmul"
    )
    command.add_argument("--against", metavar="NAME", help="compare with another function")
    command.add_argument("--max-probes", type=whole, metavar="N", help="give up after so many")
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Reveal, compare or list; return the exit code."""
    if arguments.list:
        _list()
        return 0
    if arguments.name is None:
        message = "name a function, such as numpy:sum; fpdrift reveal --list names those known"
        raise FpdriftError(message)
    check_output(arguments)
    names = [arguments.name] if arguments.against is None else [arguments.name, arguments.against]
    own = [name for name in names if name not in {item.name for item in known()}]
    if own:
        print(f"fpdrift: this runs code of yours: {', '.join(own)}", file=sys.stderr)
    boxes = [box(name, arguments.kind) for name in names]
    for found in boxes:
        _check_dtype(found, arguments.dtype)
    with reporting() as report:
        report(f"asking {' and '.join(names)}", 0, 1)
        result = _ask(boxes, arguments)
    return deliver(result, arguments)


def _check_dtype(found: BlackBox, dtype: str) -> None:
    if dtype not in found.dtypes:
        message = f"{found.name} has no {dtype!r}; choose one of {', '.join(found.dtypes)}"
        raise FpdriftError(message)


def _ask(boxes: list[BlackBox], arguments: argparse.Namespace) -> Any:
    n, dtype = arguments.n, arguments.dtype
    if len(boxes) == 2:
        for found in boxes:
            if found.kind != "sum":
                message = f"{found.name} is no sum but a {found.kind}; --against compares sums"
                raise FpdriftError(message)
        return reduction.same_order(boxes[0].call, boxes[1].call, n, dtype)
    reveal = _REVEAL[boxes[0].kind]
    return reveal(boxes[0].call, n, dtype, max_probes=arguments.max_probes, name=boxes[0].name)


def _list() -> None:
    """Print the known black boxes, and why some cannot be asked here."""
    missing = []
    for item in known():
        if item.missing is None:
            print(f"  {item.name:25} {item.kind:7} {' '.join(item.dtypes)}")
        else:
            missing.append(item)
    for reason, items in groupby(missing, key=lambda item: item.missing):
        lines = [*wrapped(f"{', '.join(item.name for item in items)}:"), *wrapped(str(reason), 4)]
        print("\n".join(["", *lines]))
    print("\n  Any other module:function is your own; its code is run.")
