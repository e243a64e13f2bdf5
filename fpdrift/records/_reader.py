"""Read a record from an untrusted source: every entry is checked before it is used.

`open_record` treats every file as untrusted, and rejects one that is large or slow to read.
`open_own` reads a record of the user's own run, which must not be lost because it is large.
"""

from __future__ import annotations

import math
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, RecordError, short_repr
from fpdrift.provenance import Provenance
from fpdrift.records import _codec, _format, _sandbox
from fpdrift.records._codec import Columns
from fpdrift.records._record import Phase, Record, Tensor, Union
from fpdrift.records._rules import Rules
from fpdrift.records._sandbox import RefusedError, absolute, text_of

_MAX_KIND = 20
#: A record that is being written may change during the copy, which is then repeated.
_TRIES = 5


def open_record(path: str | os.PathLike[str], *, max_bytes: int = _format.MAX_BYTES) -> Record:
    """Read a record into memory.

    The file may come from an untrusted source. It is never written to: a private copy, including
    its journal, is recovered, checked entry by entry against its digests and declared sizes, and
    read. If its writer was killed or is still running, the record has every finished step.

    Parameters
    ----------
    path : str or os.PathLike
        The record, or a link to it.
    max_bytes : int, default 2**28
        Largest file size, 256 MiB by default, with a limit of 2 s for reading. Use a larger number
        only for files that you trust: it also lifts the time limit.

    Returns
    -------
    Record
        Its content; `Record.complete` is False if the run did not end.

    Raises
    ------
    RecordError
        If the file is missing, is not a record, is damaged, or is malicious.
    FpdriftError
        If `max_bytes` is not an integer above 0.
    """
    place = absolute(path)
    if not isinstance(max_bytes, int) or isinstance(max_bytes, bool) or max_bytes < 1:
        message = f"max_bytes must be a whole number above 0, not {short_repr(max_bytes)}"
        raise FpdriftError(message)
    for last in (False,) * (_TRIES - 1) + (True,):
        before = None
        try:
            before = _sandbox.identity(place)
            return _open(place, max_bytes)
        except RefusedError as error:
            message = f"{short_repr(place.name)} cannot be opened: {error}"
            raise RecordError(message) from None
        except OSError as error:
            why = error.strerror or str(error)
            message = (
                f"{short_repr(place.name)} cannot be read: {why}; "
                "check the path and its permissions"
            )
            raise RecordError(message) from None
        except _DamagedError as error:
            if last or _sandbox.identity(place) == before:
                name = short_repr(place.name)
                message = f"{name} is damaged: {error}; use another copy of the record"
                raise RecordError(message) from None
    raise AssertionError


class _DamagedError(Exception):
    """The content of a record breaks a rule."""


class _Entry(NamedTuple):
    kind: str
    value: Any
    characters: int
    data: bytes


@dataclass
class _Block:
    """One phase: indices of its tensors in the list of all, and the bytes of its steps."""

    places: list[int]
    sizes: list[int]
    rows: list[int] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    kept_rows: list[int] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)


@dataclass
class _Reading:
    """The content read so far."""

    loss_kind: str
    meta: dict[str, Any]
    provenance: Provenance
    blocks: list[_Block] = field(default_factory=list)
    union: Union = field(default_factory=Union)
    phases: list[Phase] = field(default_factory=list)
    complete: bool = False
    steps: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    metrics: Columns = field(default_factory=Columns)
    digests: Columns = field(default_factory=lambda: Columns("Q", 0))
    sketch_steps: list[int] = field(default_factory=list)
    predictions: dict[int, npt.NDArray[Any]] = field(default_factory=dict)
    epochs: Columns = field(default_factory=Columns)
    notes: list[str] = field(default_factory=list)
    not_finite: tuple[int, str] | None = None

    def begin(self, tensors: Sequence[Tensor], step: int, changes: Sequence[str] = ()) -> None:
        """Begin a phase."""
        places = self.union.add(tensors, step)
        self.blocks.append(_Block(places, [_codec.kept_bytes(tensor) for tensor in tensors]))
        self.phases.append(Phase(step, tuple(changes)))

    def add_gap(self, step: int) -> None:
        """Add a step whose update was not recorded."""
        self.steps.append(step)
        self.loss.append(math.nan)
        self.metrics.add({})
        self.digests.add({})


def _open(path: Path, max_bytes: int) -> Record:
    with _sandbox.open_copy(path, max_bytes) as copy:
        try:
            _check_schema(copy.connection)
            return _record(text_of(path.name), _read(copy), copy.check_clock)
        except RefusedError:
            raise
        except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError) as error:
            if str(error) == "interrupted":  # by the clock
                raise RefusedError(_sandbox.TOO_LONG) from None
            raise _DamagedError(_one_line(error)) from None
        except (RecursionError, OverflowError, MemoryError, FpdriftError) as error:
            raise _DamagedError(_one_line(error)) from None


