"""``fpdrift export``: records as tables, for TensorBoard and for MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_trust
from fpdrift.comparison import compare
from fpdrift.exports import export
from fpdrift.records import opener

if TYPE_CHECKING:
    import argparse

#: Option -> what it takes, and what it gives.
_FORMATS = {
    "csv": ("FILE.csv", "a tidy table as text"),
    "parquet": ("FILE.parquet", "the same table for whatever reads Parquet"),
    "tensorboard": ("DIR", "a log folder for tensorboard --logdir DIR"),
    "mlflow": ("DIR", "JSON lines, each the fields of an MLflow metric"),
}


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "export",
        help="records as CSV, Parquet, TensorBoard logs or MLflow metrics",
        description="Write what records hold for other programs. Nothing that is there is replaced "
        "without --overwrite.",
        allow_abbrev=False,
    )
    command.add_argument("files", metavar="FILE", nargs="+", help="a record")
    for name, (place, what) in _FORMATS.items():
        command.add_argument(f"--{name}", metavar=place, help=what)
    command.add_argument(
        "--compare", action="store_true", help="add how far each run is from the first one"
    )
    add_trust(command)
    command.add_argument("--overwrite", action="store_true", help="replace files that are there")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Export; return the exit code."""
    records = list(map(opener(trust=arguments.trust), arguments.files))
    pairs = [compare(records[0], other) for other in records[1:]] if arguments.compare else []
    places = {name: getattr(arguments, name) for name in _FORMATS}
    for path in export([*records, *pairs], overwrite=arguments.overwrite, **places):
        print(path)
    return 0
