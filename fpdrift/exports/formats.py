"""The same numbers as each format wants them: functions from series to the files' bytes."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from fpdrift.errors import MissingExtraError
from fpdrift.exports.series import Series

COLUMNS = ("run", "step", "tensor", "quantity", "value")
TEXTS = ("run", "tensor", "quantity")
#: What a formula may begin with in one spreadsheet or another.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")

Files = dict[Path, bytes]


def needed(module: str) -> Any:
    """Import a library of the export extra.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or module) from None


def columns_of(series: Sequence[Series]) -> dict[str, Any]:
    """Give the tidy table's columns, one row a number."""
    lengths = [len(one.steps) for one in series]
    texts = {
        name: np.repeat(np.array([getattr(one, name) for one in series], object), lengths)
        for name in TEXTS
    }
    numbers = {
        "step": np.concatenate([one.steps for one in series]),
        "value": np.concatenate([one.values for one in series]),
    }
    return {name: (texts | numbers)[name] for name in COLUMNS}


def to_csv(series: Sequence[Series], place: Path) -> Files:
    """Write the tidy table as text: every number in as few digits as restore its bits.

    A spreadsheet runs a cell that begins like a formula, and names come from strangers' records: a
    text that does gets an apostrophe in front, which spreadsheets do not show. Numbers stay as they
    are.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    columns = columns_of(series)
    columns |= {name: np.array([*map(_no_formula, columns[name])], object) for name in TEXTS}
    rows.writerows(zip(*(columns[name].tolist() for name in COLUMNS), strict=True))
    return {_table(place, ".csv"): text.getvalue().encode()}


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def to_parquet(series: Sequence[Series], place: Path) -> Files:
    """Write the tidy table for whatever reads Parquet."""
    arrow, parquet = needed("pyarrow"), needed("pyarrow.parquet")
    sink = arrow.BufferOutputStream()
    parquet.write_table(arrow.table(columns_of(series)), sink)
    return {_table(place, ".parquet"): sink.getvalue().to_pybytes()}


def to_tensorboard(series: Sequence[Series], place: Path) -> Files:
    """Write a folder a run, whose scalars TensorBoard draws (in float32, as it holds them).

    A record knows no clock time: all of it is that of 1970. A name without clock, host and process
    in it makes the same export the same bytes.
    """
    proto = needed("tensorboard.compat.proto.event_pb2")
    summary = needed("tensorboard.compat.proto.summary_pb2").Summary
    records = needed("tensorboard.summary.writer.record_writer")
    files = {}
    for folder, parts in _by_run(series):
        stream = io.BytesIO()
        writer = records.RecordWriter(stream)
        writer.write(proto.Event(file_version="brain.Event:2").SerializeToString())
        for one in parts:
            tag = f"{one.quantity}/{one.tensor}" if one.tensor else one.quantity
            for step, value in zip(one.steps.tolist(), one.values.tolist(), strict=True):
                scalar = summary.Value(tag=tag, simple_value=value)
                event = proto.Event(step=step, summary=summary(value=[scalar]))
                writer.write(event.SerializeToString())
        files[place / folder / "events.out.tfevents.0.fpdrift"] = stream.getvalue()
    return files


def to_mlflow(series: Sequence[Series], place: Path) -> Files:
    """Write a file of JSON lines a run, each the fields of MLflow's ``Metric``.

    MLflow's names have letters, digits and ``_-. :/``; any other character becomes ``_``.
    """
    files = {}
    for name, parts in _by_run(series):
        lines = [
            {
                "key": re.sub(r"[^\w. :/-]", "_", f"{one.quantity}/{one.tensor}".rstrip("/")),
                "value": value if math.isfinite(value) else _PROTOBUF[str(value)],
                "timestamp": 0,
                "step": step,
            }
            for one in parts
            for step, value in zip(one.steps.tolist(), one.values.tolist(), strict=True)
        ]
        text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
        files[place / f"{name}.jsonl"] = text.encode()
    return files


#: JSON has no such numbers; this is how protocol buffers write them, which MLflow's server reads.
_PROTOBUF = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

#: Format -> what writes it.
FORMATS: dict[str, Callable[[Sequence[Series], Path], Files]] = {
    "csv": to_csv,
    "parquet": to_parquet,
    "tensorboard": to_tensorboard,
    "mlflow": to_mlflow,
}


def _table(place: Path, ending: str) -> Path:
    """Take what has the ending for the file, and anything else for a folder to put it in."""
    return place if place.suffix == ending else place / f"fpdrift{ending}"


def _by_run(series: Sequence[Series]) -> list[tuple[str, list[Series]]]:
    """Group by run, under a name that every file system takes and no other run has."""
    found: dict[str, list[Series]] = {}
    for run, parts in groupby(series, key=lambda one: one.run):
        name = re.sub(r"[^\w.#+-]+", "-", run.replace(".fpdrift", ""))[:100].strip("-.") or "run"
        number = 1
        while (unique := name if number == 1 else f"{name}-{number}") in found:
            number += 1
        found[unique] = list(parts)
    return list(found.items())
