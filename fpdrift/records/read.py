"""Read a record that anybody may have made: checked first, believed afterwards."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, RecordError, shown
from fpdrift.provenance import Provenance
from fpdrift.records import content, private_copy, schema
from fpdrift.records.columns import Columns
from fpdrift.records.hashing import HASH_VERSION
from fpdrift.records.place import absolute
from fpdrift.records.private_copy import RefusedError
from fpdrift.records.record import Record, Tensor

_MAX_KIND = 20
#: A record that is being written may change under the copy; then a new copy helps.
_TRIES = 5


def open_record(path: str | os.PathLike[str], *, max_bytes: int = schema.MAX_BYTES) -> Record:
    """Read a record into memory.

    The file may come from anybody. It is never written to: a private copy, its journal included, is
    recovered, checked entry by entry against its digests and declared sizes, and read. A record
    whose writer was killed or is still at work opens with every step that was finished.

    Parameters
    ----------
    path : str or os.PathLike
        The record, or a link to it.
    max_bytes : int, default 2**28
        Largest file that is looked at, 256 MiB by default, and 2 s are spent on it. A larger number
        is for files that you trust: reading may then take as long as it takes.

    Returns
    -------
    Record
        Its content; `Record.complete` is False where the run did not end.

    Raises
    ------
    RecordError
        If the file is missing, is no record, is damaged, or was made to do harm.
    FpdriftError
        If `max_bytes` is no whole number above 0.
    """
    place = absolute(path)
    if not isinstance(max_bytes, int) or isinstance(max_bytes, bool) or max_bytes < 1:
        message = f"max_bytes is a whole number of bytes above 0, not {shown(max_bytes)}"
        raise FpdriftError(message)
    for last in (False,) * (_TRIES - 1) + (True,):
        before = None
        try:
            before = private_copy.identity(place)
            return _open(place, max_bytes)
        except RefusedError as error:
            message = f"{shown(place.name)} cannot be opened: {error}"
            raise RecordError(message) from None
        except OSError as error:
            why = error.strerror or str(error)
            message = f"{shown(place.name)} cannot be read: {why}; check the path and its rights"
            raise RecordError(message) from None
        except _DamagedError as error:
            if last or private_copy.identity(place) == before:
                name = shown(place.name)
                message = f"{name} is damaged: {error}; take another copy of the record"
                raise RecordError(message) from None
    raise AssertionError


_TOO_LONG = f"it takes longer than {schema.MAX_SECONDS:g} s to read; {private_copy.IF_TRUSTED}"


class _DamagedError(Exception):
    """The content breaks a rule."""


class _Entry(NamedTuple):
    kind: str
    value: Any
    data: bytes


@dataclass
class _Reading:
    """What has been read so far."""

    tensors: tuple[Tensor, ...]
    loss_kind: str
    meta: dict[str, Any]
    provenance: Provenance
    complete: bool = False
    steps: list[int] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    metrics: Columns = field(default_factory=Columns)
    sketch_steps: list[int] = field(default_factory=list)
    kept: dict[int, list[bytes]] = field(default_factory=dict)
    predictions: dict[int, npt.NDArray[Any]] = field(default_factory=dict)
    epochs: Columns = field(default_factory=Columns)
    notes: list[str] = field(default_factory=list)
    #: bytes of each tensor at a sketched step
    sizes: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.sizes = [content.kept_bytes(tensor) for tensor in self.tensors]


def _open(path: Path, max_bytes: int) -> Record:
    with private_copy.opened(path, max_bytes) as connection:
        try:
            _check_schema(connection)
            entries = _entries(connection)
            reading = _start(next(entries, None))
            for entry in entries:
                reading.complete = entry.kind == "end"
                _READ[entry.kind](reading, entry)
            return _record(path.name, reading)
        except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError) as error:
            if str(error) == "interrupted":  # by the clock
                raise RefusedError(_TOO_LONG) from None
            raise _DamagedError(_one_line(error)) from None
        except (RecursionError, OverflowError, MemoryError, FpdriftError) as error:
            raise _DamagedError(_one_line(error)) from None


def _one_line(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
    printable = "".join(c if c.isprintable() else " " for c in text[:200])
    return printable or type(error).__name__


def _check_schema(connection: sqlite3.Connection) -> None:
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master LIMIT 2"
    if connection.execute(query).fetchall() != schema.SCHEMA:
        message = "its tables are not those of a record"
        raise ValueError(message)


def _entries(connection: sqlite3.Connection) -> Iterator[_Entry]:
    """Give every entry in order; lengths are looked at before texts and data are."""
    query = "SELECT max(length(kind)), max(length(text)) FROM entry WHERE number"
    for where, most in (("<= 1", schema.MAX_START_TEXT), ("> 1", schema.MAX_TEXT)):
        kind, text = connection.execute(f"{query} {where}").fetchone()
        if (kind or 0) > _MAX_KIND or (text or 0) > most:
            message = "an entry is too long"
            raise ValueError(message)
    digest, texts = b"", 0
    rows = connection.execute("SELECT number, kind, text, data, digest FROM entry ORDER BY number")
    for expected, (number, kind, text, data, stored) in enumerate(rows, 1):
        fit = isinstance(kind, str) and isinstance(text, str) and isinstance(data, bytes)
        digest = schema.chain(digest, kind, text, data) if fit else b""
        if not fit or number != expected or digest != stored:
            message = f"entry {expected} is missing or was changed"
            raise ValueError(message)
        texts += len(text) if kind != "step" else 0
        if texts > schema.MAX_ALL_TEXT:
            message = "its texts are too long"
            raise ValueError(message)
        yield _Entry(kind, content.from_text(text), data)


def _start(entry: _Entry | None) -> _Reading:
    if entry is None or entry.kind != "start":
        message = "it has no start"
        raise ValueError(message)
    value = entry.value
    if value["hash_version"] != HASH_VERSION:
        message = f"hash version {shown(value['hash_version'])}, this fpdrift reads {HASH_VERSION}"
        raise ValueError(message)
    if value["loss_kind"] not in content.LOSS_KINDS or not isinstance(value["meta"], dict):
        message = "loss_kind or meta is of another kind than it should be"
        raise ValueError(message)
    return _Reading(
        content.tensors_from_json(value["tensors"]),
        value["loss_kind"],
        value["meta"],
        Provenance.from_dict(value["provenance"]),
    )


def _read_step(reading: _Reading, entry: _Entry) -> None:
    step = content.count_from_json(entry.value["step"])
    if reading.steps and step <= reading.steps[-1]:
        message = f"step {step} follows step {reading.steps[-1]}"
        raise ValueError(message)
    hashed = 8 * len(reading.tensors)
    if len(entry.data) not in (hashed, hashed + sum(reading.sizes)):
        message = f"step {step} has {len(entry.data)} bytes, which its tensors do not"
        raise ValueError(message)
    reading.steps.append(step)
    reading.hashes.append(entry.data[:hashed])
    reading.loss.append(content.number_from_json(entry.value["loss"]))
    reading.metrics.add(content.numbers_from_json(entry.value["metrics"]))
    if len(entry.data) > hashed:
        _keep(reading, step, entry.data[hashed:])


def _read_values(reading: _Reading, entry: _Entry) -> None:
    step = content.count_from_json(entry.value["step"])
    if reading.steps[-1:] != [step] or step in reading.sketch_steps[-1:]:
        message = f"values of step {step} are not of the last step, or there twice"
        raise ValueError(message)
    if len(entry.data) != sum(reading.sizes):
        message = f"values of step {step} have {len(entry.data)} bytes, which its tensors do not"
        raise ValueError(message)
    _keep(reading, step, entry.data)


def _keep(reading: _Reading, step: int, data: bytes) -> None:
    """Take the values and sketches of one step apart, tensor by tensor."""
    reading.sketch_steps.append(step)
    position = 0
    for index, size in enumerate(reading.sizes):
        if reading.tensors[index].kept != "hash":
            reading.kept.setdefault(index, []).append(data[position : position + size])
            position += size


def _read_prediction(reading: _Reading, entry: _Entry) -> None:
    step = content.count_from_json(entry.value["step"])
    shape = content.shape_from_json(entry.value["shape"])
    dtype = content.NUMBERS[entry.value["dtype"]]
    if not shape or len(entry.data) != prod(shape) * dtype.itemsize:
        message = f"predictions of step {step} are not of their shape"
        raise ValueError(message)
    reading.predictions[step] = np.frombuffer(entry.data, dtype).reshape(shape)


def _read_epoch(reading: _Reading, entry: _Entry) -> None:
    reading.epochs.add(content.numbers_from_json(entry.value))


def _read_note(reading: _Reading, entry: _Entry) -> None:
    if not isinstance(entry.value, str):
        message = "a note is no text"
        raise TypeError(message)
    reading.notes.append(entry.value)


def _read_end(reading: _Reading, entry: _Entry) -> None:
    """Nothing to read: it is there."""


_READ = {
    "step": _read_step,
    "values": _read_values,
    "prediction": _read_prediction,
    "epoch": _read_epoch,
    "note": _read_note,
    "end": _read_end,
}


def _record(name: str, reading: _Reading) -> Record:
    metrics = reading.metrics.columns()
    kept, norms = {}, {}
    for index in list(reading.kept):  # what is taken apart is let go: values are held once
        kept[index], norms[index] = content.unpack(reading.tensors[index], reading.kept.pop(index))
    if reading.notes:
        said = reading.meta.get("notes", [])
        reading.meta["notes"] = [*([said] if isinstance(said, str) else said), *reading.notes]
    if reading.loss_kind == "running mean" and np.isnan(reading.loss).all():
        reading.loss_kind = "none"  # known only once the steps were made
    hashes = np.frombuffer(b"".join(reading.hashes), "<u8").astype(np.uint64)
    record = Record(
        name=name,
        complete=reading.complete,
        tensors=reading.tensors,
        steps=np.array(reading.steps, np.int64),
        hashes=hashes.reshape(-1, len(reading.tensors)),
        loss=np.array(reading.loss, np.float64),
        loss_kind=reading.loss_kind,
        metrics=metrics,
        sketch_steps=np.array(reading.sketch_steps, np.int64),
        kept=kept,
        squared_norms=norms,
        predictions=reading.predictions,
        epochs=reading.epochs.rows(),
        meta=reading.meta,
        provenance=reading.provenance,
    )
    columns = (record.metrics, kept, norms, record.predictions)
    arrays = (record.steps, record.hashes, record.loss, record.sketch_steps)
    for array in (*arrays, *(a for column in columns for a in column.values())):
        array.flags.writeable = False
    return record