def _one_line(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
    printable = "".join(c if c.isprintable() else " " for c in text[:200])
    return printable or type(error).__name__


def _check_schema(connection: sqlite3.Connection) -> None:
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master LIMIT 2"
    if connection.execute(query).fetchall() != _format.SCHEMA:
        message = "it does not have the tables of a record"
        raise ValueError(message)
    # lengths are checked before texts and data are read
    query = (
        "SELECT max(length(kind)), max(length(text) - (kind IN ('start', 'phase')) * ?) FROM entry"
    )
    more = _format.MAX_START_TEXT - _format.MAX_TEXT
    kind, text = connection.execute(query, (more,)).fetchone()
    if (kind or 0) > _MAX_KIND or (text or 0) > _format.MAX_TEXT:
        message = "an entry is too long"
        raise ValueError(message)


def _read(copy: _sandbox.Copy) -> _Reading:
    """Read every entry in order, and check each before it is used."""
    rules, reading = Rules(), None
    for entry in _entries(copy.connection):
        copy.check_clock()
        rules.check(entry.kind, entry.value, entry.characters, entry.data)
        if rules.bytes > copy.size:  # pages shared by several entries
            message = f"its entries have more than the file's {copy.size} bytes"
            raise ValueError(message)
        if reading is None:
            reading = _start(entry, rules.tensors)
        else:
            reading.complete = entry.kind == "end"
            _READ[entry.kind](reading, entry, rules)
    if reading is None:
        message = "it has no start entry"
        raise ValueError(message)
    return reading


def _entries(connection: sqlite3.Connection) -> Iterator[_Entry]:
    digest = b""
    rows = connection.execute("SELECT number, kind, text, data, digest FROM entry ORDER BY number")
    for expected, (number, kind, text, data, stored) in enumerate(rows, 1):
        fit = isinstance(kind, str) and isinstance(text, str) and isinstance(data, bytes)
        digest = _format.chain(digest, kind, text, data) if fit else b""
        if not fit or number != expected or digest != stored:
            message = f"entry {expected} is missing or was changed"
            raise ValueError(message)
        yield _Entry(kind, _codec.from_text(text), len(text), data)


def _start(entry: _Entry, tensors: Sequence[Tensor]) -> _Reading:
    value = entry.value
    provenance = Provenance.from_dict(value["provenance"])
    reading = _Reading(value["loss_kind"], value["meta"], provenance)
    reading.begin(tensors, 0)
    return reading


def _read_step(reading: _Reading, entry: _Entry, rules: Rules) -> None:
    value, hashed = entry.value, 8 * len(rules.tensors)
    reading.steps.append(value["step"])
    reading.loss.append(_codec.number_from_json(value["loss"]))
    reading.metrics.add(_codec.numbers_from_json(value["metrics"]))
    reading.digests.add(_codec.digests_from_json(value.get("digests", {})))
    if value.get("not_finite") and reading.not_finite is None:
        reading.not_finite = value["step"], value["not_finite"][0]
    _hashed(reading, entry.data[:hashed])
    if len(entry.data) > hashed:
        _keep(reading, entry.data[hashed:])


def _hashed(reading: _Reading, data: bytes) -> None:
    reading.blocks[-1].rows.append(len(reading.steps) - 1)
    reading.blocks[-1].hashes.append(data)


def _keep(reading: _Reading, data: bytes) -> None:
    step = reading.steps[-1]
    if reading.sketch_steps[-1:] != [step]:
        reading.sketch_steps.append(step)
    reading.blocks[-1].kept_rows.append(len(reading.sketch_steps) - 1)
    reading.blocks[-1].kept.append(data)


def _read_values(reading: _Reading, entry: _Entry, _rules: Rules) -> None:
    _keep(reading, entry.data)


def _read_phase(reading: _Reading, entry: _Entry, rules: Rules) -> None:
    hashed = 8 * len(rules.tensors)
    step = entry.value["step"]
    reading.begin(rules.tensors, step, entry.value["changes"])
    if step > reading.steps[-1]:
        reading.add_gap(step)
        sketched = True
    else:  # otherwise its values would be paired with the earlier phase's hashes
        sketched = step in reading.sketch_steps[-1:]
    _hashed(reading, entry.data[:hashed])
    if sketched:
        _keep(reading, entry.data[hashed:])


def _read_prediction(reading: _Reading, entry: _Entry, _rules: Rules) -> None:
    dtype = _codec.NUMBERS[entry.value["dtype"]]
    array = np.frombuffer(entry.data, dtype).reshape(entry.value["shape"])
    reading.predictions[entry.value["step"]] = array


def _read_epoch(reading: _Reading, entry: _Entry, _rules: Rules) -> None:
    reading.epochs.add(_codec.numbers_from_json(entry.value))


def _read_note(reading: _Reading, entry: _Entry, _rules: Rules) -> None:
    reading.notes.append(entry.value)


def _read_end(reading: _Reading, entry: _Entry, _rules: Rules) -> None:
    """Read nothing: an end has no content."""


_READ = {
    "step": _read_step,
    "values": _read_values,
    "prediction": _read_prediction,
    "epoch": _read_epoch,
    "phase": _read_phase,
    "note": _read_note,
    "end": _read_end,
}


def _record(name: str, reading: _Reading, check_clock: Callable[[], None]) -> Record:
    steps = np.array(reading.steps, np.int64)
    hashes, present = _hash_table(reading)
    kept, norms = _kept_tables(reading, check_clock)
    meta = reading.meta
    if reading.notes:
        notes = meta.get("notes", [])
        meta["notes"] = [*([notes] if isinstance(notes, str) else notes), *reading.notes]
    loss = np.array(reading.loss, np.float64)
    if reading.loss_kind == "running mean" and np.isnan(loss).all():
        reading.loss_kind = "none"  # known only after the steps
    first = Phase(reading.steps[0] if reading.steps else 0)
    record = Record(
        name=name,
        complete=reading.complete,
        tensors=tuple(reading.union.tensors),
        steps=steps,
        hashes=hashes,
        loss=loss,
        loss_kind=reading.loss_kind,
        metrics=reading.metrics.columns(),
        digests=reading.digests.columns(),
        sketch_steps=np.array(reading.sketch_steps, np.int64),
        kept=kept,
        squared_norms=norms,
        predictions=reading.predictions,
        epochs=reading.epochs.rows(),
        meta=meta,
        provenance=reading.provenance,
        present=present,
        phases=(first, *reading.phases[1:]),
        start_seen=_start_seen(meta, reading.steps),
        first_non_finite=_first_non_finite(reading, present, kept, norms),
    )
    columns = (record.metrics, record.digests, kept, norms, record.predictions)
    arrays = (record.steps, hashes, record.loss, record.sketch_steps, present)
    for array in (*arrays, *(a for column in columns for a in column.values())):
        array.flags.writeable = False
    return record


def _hash_table(reading: _Reading) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Combine the phases' hashes; for a step in two phases, the earlier phase's are used."""
    shape = len(reading.steps), len(reading.union.tensors)
    hashes, present = np.zeros(shape, np.uint64), np.zeros(shape, bool)
    for block in reversed(reading.blocks):
        at = np.ix_(block.rows, block.places)
        found = np.frombuffer(b"".join(block.hashes), "<u8")
        block.hashes.clear()
        hashes[at] = found.reshape(len(block.rows), len(block.places))
        present[at] = True
    return hashes, present


def _kept_tables(
    reading: _Reading, check_clock: Callable[[], None]
) -> tuple[dict[int, npt.NDArray[np.float64]], dict[int, npt.NDArray[np.float64]]]:
    """Combine the phases' stored values of each tensor, NaN where it is not present."""
    kept: dict[int, npt.NDArray[np.float64]] = {}
    norms: dict[int, npt.NDArray[np.float64]] = {}
    rows = len(reading.sketch_steps)
    for block in reversed(reading.blocks):
        position = 0
        for place, size in zip(block.places, block.sizes, strict=True):
            tensor = reading.union.tensors[place]
            if tensor.kept == "hash" or not block.kept:
                continue
            check_clock()
            data = [entry[position : position + size] for entry in block.kept]
            position += size
            values, squares = _codec.unpack(tensor, data)
            if len(block.kept_rows) == rows:
                kept[place], norms[place] = values, squares
                continue
            if place not in kept:
                kept[place] = np.full((rows, values.shape[1]), np.nan)
                norms[place] = np.full(rows, np.nan)
            kept[place][block.kept_rows] = values
            norms[place][block.kept_rows] = squares
        block.kept.clear()
    return dict(sorted(kept.items())), dict(sorted(norms.items()))


def _start_seen(meta: dict[str, Any], steps: list[int]) -> bool:
    """Return whether the first recorded step is the state before an update, not after one."""
    about = meta.get("recorder")
    seen = about.get("start_seen") if isinstance(about, dict) else None
    return seen if isinstance(seen, bool) else steps[:1] in ([], [0])


def _first_non_finite(
    reading: _Reading,
    present: npt.NDArray[np.bool_],
    kept: dict[int, npt.NDArray[np.float64]],
    norms: dict[int, npt.NDArray[np.float64]],
) -> tuple[int, str] | None:
    """Return step and name of the first value that is not finite, reported or stored."""
    found = [] if reading.not_finite is None else [reading.not_finite]
    infinite = np.flatnonzero(np.isinf(reading.loss))
    found += [(reading.steps[row], "loss") for row in infinite[:1]]
    rows = np.searchsorted(reading.steps, reading.sketch_steps)
    for place, values in kept.items():
        there = present[rows, place]
        # a square may be infinite though the number is finite
        bad = there & ~np.isfinite(norms[place])
        for row in np.flatnonzero(bad):
            if not np.isfinite(values[row]).all():
                found.append((reading.sketch_steps[row], reading.union.tensors[place].name))
                break
    return min(found, key=lambda item: item[0], default=None)


def opener(*, trust: bool) -> Callable[[str | os.PathLike[str]], Record]:
    """Return `open_own` for trusted files, otherwise `open_record`."""
    return open_own if trust else open_record


def open_own(path: str | os.PathLike[str]) -> Record:
    """Read a record of the user's own run of any size; it is checked like any other.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    Record

    Raises
    ------
    RecordError
        As `open_record`.
    """
    return open_record(path, max_bytes=sys.maxsize)
