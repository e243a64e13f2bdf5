"""Export records and comparisons to several formats; existing files are not replaced by default.

Every source becomes a list of series, numbers by step, from which each format makes the bytes of
its files.
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

#: Prefix of quantities reported once per epoch, for which `step` counts epochs from 1.
EPOCH = "epoch/"


class Series(NamedTuple):
    """One quantity of a run or of a pair of runs, by step."""

    #: the record's name, or ``"b against a"``
    run: str
    #: name of the tensor; empty for a quantity of the whole run
    tensor: str
    quantity: str
    #: ascending (n,)
    steps: npt.NDArray[np.int64]
    #: (n,)
    values: npt.NDArray[np.float64]


def series_of(sources: Iterable[Source]) -> list[Series]:
    """Convert records and comparisons to series.

    Raises
    ------
    FpdriftError
        If there is none, one has the wrong type, or a record cannot be read.
    """
    flat = [
        one
        for source in sources
        for one in (source.comparisons if isinstance(source, Comparisons) else (source,))
    ]
    if not flat:
        message = "nothing to export; pass at least one record or comparison"
        raise FpdriftError(message)
    found = []
    taken: Counter[str] = Counter()
    for source in flat:
        name, parts = _parts(source)
        taken[name] += 1
        # two folders may have files with the same name
        run = name if taken[name] == 1 else f"{name} #{taken[name]}"
        found += [
            Series(run, tensor, quantity, np.asarray(steps, np.int64), np.asarray(values, float))
            for tensor, quantity, steps, values in parts
            if len(steps)
        ]
    return found


def _parts(source: Any) -> tuple[str, Iterator[tuple[str, str, Any, Any]]]:
    """Return a source's name, and the tensor, quantity, steps and values of all its series."""
    if isinstance(source, str | os.PathLike):
        source = open_record(source)
    if isinstance(source, Record):
        return source.name, _of_record(source)
    if isinstance(source, Comparison):
        return f"{source.name_b} against {source.name_a}", _of_comparison(source)
    message = f"cannot export {short_repr(source)}; pass a record, its file, or a comparison"
    raise FpdriftError(message)


def _of_record(record: Record) -> Iterator[tuple[str, str, Any, Any]]:
    done = record.steps > 0  # nothing is reported before the first update
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
        with np.errstate(invalid="ignore"):  # two infinities, in runs that diverged
            difference = others - ours
        yield "", f"{name} difference", pair.recorded_steps[done], difference[done]
    if pair.churn is not None:
        yield "", "churn", [pair.churn_step], [pair.churn]


