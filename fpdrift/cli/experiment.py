"""``fpdrift experiment``: one study, quick or in the source's size; it goes on where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, check_output, deliver, whole
from fpdrift.cli.progress import reporting
from fpdrift.ensembles._scheduler import few
from fpdrift.errors import FpdriftError
from fpdrift.experiments import EXPERIMENTS, LIGHT, STUDIES, Settings, study

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "experiment",
        help="measure one of the source's claims",
        description="Run one study. What it has trained stays in the folder and is not trained "
        "again when the same command is given once more.",
        allow_abbrev=False,
    )
    names = ", ".join(dict.fromkeys(item.name for item in (*STUDIES, *LIGHT, *EXPERIMENTS)))
    command.add_argument("name", metavar="NAME", help=names)
    size = command.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="in a small size (the default)")
    size.add_argument("--full", action="store_true", help="in the source's size")
    command.add_argument(
        "--epochs", type=whole, metavar="N", help="how long to train, where a study counts in them"
    )
    command.add_argument(
        "--workers",
        type=whole,
        metavar="N",
        help="train N runs at a time; default: 2, or 1 with 1 core or under 4 GB of memory",
    )
    command.add_argument("--seed", type=whole, default=1, metavar="N")
    command.add_argument("--out", type=Path, default=Path("fpdrift-out"), metavar="DIR")
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the study; return the exit code."""
    chosen = study(arguments.name)
    if arguments.epochs is not None and not chosen.epochs:
        able = ", ".join(item.name for item in STUDIES if item.epochs)
        message = f"--epochs {arguments.epochs}: {chosen.name} has no epochs to choose; {able} has"
        raise FpdriftError(message)
    if chosen not in STUDIES and (
        arguments.full or arguments.quick or arguments.workers is not None
    ):
        sized = ", ".join(item.name for item in STUDIES)
        message = f"{chosen.name} has none of --full, --quick and --workers; all have {sized}"
        raise FpdriftError(message)
    if chosen.timed and arguments.workers is not None:
        message = (
            f"--workers {arguments.workers}: {chosen.name} times its runs, so it trains one after "
            "another; leave it out"
        )
        raise FpdriftError(message)
    check_output(arguments)
    with reporting() as report:
        settings = Settings(
            seed=arguments.seed,
            epochs=arguments.epochs,
            full=arguments.full,
            out=arguments.out,
            workers=few() if arguments.workers is None else arguments.workers,
            progress=report,
        )
        result = chosen.run(settings)
    return deliver(result, arguments)
