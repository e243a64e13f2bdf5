"""``fpdrift compare``: compare records with the first of them, on the screen and in pictures."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_json, add_trust, check_output, deliver, folder, make_folder
from fpdrift.cli.progress import reporting, waiting

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fpdrift.comparison import Comparison
    from fpdrift.experiments import ComparedRecords
    from fpdrift.serialization import Result

#: Characters of a picture's name that name the records: a disk takes 255 bytes, a character 4.
_LONGEST = 48


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "compare",
        help="where recorded runs diverge, how fast, and whether it matters",
        description="Compare each record with the first one, over the tensors that both contain.",
        epilog="If there are several records B, those that cannot be read or share no weight\n"
        "with A are left out, and the output names them.",
        examples=(
            "fpdrift compare a.fpdrift b.fpdrift",
            "fpdrift compare a.fpdrift b.fpdrift --inside --no-plots",
            "fpdrift compare a.fpdrift b.fpdrift --no-plots --max-distance 1e-6",
        ),
    )
    command.add_argument("first", metavar="A", help="the record to compare with")
    command.add_argument("others", metavar="B", nargs="+", help="a record to compare with A")
    command.add_argument(
        "--inside",
        action="store_true",
        help="rerun runs of fpdrift train to the step where they diverge, to find the first tensor "
        "that differs and the ReLU behind a jump",
    )
    command.add_argument(
        "--out",
        type=folder,
        default=Path("fpdrift-out"),
        metavar="DIR",
        help="folder for the figures",
    )
    command.add_argument("--no-plots", action="store_true", help="do not draw figures")
    command.add_argument(
        "--fail-on-difference",
        action="store_true",
        help="exit with code 1 if any bit differs or a record was left out",
    )
    command.add_argument(
        "--max-distance",
        type=distance,
        metavar="X",
        help="exit with code 1 if a final distance of the weights is above X or unknown, or a "
        "record was left out (default: no limit)",
    )
    add_trust(command)
    add_json(command)
    command.set_defaults(run=run, plot=None)


def run(arguments: argparse.Namespace) -> int:
    """Compare; return the exit code."""
    from dataclasses import replace

    from fpdrift.experiments import compare_records
    from fpdrift.experiments._compare_records import read_records

    check_output(arguments)
    paths = (arguments.first, *arguments.others)
    with waiting("reading the records"):
        records, left_out = read_records(paths, trust=arguments.trust)
    if not arguments.no_plots:
        make_folder(arguments.out)
    with reporting() as report:
        result = compare_records(records, inside=arguments.inside, progress=report)
    result = replace(result, left_out=left_out | result.left_out)
    code = deliver(result, arguments)
    if not arguments.no_plots:
        _draw(_pictures(result, _folders(paths)), arguments.out)
    return code or int(_failed(result, arguments))


def distance(text: str) -> float:
    """Read a relative distance.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not a number of at least 0.
    """
    import argparse

    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        message = f"{text!r} is not a distance; give a number of at least 0, such as 1e-3"
        raise argparse.ArgumentTypeError(message)
    return value


def _failed(result: ComparedRecords, arguments: argparse.Namespace) -> bool:
    """Return whether the runs differ by more than the options allow."""
    limit, pairs = arguments.max_distance, [pair.comparison for pair in result.pairs]
    if (arguments.fail_on_difference or limit is not None) and result.left_out:
        return True
    if arguments.fail_on_difference and any(pair.first_difference for pair in pairs):
        return True
    # not "above", which NaN is not either
    return limit is not None and not all(_final(pair) <= limit for pair in pairs)


def _final(pair: Comparison) -> float:
    """Return the last distance of the weights; NaN where none is known."""
    return float(pair.distance[-1]) if len(pair.distance) else float("nan")


def _pictures(result: ComparedRecords, folders: Sequence[str]) -> dict[str, Result]:
    """Name the pictures: growth, tensors and gate of each pair, all distances, all losses.

    A name includes the records', so that comparisons can share a folder.
    """
    pictures: dict[str, Result] = {}
    for pair in result.pairs:
        name = _name(*folders, result.baseline, pair.label)
        pictures |= {f"growth-{name}": pair.growth, f"tensors-{name}": pair.matrix}
        if pair.gates is not None and pair.gates.gate is not None:
            pictures[f"gate-{name}"] = pair.gates
    name = _name(*folders, result.baseline, *(pair.label for pair in result.pairs))
    if len(result.pairs) > 1:
        pictures[f"distances-{name}"] = result.comparisons
    pictures[f"losses-{name}"] = result.curves
    return pictures


def _folders(paths: Sequence[str]) -> list[str]:
    """Return the records' folders, as given, in characters for a file's name."""
    parents = dict.fromkeys(Path(path).parent for path in paths)
    parts = (parent.relative_to(parent.anchor).parts for parent in parents)
    return ["-".join(part) for part in parts if part]


def _name(*parts: str) -> str:
    """Join parts of a picture's name; where it is too long, a hash replaces its end."""
    name = "-".join(parts).replace(" ", "-")
    if len(name) <= _LONGEST:
        return name
    import hashlib

    return f"{name[:_LONGEST]}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:8]}"


def _draw(pictures: dict[str, Result], out: Path) -> None:
    with waiting("drawing"):
        from fpdrift.plotting import save

        for name, drawn in pictures.items():
            save(drawn, out / name)
    sys.stdout.flush()
    print(f"Pictures in {out}{os.sep}: {', '.join(pictures)} (.png, .svg)", file=sys.stderr)
