"""Write a record entry by entry, so that a killed process loses no finished entry.

Each entry is one SQLite transaction with a rollback journal on disk. Data handed to the operating
system outlive the process, so `synchronous` is off: a power failure may destroy the record, but
`kill -9` cannot. In return, a step takes only tens of microseconds.
"""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift import provenance as fpdrift_provenance
from fpdrift.errors import RecordError, short_repr
from fpdrift.records import _codec, _format
from fpdrift.records._format import HASH_VERSION
from fpdrift.records._record import Tensor
from fpdrift.records._rules import Rules
from fpdrift.records._sandbox import check_place


class RecordWriter:
    """Write a record. Several threads may write to it, but not at the same time.

    Parameters
    ----------
    path : str or os.PathLike
        File to create, usually ``*.fpdrift``.
    tensors : sequence of Tensor
        Tensors with unique names, in the order of the hashes of every step.
    loss_kind : str, default "step"
        ``"step"``, ``"execution"``, ``"running mean"`` or ``"none"``; see `Record`.
    meta : mapping, optional
        Further information as JSON values: condition, seed, network, data, notes.
    provenance : Provenance, optional
        Provenance of the run; by default that of this process.
    overwrite : bool, default False
        Replace an existing record. Any other file is kept.

    Raises
    ------
    RecordError
        If the file already exists or cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        tensors: Sequence[Tensor],
        *,
        loss_kind: str = "step",
        meta: Mapping[str, Any] | None = None,
        provenance: fpdrift_provenance.Provenance | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = check_place(path, overwrite=overwrite)
        self.tensors = tuple(tensors)
        self._connection: sqlite3.Connection | None = None
        self._number = 0
        self._digest = b""
        self._rules = Rules()
        start = {
            "tensors": _codec.tensors_to_json(self.tensors),
            "loss_kind": loss_kind,
            "meta": dict(meta or {}),
            "provenance": (provenance or fpdrift_provenance.current()).to_dict(),
            "hash_version": HASH_VERSION,
        }
        text = self._encode_text("start", start, b"")
        try:
            self._create(overwrite=overwrite)
            self._insert("start", text, b"")
        except RecordError:
            self.close()
            raise

    def add_step(
        self,
        step: int,
        hashes: npt.ArrayLike,
        loss: float = math.nan,
        metrics: Mapping[str, float] | None = None,
        values: Mapping[int, npt.NDArray[Any]] | None = None,
        not_finite: Sequence[str] = (),
        digests: Mapping[str, int] | None = None,
    ) -> None:
        """Write one step.

        Parameters
        ----------
        step : int
            Number of updates done; larger than at the previous step.
        hashes : array_like of uint64, shape (tensors,)
            `content_hash` of every tensor.
        loss : float, default NaN
            The step's loss.
        metrics : mapping of str to float, optional
            Other values that the training loop reports.
        values : mapping of int to numpy.ndarray, optional
            At a sketched step: index -> values of every tensor whose `kept` is not "hash".
        not_finite : sequence of str, optional
            Where a value is infinite or NaN: "loss", or names of metrics or tensors, in order.
        digests : mapping of str to int, optional
            64-bit digests of what no tensor holds: "python" and "numpy", the states of their global
            generators after the step; "batch", the batch that the step was trained on.

        Raises
        ------
        RecordError
            If it cannot be written, or a reader would reject it.
        """
        row: dict[str, Any] = {
            "step": int(step),
            "loss": _codec.number_to_json(loss),
            "metrics": _codec.numbers_to_json(metrics or {}),
        }
        if not_finite:
            row["not_finite"] = list(not_finite)
        if digests:
            row["digests"] = _codec.digests_to_json(digests)
        self._append("step", row, self._encode(hashes, values))

    def add_phase(
        self,
        step: int,
        tensors: Sequence[Tensor],
        changes: Sequence[str],
        hashes: npt.ArrayLike,
        values: Mapping[int, npt.NDArray[Any]],
    ) -> None:
        """Begin a phase in which model, optimiser or settings have changed.

        Parameters
        ----------
        step : int
            Number of updates done, not less than at the last step.
        tensors : sequence of Tensor
            Tensors of all following entries.
        changes : sequence of str
            The changes, one sentence each.
        hashes : array_like of uint64, shape (tensors,)
            Hashes of the state before the first update of the phase.
        values : mapping of int to numpy.ndarray
            Values of that state, for every tensor whose `kept` is not "hash".

        Raises
        ------
        RecordError
            If it cannot be written, or a reader would reject it.
        """
        before, self.tensors = self.tensors, tuple(tensors)
        row = {
            "step": int(step),
            "tensors": _codec.tensors_to_json(self.tensors),
            "changes": list(changes),
        }
        try:
            self._append("phase", row, self._encode(hashes, values))
        except RecordError:
            self.tensors = before
            raise

    def add_values(self, step: int, values: Mapping[int, npt.NDArray[Any]]) -> None:
        """Store the values of the last step, which was not due, because the run ends there."""
        self._append("values", {"step": int(step)}, self._pack(values))

    def _encode(
        self, hashes: npt.ArrayLike, values: Mapping[int, npt.NDArray[Any]] | None
    ) -> bytes:
        data = np.asarray(hashes, "<u8").tobytes()
        if len(data) != 8 * len(self.tensors):
            message = f"expected {len(self.tensors)} hashes, one per tensor, not {len(data) // 8}"
            raise RecordError(message)
        return data if values is None else data + self._pack(values)

    def _pack(self, values: Mapping[int, npt.NDArray[Any]]) -> bytes:
        return b"".join(
            _codec.pack(tensor, values[i])
            for i, tensor in enumerate(self.tensors)
            if tensor.kept != "hash"
        )

    def add_predictions(self, step: int, predictions: npt.NDArray[Any]) -> None:
        """Write the model's output for the probe after `step` updates (samples, ...)."""
        array = np.asarray(predictions)
        row = {"step": int(step), "dtype": array.dtype.name, "shape": list(array.shape)}
        dtype = _codec.NUMBERS.get(array.dtype.name)
        if dtype is None:
            name = short_repr(self.path.name)
            message = f"{name}: cannot store predictions of dtype {array.dtype.name}"
            raise RecordError(message)
        self._append("prediction", row, array.astype(dtype).tobytes())

    def add_epoch(self, logs: Mapping[str, float]) -> None:
        """Write the logs of the training loop at the end of an epoch."""
        self._append("epoch", _codec.numbers_to_json(logs))

    def add_note(self, note: str) -> None:
        """Write a note about the run, one sentence."""
        self._append("note", note)

    def finish(self) -> None:
        """Mark the run as complete, and close; entries added later continue the record."""
        self._append("end", None)
        self.close()

    def close(self) -> None:
        """Close the file. Without a previous `finish`, the record stays incomplete."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _create(self, *, overwrite: bool) -> None:
        try:
            if overwrite:
                self.path.unlink(missing_ok=True)
                Path(f"{self.path}-journal").unlink(missing_ok=True)
            # created exclusively, which SQLite alone does not guarantee
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise self._error(error.strerror or str(error)) from None
        self._file = self._identity()

    def _append(self, kind: _format.Kind, value: Any, data: bytes = b"") -> None:
        self._insert(kind, self._encode_text(kind, value, data), data)

    def _encode_text(self, kind: _format.Kind, value: Any, data: bytes) -> str:
        """Return an entry's text, after the same checks that the reader makes."""
        text = to_text(value, _format.longest_text(kind))
        try:
            self._rules.check(kind, value, len(text), data)
        except (ValueError, KeyError, TypeError) as error:
            message = f"{short_repr(self.path.name)} cannot be written: {error}"
            raise RecordError(message) from None
        return text

    def _insert(self, kind: _format.Kind, text: str, data: bytes) -> None:
        digest = _format.chain(self._digest, kind, text, data)
        try:
            if self._identity() != self._file:
                raise self._error("another file has replaced it")
            connection = self._connection = self._connection or self._connect()
            if kind == "start":
                connection.execute("BEGIN")
                connection.execute(f"PRAGMA application_id = {_format.APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {_format.FORMAT_VERSION}")
                connection.execute(_format.TABLE)
            row = (self._number + 1, kind, text, data, digest)
            connection.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", row)
            if kind == "start":
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._error(str(error)) from None
        self._number += 1
        self._digest = digest

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            for name, value in (
                ("synchronous", "OFF"),
                ("locking_mode", "EXCLUSIVE"),  # no locks to acquire and release at every step
                ("journal_mode", "DELETE"),
            ):
                connection.execute(f"PRAGMA {name} = {value}")
            if self._number:
                last = connection.execute("SELECT max(number), digest FROM entry").fetchone()
                if last != (self._number, self._digest):
                    raise self._error("it was changed by something else")
        except BaseException:
            connection.close()
            raise
        return connection

    def _identity(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except OSError as error:
            raise self._error(error.strerror or str(error)) from None
        return found.st_dev, found.st_ino

    def _error(self, why: str) -> RecordError:
        return RecordError(
            f"{short_repr(self.path.name)} cannot be written: {why}; "
            "check the folder, its permissions and free space"
        )


def to_text(value: Any, limit: int = _format.MAX_TEXT) -> str:
    """Encode JSON values as in a record, in at most `limit` bytes.

    Raises
    ------
    RecordError
        If they are not JSON values, nested too deep, too long, or contain control characters.
    """
    try:
        return _codec.to_text(value, limit)
    except (ValueError, TypeError, RecursionError) as error:
        message = f"a record cannot store this: {error}"
        raise RecordError(message) from None