COLUMNS = ("run", "step", "tensor", "quantity", "value")
TEXTS = ("run", "tensor", "quantity")
#: Characters with which a formula may begin in some spreadsheet.
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
    """Return the columns of the tidy table, one row per number."""
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
    """Write the tidy table as text, each number with the fewest digits that restore its bits.

    A spreadsheet evaluates a cell that begins like a formula, and names come from untrusted
    records: such a text gets a leading apostrophe, which spreadsheets hide. Numbers are unchanged.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    columns = columns_of(series)
    columns |= {name: np.array([*map(_escape_formula, columns[name])], object) for name in TEXTS}
    rows.writerows(zip(*(columns[name].tolist() for name in COLUMNS), strict=True))
    return {_table(place, ".csv"): text.getvalue().encode()}


def _escape_formula(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def to_parquet(series: Sequence[Series], place: Path) -> Files:
    """Write the tidy table as Parquet."""
    arrow, parquet = needed("pyarrow"), needed("pyarrow.parquet")
    sink = arrow.BufferOutputStream()
    parquet.write_table(arrow.table(columns_of(series)), sink)
    return {_table(place, ".parquet"): sink.getvalue().to_pybytes()}


def to_tensorboard(series: Sequence[Series], place: Path) -> Files:
    """Write one folder per run, with scalars for TensorBoard (which stores them in float32).

    A record has no clock times, so that all of them are 1970. File names without time, host and
    process make equal exports bit-identical.
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
    """Write one file of JSON lines per run, each line with the fields of MLflow's ``Metric``.

    MLflow's names may have letters, digits and ``_-. :/``; any other character becomes ``_``.
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


#: JSON has no such numbers; MLflow's server reads them as protocol buffers write them.
_PROTOBUF = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

#: Format -> the function that writes it.
FORMATS: dict[str, Callable[[Sequence[Series], Path], Files]] = {
    "csv": to_csv,
    "parquet": to_parquet,
    "tensorboard": to_tensorboard,
    "mlflow": to_mlflow,
}


def _table(place: Path, ending: str) -> Path:
    """Return a path with the ending as the file, any other path as the folder of the file."""
    return place if place.suffix == ending else place / f"fpdrift{ending}"


def _by_run(series: Sequence[Series]) -> list[tuple[str, list[Series]]]:
    """Group by run, under a unique name that is valid in every file system."""
    found: dict[str, list[Series]] = {}
    for run, parts in groupby(series, key=lambda one: one.run):
        name = re.sub(r"[^\w.#+-]+", "-", run.replace(".fpdrift", ""))[:100].strip("-.") or "run"
        number = 1
        while (unique := name if number == 1 else f"{name}-{number}") in found:
            number += 1
        found[unique] = list(parts)
    return list(found.items())


def to_pandas(*sources: Source) -> pd.DataFrame:
    """Return records and comparisons as one tidy table, one row per number.

    Parameters
    ----------
    *sources : Record, Comparison, Comparisons, str or os.PathLike
        Records, their files, or results of `fpdrift.compare`.

    Returns
    -------
    pandas.DataFrame
        ``run``: the record's name, or ``"b against a"``. ``step``: updates done; for quantities
        that begin with ``epoch/``, epochs done. ``tensor``: its name, empty for numbers of the
        whole run. ``quantity``: loss, metrics, norm of a tensor; for a comparison the distance,
        ``"loss difference"`` (b minus a) and so on. ``value``: float64.

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
    """Export records and comparisons for other programs.

    All paths are checked before anything is written, and every file is written atomically.


    Parameters
    ----------
    sources : iterable of Record, Comparison, Comparisons, str or os.PathLike
        See `to_pandas`.
    overwrite : bool, default False
        Replace existing files.
    **places : str or os.PathLike
        Format and path: for ``csv`` and ``parquet`` (the table of `to_pandas`), a file with that
        ending, or a folder for it; for ``tensorboard``, a log folder for one folder per run; for
        ``mlflow``, a folder for one file of JSON lines per run, with the fields of MLflow's
        ``Metric``.

    Returns
    -------
    tuple of pathlib.Path
        The absolute paths of the files.

    Raises
    ------
    MissingExtraError
        If the library of a format is not installed.
    FpdriftError
        If there is nothing to export or no format, a record cannot be read, or a file already
        exists.
    """
    check_switch("overwrite", overwrite)
    asked = {name: place for name, place in places.items() if place is not None}
    if not asked or not set(asked) <= set(FORMATS):
        message = f"formats {short_repr(list(asked))}; choose from {', '.join(FORMATS)}"
        raise FpdriftError(message)
    series = series_of([sources] if isinstance(sources, str | os.PathLike) else sources)
    files: Files = {}
    for name, place in asked.items():
        files |= FORMATS[name](series, absolute(place))
    for path in files:
        if os.path.lexists(path) and not overwrite:
            message = f"{_short_path(path)} already exists; choose another place, or use overwrite"
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
        message = f"cannot write {_short_path(path)}: {why}; choose another place"
        raise FpdriftError(message) from None


def _short_path(path: Path) -> str:
    return short_repr(os.path.join(*path.parts[-2:]))  # noqa: PTH118 - text for a message, not a path
