"""Export records and comparisons, and never over something that is there without being told.

One list of numbers by step, whatever it is of: what every format of an export is made from.

The same numbers as each format wants them: functions from series to the files' bytes.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fpdrift import atomic
from fpdrift.comparison import Comparison, Comparisons
from fpdrift.errors import FpdriftError, MissingExtraError, short_repr
from fpdrift.records import Record, open_record
from fpdrift.records._sandbox import absolute
from fpdrift.validation import check_switch

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Source = Record | Comparison | Comparisons | str | os.PathLike[str]

#: In front of what was reported once an epoch: there `step` counts epochs, from 1.
EPOCH = "epoch/"


class Series(NamedTuple):
    """What one run, or one pair of runs, has of one quantity."""

    #: the record's name, or ``"b against a"``
    run: str
    #: what it is of; empty where it is of the whole run
    tensor: str
    quantity: str
    #: ascending (n,)
    steps: npt.NDArray[np.int64]
    #: (n,)
    values: npt.NDArray[np.float64]


def series_of(sources: Iterable[Source]) -> list[Series]:
    """Take records and comparisons apart.

    Raises
    ------
    FpdriftError
        If there is none, one is of another kind, or a record cannot be read.
    """
    flat = [
        one
        for source in sources
        for one in (source.comparisons if isinstance(source, Comparisons) else (source,))
    ]
    if not flat:
        message = "nothing to export; give at least one record or comparison"
        raise FpdriftError(message)
    found = []
    taken: Counter[str] = Counter()
    for source in flat:
        name, parts = _parts(source)
        taken[name] += 1
        # two folders may have files of one name
        run = name if taken[name] == 1 else f"{name} #{taken[name]}"
        found += [
            Series(run, tensor, quantity, np.asarray(steps, np.int64), np.asarray(values, float))
            for tensor, quantity, steps, values in parts
            if len(steps)
        ]
    return found


def _parts(source: Any) -> tuple[str, Iterator[tuple[str, str, Any, Any]]]:
    """Return a source's name, and tensor, quantity, steps and values of all that it holds."""
    if isinstance(source, str | os.PathLike):
        source = open_record(source)
    if isinstance(source, Record):
        return source.name, _of_record(source)
    if isinstance(source, Comparison):
        return f"{source.name_b} against {source.name_a}", _of_comparison(source)
    message = f"cannot export {short_repr(source)}; give a record, its file, or a comparison"
    raise FpdriftError(message)


def _of_record(record: Record) -> Iterator[tuple[str, str, Any, Any]]:
    done = record.steps > 0  # before the first update nothing was reported
    for name, values in {"loss": record.loss, **record.metrics}.items():
        if name != "loss" or record.loss_kind != "none":
            yield "", name, record.steps[done], values[done]
    for name in dict.fromkeys(name for epoch in record.epochs for name in epoch):
        there = [i for i, epoch in enumerate(record.epochs) if name in epoch]
        yield "", EPOCH + name, np.add(there, 1), [record.epochs[i][name] for i in there]
    for index, squares in sorted(record.squared_norms.items()):
        yield record.tensors[index].name, "norm", record.sketch_steps, np.sqrt(squares)


def _of_comparison(pair: Comparison) -> Iterator[tuple[str, str, Any, Any]]:
    yield "", "differing tensors", pair.recorded_steps, pair.differing
    yield "", "distance", pair.steps, pair.distance
    yield "", "distance standard error", pair.steps, pair.standard_error
    if pair.distance_without_zero_gradient is not None:
        quantity = "distance without zero gradient"
        yield "", quantity, pair.steps, pair.distance_without_zero_gradient
    for name, values in zip(pair.weights, pair.distance_by_weight, strict=True):
        yield name, "distance", pair.steps, values
    done = pair.recorded_steps > 0
    for name, (ours, others) in {"loss": pair.loss, **pair.metrics}.items():
        with np.errstate(invalid="ignore"):  # of two infinities, in runs that blew up
            difference = others - ours
        yield "", f"{name} difference", pair.recorded_steps[done], difference[done]
    if pair.churn is not None:
        yield "", "churn", [pair.churn_step], [pair.churn]


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
    """Return the tidy table's columns, one row a number."""
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


def to_pandas(*sources: Source) -> pd.DataFrame:
    """Return records and comparisons as one tidy table, one row a number.

    Parameters
    ----------
    *sources : Record, Comparison, Comparisons, str or os.PathLike
        Records, their files, or what `fpdrift.compare` gave.

    Returns
    -------
    pandas.DataFrame
        ``run``: the record's name, or ``"b against a"``. ``step``: updates done; of a quantity that
        begins with ``epoch/``, epochs done. ``tensor``: its name, empty where a number is of the
        whole run. ``quantity``: loss, metrics, norm of a tensor; of a comparison the distance,
        ``"loss difference"`` (b's less a's) and so on. ``value``: float64.

    Raises
    ------
    MissingExtraError
        If pandas is not installed.
    FpdriftError
        If there is nothing to export, or a record cannot be read.
    """
    pandas = needed("pandas")
    return pandas.DataFrame(columns_of(series_of(sources)), columns=list(COLUMNS))


def export(
    sources: Iterable[Source],
    *,
    overwrite: bool = False,
    **places: str | os.PathLike[str] | None,
) -> tuple[Path, ...]:
    """Write records and comparisons for other programs.

    All places are looked at before anything is written, and every file is written whole or not at
    all.

    Parameters
    ----------
    sources : iterable of Record, Comparison, Comparisons, str or os.PathLike
        See `to_pandas`.
    overwrite : bool, default False
        Replace files that are there.
    **places : str or os.PathLike
        Format and place: ``csv`` and ``parquet`` (the table of `to_pandas`) a file of that ending,
        or a folder for it; ``tensorboard`` a log folder, which gets one folder a run; ``mlflow`` a
        folder, which gets one file of JSON lines a run, each the fields of MLflow's ``Metric``.

    Returns
    -------
    tuple of pathlib.Path
        The files, absolute.

    Raises
    ------
    MissingExtraError
        If the library of a format is not installed.
    FpdriftError
        If there is nothing to export or nowhere to put it, a record cannot be read, or something is
        in the way.
    """
    check_switch("overwrite", overwrite)
    asked = {name: place for name, place in places.items() if place is not None}
    if not asked or not set(asked) <= set(FORMATS):
        message = f"formats {short_repr(list(asked))}; choose some of {', '.join(FORMATS)}"
        raise FpdriftError(message)
    series = series_of([sources] if isinstance(sources, str | os.PathLike) else sources)
    files: Files = {}
    for name, place in asked.items():
        files |= FORMATS[name](series, absolute(place))
    for path in files:
        if os.path.lexists(path) and not overwrite:
            message = f"{_named(path)} is there; choose another place, or say overwrite"
            raise FpdriftError(message)
    for path, data in files.items():
        _write(path, data)
    return tuple(files)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path, data)
    except OSError as error:
        why = error.strerror or str(error)
        message = f"cannot write {_named(path)}: {why}; choose another place"
        raise FpdriftError(message) from None


def _named(path: Path) -> str:
    return short_repr(os.path.join(*path.parts[-2:]))  # noqa: PTH118 - words to read, not a place
