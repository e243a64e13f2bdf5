"""``fpdrift export``: records as tables, for TensorBoard and for MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_trust

if TYPE_CHECKING:
    import argparse

#: Option -> its argument, and what it writes.
_FORMATS = {
    "csv": ("FILE.csv", "a tidy table as text"),
    "parquet": ("FILE.parquet", "the same table as Parquet"),
    "tensorboard": ("DIR", "a log folder for tensorboard --logdir DIR"),
    "mlflow": ("DIR", "JSON lines, one for each MLflow metric"),
}


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "export",
        help="records as CSV, Parquet, TensorBoard logs or MLflow metrics",
        description="Convert records to the formats of other programs.",
        examples=(
            "fpdrift export a.fpdrift --csv a.csv",
            "fpdrift export a.fpdrift b.fpdrift --compare --tensorboard logs",
        ),
    )
    command.add_argument("files", metavar="FILE", nargs="+", help="a record")
    for name, (place, what) in _FORMATS.items():
        command.add_argument(f"--{name}", metavar=place, help=f"{what} (default: not written)")
    command.add_argument(
        "--compare", action="store_true", help="add the distance of each run from the first one"
    )
    add_trust(command)
    command.add_argument("--overwrite", action="store_true", help="replace existing files")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Export; return the exit code."""
    from fpdrift.comparison import compare
    from fpdrift.exports import export
    from fpdrift.records import opener

    records = list(map(opener(trust=arguments.trust), arguments.files))
    pairs = [compare(records[0], other) for other in records[1:]] if arguments.compare else []
    places = {name: getattr(arguments, name) for name in _FORMATS}
    for path in export([*records, *pairs], overwrite=arguments.overwrite, **places):
        print(path)
    return 0
