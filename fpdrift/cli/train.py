"""``fpdrift train``: one training under one condition, recorded."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from fpdrift.cli.conditions import add_condition, condition_of
from fpdrift.cli.options import add_json, check_output, deliver, whole
from fpdrift.cli.progress import reporting

if TYPE_CHECKING:
    import argparse

    from fpdrift.records import Record
    from fpdrift.training import Condition

#: Facts shown of a run that has just been trained; ``fpdrift show`` shows all.
_FACTS = ("network", "data.name", "data.labels", "backend", "cpu", "cores")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "train",
        help="train a network under one condition, and record it",
        description="Train a network in a fresh process under one condition, and record it.",
        epilog="To compare two records: fpdrift compare A B",
        examples=(
            "fpdrift train one.fpdrift --intra-op-threads 1",
            "fpdrift train float64.fpdrift --dtype-policy float64 --steps 20",
        ),
    )
    command.add_argument(
        "path",
        nargs="?",
        metavar="FILE",
        help="the record to write (default: named after the condition)",
    )
    command.add_argument(
        "--network",
        default="cnn-he",
        metavar="NAME",
        help="cnn-he (also: answer), cnn-glorot (also: question), or a variant of cnn-he",
    )
    command.add_argument(
        "--data",
        default="noise",
        metavar="NAME",
        help="noise, digits, fashion-mnist, digits-split or fashion-mnist-split",
    )
    command.add_argument(
        "--labels", default="one-hot", metavar="NAME", help="one-hot, or multi-hot (noise only)"
    )
    command.add_argument(
        "--steps", type=whole, default=100, metavar="N", help="training steps of 64 images"
    )
    command.add_argument(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="stop after this many seconds (default: never)",
    )
    command.add_argument("--overwrite", action="store_true", help="replace an existing record")
    add_condition(command)
    add_json(command)
    command.set_defaults(run=run, plot=None)


def run(arguments: argparse.Namespace) -> int:
    """Train; return the exit code."""
    from dataclasses import replace

    from fpdrift.comparison import summary

    check_output(arguments)
    condition = condition_of(arguments)
    record = _train(arguments, condition)
    path = Path(arguments.path or record.name)
    found = summary(record, path.stat().st_size)
    facts = {"condition": condition.name} | {
        name: value for name, value in found.facts.items() if name in _FACTS
    }
    code = deliver(replace(found, facts=facts), arguments)
    sys.stdout.flush()
    print(f"Record: {path}. Next: fpdrift show {quote(str(path))}", file=sys.stderr)
    return code


def _train(arguments: argparse.Namespace, condition: Condition) -> Record:
    from fpdrift.training import train

    last = 0

    def progress(done: int, total: int) -> None:
        nonlocal last
        last = done
        report(condition.name, done, total)

    try:
        with reporting() as report:
            return train(
                condition,
                arguments.network,
                arguments.data,
                steps=arguments.steps,
                labels=arguments.labels,
                path=arguments.path,
                overwrite=arguments.overwrite,
                timeout=arguments.timeout,
                progress=progress,
            )
    except KeyboardInterrupt:  # the bar is gone, so that no line of the message is broken
        path = arguments.path or f"{condition.file_name}.fpdrift"
        print(f"\n{_interrupted(path, last, arguments.steps)}", file=sys.stderr)
        raise


def _interrupted(path: str, last: int, steps: int) -> str:
    """Describe what an interrupted training leaves, and how to get the rest."""
    if last == 0:
        return "No step was recorded. To start again, repeat the command."
    return (
        f"Steps 1 to {last} of {steps} are recorded in {path}. To see them: fpdrift show "
        f"{quote(path)}. A training does not resume: to start again from step 1, repeat the "
        "command with --overwrite."
    )
