"""Write a record, entry by entry, so that a killed process loses none that was finished.

Each entry is one transaction of SQLite with a rollback journal on disk. What has been handed to the
operating system outlives the process, so `synchronous` is off: a cut of power may cost the record,
`kill -9` may not. In return a step costs some tens of microseconds.
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
from fpdrift.errors import RecordError, shown
from fpdrift.records import content, schema
from fpdrift.records.columns import MAX_NAMES
from fpdrift.records.hashing import HASH_VERSION
from fpdrift.records.place import check_place
from fpdrift.records.record import Tensor


class RecordWriter:
    """A record that grows. Threads may take turns in writing it, not write at the same time.

    Parameters
    ----------
    path : str or os.PathLike
        File to make, usually ``*.fpdrift``.
    tensors : sequence of Tensor
        Names unique; the order is that of the hashes of every step.
    loss_kind : str, default "step"
        ``"step"``, ``"execution"``, ``"running mean"`` or ``"none"``; see `Record`.
    meta : mapping, optional
        Whatever else is to be known, as JSON values: condition, seed, network, data, notes.
    provenance : Provenance, optional
        What produces the run; by default this process.
    overwrite : bool, default False
        Replace a record that is there. Any other file is left alone.

    Raises
    ------
    RecordError
        If something is there already, or nothing can be written there.
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
        self._texts = 0
        self._names: set[str] = set()
        start = {
            "tensors": content.tensors_to_json(self.tensors),
            "loss_kind": loss_kind,
            "meta": dict(meta or {}),
            "provenance": (provenance or fpdrift_provenance.current()).to_dict(),
            "hash_version": HASH_VERSION,
        }
        text = to_text(start, schema.MAX_START_TEXT)
        try:
            self._create(overwrite=overwrite)
            self._append("start", text)
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
    ) -> None:
        """Write one step.

        Parameters
        ----------
        step : int
            Number of updates done; larger than at the step before.
        hashes : array_like of uint64, shape (tensors,)
            `content_hash` of every tensor.
        loss : float, default NaN
            The step's loss.
        metrics : mapping of str to float, optional
            What else the training loop reports.
        values : mapping of int to numpy.ndarray, optional
            At a step to be sketched: index -> values of every tensor whose `kept` is not "hash".

        Raises
        ------
        RecordError
            If it cannot be written.
        """
        self._check_names(metrics or {})
        row = {
            "step": int(step),
            "loss": content.number_to_json(loss),
            "metrics": content.numbers_to_json(metrics or {}),
        }
        parts = [np.asarray(hashes, "<u8").tobytes()]
        if len(parts[0]) != 8 * len(self.tensors):
            message = f"{len(self.tensors)} tensors need as many hashes, not {len(parts[0]) // 8}"
            raise RecordError(message)
        if values is not None:
            parts.append(self._pack(values))
        self._append("step", to_text(row), b"".join(parts))

    def add_values(self, step: int, values: Mapping[int, npt.NDArray[Any]]) -> None:
        """Keep the values of the last step, which was not due: the run ends there."""
        self._append("values", to_text({"step": int(step)}), self._pack(values))

    def _pack(self, values: Mapping[int, npt.NDArray[Any]]) -> bytes:
        return b"".join(
            content.pack(tensor, values[i])
            for i, tensor in enumerate(self.tensors)
            if tensor.kept != "hash"
        )

    def add_predictions(self, step: int, predictions: npt.NDArray[Any]) -> None:
        """Write the model's output on the probe batch after `step` updates (samples, ...)."""
        array = np.asarray(predictions)
        row = {"step": int(step), "dtype": array.dtype.name, "shape": list(array.shape)}
        dtype = content.NUMBERS.get(array.dtype.name)
        if dtype is None:
            message = (
                f"{shown(self.path.name)}: cannot keep predictions of dtype {array.dtype.name}"
            )
            raise RecordError(message)
        self._append("prediction", to_text(row), array.astype(dtype).tobytes())

    def add_epoch(self, logs: Mapping[str, float]) -> None:
        """Write what the training loop reported at the end of an epoch."""
        self._check_names(logs)
        self._append("epoch", to_text(content.numbers_to_json(logs)))

    def add_note(self, note: str) -> None:
        """Write a sentence about the run that turned up on the way."""
        self._append("note", to_text(note))

    def finish(self) -> None:
        """Say that the run is complete, and close; what is added later goes on from there."""
        self._append("end", "null")
        self.close()

    def _check_names(self, numbers: Mapping[str, float]) -> None:
        self._names.update(numbers)
        if len(self._names) > MAX_NAMES:
            message = f"a record holds at most {MAX_NAMES} metrics, not {len(self._names)}"
            raise RecordError(message)

    def close(self) -> None:
        """Let go of the file. Without `finish` before it, the record stays incomplete."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _create(self, *, overwrite: bool) -> None:
        try:
            if overwrite:
                self.path.unlink(missing_ok=True)
                Path(f"{self.path}-journal").unlink(missing_ok=True)
            # made by nobody else in between, which SQLite alone does not promise
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise self._error(error.strerror or str(error)) from None
        self._file = self._identity()

    def _append(self, kind: schema.Kind, text: str, data: bytes = b"") -> None:
        digest = schema.chain(self._digest, kind, text, data)
        self._texts += len(text) if kind != "step" else 0
        if len(data) > schema.MAX_DATA or self._texts > schema.MAX_ALL_TEXT:
            what = (
                f"{self._texts} characters of text beside steps, or {len(data)} bytes in one entry,"
            )
            raise RecordError(f"{shown(self.path.name)} cannot be written: {what} are too many")
        try:
            if self._identity() != self._file:
                raise self._error("another file is in its place")
            connection = self._connection = self._connection or self._connect()
            if kind == "start":
                connection.execute("BEGIN")
                connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {schema.FORMAT_VERSION}")
                connection.execute(schema.TABLE)
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
                ("locking_mode", "EXCLUSIVE"),  # no locks to take and give back at every step
                ("journal_mode", "DELETE"),
            ):
                connection.execute(f"PRAGMA {name} = {value}")
            if self._number:
                last = connection.execute("SELECT max(number), digest FROM entry").fetchone()
                if last != (self._number, self._digest):
                    raise self._error("it was changed from elsewhere")
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
            f"{shown(self.path.name)} cannot be written: {why}; "
            "check the folder, its rights and space"
        )


def to_text(value: Any, limit: int = schema.MAX_TEXT) -> str:
    """Write JSON values as a record holds them, of at most `limit` bytes.

    Raises
    ------
    RecordError
        If they are no JSON values, nested too deep, too long, or hold control characters.
    """
    try:
        return content.to_text(value, limit)
    except (ValueError, TypeError, RecursionError) as error:
        message = f"a record cannot hold this: {error}"
        raise RecordError(message) from None
