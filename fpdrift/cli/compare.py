"""``fpdrift compare``: records against the first of them, on the screen and in pictures."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_json, add_trust, check_output, deliver, folder, make_folder
from fpdrift.cli.progress import reporting
from fpdrift.experiments import compare_records
from fpdrift.experiments._compare_records import read_records

if TYPE_CHECKING:
    import argparse

    from fpdrift.experiments import ComparedRecords
    from fpdrift.serialization import Result

#: Characters of a record's name that a picture's name takes: a disk takes 255 bytes.
_LONGEST = 40


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "compare",
        help="where recorded runs diverge, how fast, and whether it matters",
        description="Compare records with the first of them, in the tensors that both have. One of "
        "many that cannot be read, or shares no weight with the first, is left out and named.",
        allow_abbrev=False,
    )
    command.add_argument("first", metavar="A", help="the record to compare with")
    command.add_argument("others", metavar="B", nargs="+", help="a record to compare with A")
    command.add_argument(
        "--inside",
        action="store_true",
        help="repeat runs of fpdrift train; look inside the step where they diverge, and for the "
        "ReLU behind a jump",
    )
    command.add_argument(
        "--out", type=folder, default=Path("fpdrift-out"), metavar="DIR", help="for the pictures"
    )
    command.add_argument("--no-plots", action="store_true", help="draw no pictures")
    add_trust(command)
    add_json(command)
    command.set_defaults(run=run, plot=None)


def run(arguments: argparse.Namespace) -> int:
    """Compare; return the exit code."""
    check_output(arguments)
    records, left_out = read_records((arguments.first, *arguments.others), trust=arguments.trust)
    if not arguments.no_plots:
        make_folder(arguments.out)
    with reporting() as report:
        result = compare_records(records, inside=arguments.inside, progress=report)
    result = replace(result, left_out=left_out | result.left_out)
    code = deliver(result, arguments)
    if not arguments.no_plots:
        _draw(result, arguments.out)
    return code


def _draw(result: ComparedRecords, out: Path) -> None:
    """Draw each pair's growth, tensors and gate, all distances if there are several, all losses."""
    from fpdrift.plotting import save

    pictures: dict[str, Result] = {}
    for number, pair in enumerate(result.pairs, 2):
        name = pair.label.replace(" ", "-")
        if len(name) > _LONGEST:  # two long names may begin alike
            name = f"{number}-{name[:_LONGEST]}"
        pictures |= {f"growth-{name}": pair.growth, f"tensors-{name}": pair.matrix}
        if pair.gates is not None and pair.gates.gate is not None:
            pictures[f"gate-{name}"] = pair.gates
    if len(result.pairs) > 1:
        pictures["distances"] = result.comparisons
    pictures["losses"] = result.curves
    for name, drawn in pictures.items():
        save(drawn, out / name)
    sys.stdout.flush()
    print(f"Pictures in {out}{os.sep}: {', '.join(pictures)} (.png, .svg)", file=sys.stderr)
