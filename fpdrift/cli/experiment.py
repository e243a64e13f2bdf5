"""``fpdrift experiment``: one study, quick or in full size; the same command resumes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_output, check_output, deliver, whole
from fpdrift.cli.progress import reporting
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    import argparse

    from fpdrift.experiments import Experiment

#: Study -> about how long it takes on two cores, quick and full; others take seconds.
TIMES = {
    "five-runs": ("2 min", "10 min"),
    "threads-in-training": ("2 min", "10 min"),
    "nudge": ("2 min", "10 min"),
    "long": ("1 min", "1 h"),
    "survival": ("3 min", "1 h"),
    "gate": ("1 min", "3 min"),
    "question": ("3 min", "13 h"),
    "sources": ("3 min", "1 h"),
    "trap": ("1 min", "3 min"),
    "dose": ("1 min", "10 min"),
    "amplifiers": ("2 min", "20 min"),
    "no-seeds": ("1 min", "10 min"),
    "metric": ("1 min", "5 min"),
    "hash-seed": ("1 min", "5 min"),
    "determinism": ("3 min", "25 min"),
    "cnn": ("1 min", ""),
}


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "experiment",
        help="run a study of one of the forum answer's claims",
        description="Run one study, which measures a claim of the forum question or its answer.",
        epilog="Finished runs stay in the folder and are not trained again: after an\n"
        "interruption the same command resumes.",
        examples=("fpdrift experiment --list", "fpdrift experiment gate --plot gate.png"),
    )
    command.add_argument("name", metavar="NAME", nargs="?", help="the study; see --list")
    command.add_argument(
        "--list", action="store_true", help="list the studies with their times and exit"
    )
    size = command.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="small size, up to 3 minutes (default)")
    size.add_argument("--full", action="store_true", help="size of the original claim")
    command.add_argument(
        "--epochs",
        type=whole,
        metavar="N",
        help="epochs to train, for long and question (default: as the size)",
    )
    command.add_argument(
        "--workers",
        type=whole,
        metavar="N",
        help="train N runs at a time (default: 2; 1 with one core or under 4 GB of memory)",
    )
    command.add_argument(
        "--seed", type=whole, default=1, metavar="N", help="for weights, order and dropout"
    )
    command.add_argument(
        "--out", type=Path, default=Path("fpdrift-out"), metavar="DIR", help="for the records"
    )
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the study; return the exit code."""
    from fpdrift.ensembles._scheduler import few
    from fpdrift.experiments import Settings, study

    if arguments.list:
        _list()
        return 0
    if arguments.name is None:
        message = "name a study, such as gate; fpdrift experiment --list lists them"
        raise FpdriftError(message)
    chosen = study(arguments.name)
    _check_options(chosen, arguments)
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


def _check_options(chosen: Experiment, arguments: argparse.Namespace) -> None:
    """Refuse options that the study does not have."""
    from fpdrift.experiments import STUDIES

    if arguments.epochs is not None and not chosen.epochs:
        able = ", ".join(item.name for item in STUDIES if item.epochs)
        message = f"--epochs {arguments.epochs}: {chosen.name} has no --epochs; only {able} have it"
        raise FpdriftError(message)
    if chosen not in STUDIES and (
        arguments.full or arguments.quick or arguments.workers is not None
    ):
        sized = ", ".join(item.name for item in STUDIES)
        message = f"{chosen.name} has no --full, --quick or --workers; only {sized} have them"
        raise FpdriftError(message)
    if chosen.timed and arguments.workers is not None:
        message = (
            f"--workers {arguments.workers}: {chosen.name} times its runs, so it trains one after "
            "another; leave it out"
        )
        raise FpdriftError(message)


def _list() -> None:
    """Print a line for each study; of two with one name, the first is the one that runs."""
    from fpdrift.experiments import EXPERIMENTS, LIGHT, STUDIES

    named: dict[str, Experiment] = {}
    for item in (*STUDIES, *LIGHT, *EXPERIMENTS):
        named.setdefault(item.name, item)
    print(f"  {'study':20} {'quick':>7} {'--full':>7}")
    for name, item in named.items():
        quick, full = TIMES.get(name, ("seconds", ""))
        print(f"  {name:20} {quick:>7} {full:>7}  {item.summary}")
    print("  Times are estimates for two cores.")
