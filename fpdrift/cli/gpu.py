"""``fpdrift gpu`` and ``fpdrift record-gpu``: sums as a GPU adds them, and their origin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, check_output, deliver, whole, wholes
from fpdrift.cli.progress import reporting

if TYPE_CHECKING:
    import argparse


_LIBRARIES = "torch, cupy, jax or tensorflow (default: the first with such a device)"


def add_to(commands: Any) -> None:
    """Add both commands to the parser."""
    command = commands.add_parser(
        "gpu",
        help="sums as a GPU computes them: simulated, live or recorded",
        description="Add the same numbers many times as a GPU does.",
        epilog="A simulation draws the order of the blocks: it shows which results are possible,\n"
        "not how often a GPU returns them.",
        examples=("fpdrift gpu --sizes 1000,10000", "fpdrift gpu --origin recorded --name gpu"),
    )
    command.add_argument(
        "--origin", default="simulated", metavar="ORIGIN", help="simulated, live or recorded"
    )
    command.add_argument(
        "--name", metavar="NAME", help="for recorded: the recording, such as gpu (default: none)"
    )
    command.add_argument("--library", metavar="NAME", help=f"for live: {_LIBRARIES}")
    command.add_argument("--device", default="gpu", metavar="DEVICE", help="for live: gpu or cpu")
    command.add_argument(
        "--sizes",
        type=wholes,
        metavar="N,N",
        help="how many numbers (default: 10000,100000,1000000)",
    )
    command.add_argument(
        "--tries", type=whole, default=100, metavar="N", help="sums, or simulated orders, per size"
    )
    command.add_argument(
        "--dtype", default="float32", metavar="NAME", help="float16, bfloat16, float32 or float64"
    )
    command.add_argument(
        "--distribution", default="uniform", metavar="NAME", help="uniform or normal"
    )
    command.add_argument("--seed", type=whole, default=1, metavar="N", help="for the numbers")
    add_output(command)
    command.set_defaults(run=run)
    recorder = commands.add_parser(
        "record-gpu",
        help="measure this machine's GPU and save the result for others",
        description="Measure the sums of this machine's GPU, and save the result for others.",
        examples=("fpdrift record-gpu gpu.json", "fpdrift record-gpu gpu.json --fast"),
    )
    recorder.add_argument("file", metavar="FILE", help="the JSON file to write")
    recorder.add_argument("--library", metavar="NAME", help=_LIBRARIES)
    recorder.add_argument("--fast", action="store_true", help="small sizes only")
    recorder.add_argument(
        "--plot", metavar="FILE", help="save the picture of its sums (default: none)"
    )
    recorder.set_defaults(run=record, json=None)


def run(arguments: argparse.Namespace) -> int:
    """Add as a GPU does; return the exit code."""
    from fpdrift.reduction import gpu_sums

    check_output(arguments)
    options = ("origin", "name", "library", "device", "sizes", "tries", "dtype", "seed")
    given = {name: getattr(arguments, name) for name in (*options, "distribution")}
    chosen = {name: value for name, value in given.items() if value is not None}
    with reporting() as report:
        result = gpu_sums(progress=partial(report, f"{arguments.origin} sums"), **chosen)
    return deliver(result, arguments)


def record(arguments: argparse.Namespace) -> int:
    """Measure a GPU; return the exit code."""
    from fpdrift.reduction.gpu import record_gpu

    check_output(arguments)
    with reporting() as report:
        result = record_gpu(
            arguments.file,
            library=arguments.library,
            fast=arguments.fast,
            progress=partial(report, "measuring the GPU"),
        )
    return deliver(result, arguments)
