"""``fpdrift gpu`` and ``fpdrift record-gpu``: sums as a GPU adds them, and where they come from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, check_output, deliver, whole, wholes
from fpdrift.cli.progress import reporting
from fpdrift.reduction.gpu import gpu_sums, record_gpu

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add both commands to the parser."""
    command = commands.add_parser(
        "gpu",
        help="sums as a GPU adds them: simulated, live or recorded",
        description="Add the same numbers many times as a GPU does. A simulation draws the order "
        "of the blocks: it shows which results are possible, not how often a GPU gives them.",
        allow_abbrev=False,
    )
    command.add_argument("--origin", default="simulated", metavar="simulated|live|recorded")
    command.add_argument("--name", metavar="NAME", help="which recording")
    command.add_argument("--library", metavar="NAME", help="torch, cupy, jax or tensorflow")
    command.add_argument("--device", default="gpu", metavar="gpu|cpu", help="for live")
    command.add_argument("--sizes", type=wholes, metavar="N,N", help="how many numbers")
    command.add_argument(
        "--tries", type=whole, default=100, metavar="N", help="how often, or how many drawn orders"
    )
    command.add_argument("--dtype", default="float32", metavar="NAME")
    command.add_argument("--distribution", default="uniform", metavar="uniform|normal")
    command.add_argument("--seed", type=whole, default=1, metavar="N")
    add_output(command)
    command.set_defaults(run=run)
    recorder = commands.add_parser(
        "record-gpu", help="measure this machine's GPU for those who have none", allow_abbrev=False
    )
    recorder.add_argument("file", metavar="FILE", help="the JSON file to write")
    recorder.add_argument("--library", metavar="NAME", help="torch, cupy, jax or tensorflow")
    recorder.add_argument("--fast", action="store_true", help="small sizes alone")
    recorder.add_argument("--plot", metavar="FILE", help="save the picture of its sums")
    recorder.set_defaults(run=record, json=None)


def run(arguments: argparse.Namespace) -> int:
    """Add as a GPU does; return the exit code."""
    check_output(arguments)
    options = ("origin", "name", "library", "device", "sizes", "tries", "dtype", "seed")
    given = {name: getattr(arguments, name) for name in (*options, "distribution")}
    chosen = {name: value for name, value in given.items() if value is not None}
    with reporting() as report:
        result = gpu_sums(progress=partial(report, f"{arguments.origin} sums"), **chosen)
    return deliver(result, arguments)


def record(arguments: argparse.Namespace) -> int:
    """Measure a GPU; return the exit code."""
    check_output(arguments)
    with reporting() as report:
        result = record_gpu(
            arguments.file,
            library=arguments.library,
            fast=arguments.fast,
            progress=partial(report, "measuring the GPU"),
        )
    return deliver(result, arguments)
