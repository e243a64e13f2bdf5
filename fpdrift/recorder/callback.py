# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""The Keras callback that writes a record of anybody's training, and changes nothing in it."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from fpdrift.checks import check_callable, check_switch
from fpdrift.errors import FpdriftError, FpdriftWarning, RecordError, shown
from fpdrift.provenance import current
from fpdrift.recorder.describe import describe
from fpdrift.recorder.inputs import GIVE_PROBE, as_probe, numbers
from fpdrift.recorder.loss import StepLoss, has_own_loop
from fpdrift.recorder.state import Arrays, State, hashes, is_ready, shares_safely, sync
from fpdrift.records import RecordWriter, check_place, is_due, to_text


class DriftRecorder(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Record a training run: ``model.fit(..., callbacks=[DriftRecorder("a.fpdrift")])``.

    At every step the record gets a hash of every variable and optimiser slot, the step's own loss
    and the metrics; now and then values and sketches, from which distances are computed. Weights,
    optimiser, random generators, history and metrics end with the same bits as without it.

    List it before other callbacks: one that comes earlier is handed the step's own loss instead of
    the running mean in its ``logs``. If `fit` is called again, the record goes on.

    Parameters
    ----------
    path : str or os.PathLike
        File to write, usually ``*.fpdrift``.
    probe : array, or structure of arrays as the model takes it, optional
        Samples to predict before training and at the end of each epoch.
    strict : bool, default False
        What to do when the record cannot be written or the model cannot take the probe: stop the
        training with an error, or warn once and go on without the record or its predictions.
    overwrite : bool, default False
        Replace a record that is there.
    meta : mapping, optional
        Whatever else is to be written down, as JSON values.
    on_step : callable, optional
        Called with the step and its loss once they are safely written, which is while the next
        step is under way, or `fit` ends.

    Raises
    ------
    RecordError
        If something is there already (nothing that was saved is lost), or `meta` is no JSON.
    FpdriftError
        If the probe is no batch of samples, or an argument is not of its kind.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        probe: Any = None,
        strict: bool = False,
        overwrite: bool = False,
        meta: Mapping[str, Any] | None = None,
        on_step: Callable[[int, float], None] | None = None,
    ) -> None:
        super().__init__()
        check_switch("strict", strict)
        check_switch("overwrite", overwrite)
        check_callable("on_step", on_step)
        self._path = check_place(path, overwrite=overwrite)
        self._overwrite = overwrite
        self._strict = strict
        self._probe = None if probe is None else as_probe(probe)
        if meta is not None and not isinstance(meta, Mapping):
            message = f"meta needs named values (a dict), not {shown(meta)}"
            raise FpdriftError(message)
        self._meta = dict(meta or {})
        to_text(self._meta)  # what cannot be kept is refused now, not in the middle of a run
        self._on_step = on_step
        self._step = 0
        self._last_hashes: Any = None
        self._pool: ThreadPoolExecutor | None = None
        self._pending: tuple[Future[None], int, float] | None = None
        self._predicted = -1
        self._kept_last = True
        self._updates_before = 0
        self._off = False
        self._state: State | None = None
        self._writer: RecordWriter | None = None
        self._loss: StepLoss | None = None

    def __repr__(self) -> str:
        return f"DriftRecorder({self._path.name!r})"

    def on_train_begin(self, logs: Any = None) -> None:
        """Refuse to start where something would be lost; note that a `fit` begins."""
        self._settle()  # the last `fit` may have been interrupted
        if self._writer is None and not self._off:
            check_place(self._path, overwrite=self._overwrite)
        self._state = None
        self._loss = None

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before the first step write down the start; before every step look at the tracker."""
        if self._off:
            return
        sync(self.model)
        if self._loss is None:
            self._loss = StepLoss(self.model)
            if is_ready(self.model, own_loop=has_own_loop(self.model)):
                self._attempt(self._write_start)
        self._updates_before = _updates(self.model)
        if not self._off:
            self._loss.before()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write one step, or one execution of several."""
        if self._off or self._loss is None:
            return
        sync(self.model)
        logs = {} if logs is None else logs
        loss = self._loss.after(logs)
        self._settle()
        previous = self._step
        self._step += self._steps_done()
        self._attempt(self._write_step, previous, loss, logs)
        if not shares_safely():
            self._settle()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write what the epoch came to, and what the model makes of the probe."""
        self._settle()
        writer = self._writer
        if writer is not None:
            sync(self.model)
            self._attempt(self._write_predictions)
            self._attempt(writer.add_epoch, numbers(logs))

    def on_train_end(self, logs: Any = None) -> None:
        """Close the record; a `fit` that was interrupted never comes here."""
        self._settle()
        writer = self._writer
        if writer is not None:
            self._attempt(self._write_predictions)
            self._attempt(self._write_last)
            self._attempt(writer.finish)
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _write_start(self) -> None:
        first = self._writer is None
        writer, state = self._take_stock()
        arrays = state.read()
        if first:
            self._keep_step(writer, 0, arrays, state.kept(arrays))
        elif not np.array_equal(hashes(arrays), self._last_hashes):
            writer.add_note(
                f"Between two calls of fit, after step {self._step}, the state changed."
            )
        self._write_predictions()

    def _write_step(self, previous: int, loss: float, logs: Mapping[str, Any]) -> None:
        state, writer = self._state, self._writer
        if state is None or writer is None:
            writer, state = self._take_stock()
            writer.add_note(
                f"The state after step {previous} was not seen: the model built itself in the next."
            )
        metrics = numbers(logs)
        if self._loss is not None and self._loss.kind != "none":
            metrics.pop("loss", None)
        arrays = state.read()
        values = state.kept(arrays) if is_due(self._step, previous) else None
        self._kept_last = values is not None
        self._pool = self._pool or ThreadPoolExecutor(1, "fpdrift")
        step = (self._step, arrays, values, loss, metrics)
        self._pending = (self._pool.submit(self._keep_step, writer, *step), self._step, loss)

    def _keep_step(
        self,
        writer: RecordWriter,
        step: int,
        arrays: Arrays,
        values: dict[int, Any] | None,
        loss: float = math.nan,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Hash and write beside the next step, whose update comes last and must not wait."""
        self._last_hashes = hashes(arrays)
        arrays.clear()  # an update has to copy what is still held
        writer.add_step(step, self._last_hashes, loss, metrics, values)

    def _settle(self) -> None:
        """Wait until the last step is written, and tell of it."""
        if self._pending is None:
            return
        (writing, step, loss), self._pending = self._pending, None
        self._attempt(writing.result)
        if self._on_step and not self._off:
            self._on_step(step, loss)

    def _write_last(self) -> None:
        """Keep the values with which the run ends, whatever its length."""
        if self._state is not None and self._writer is not None and not self._kept_last:
            self._writer.add_values(self._step, self._state.kept(self._state.read()))
            self._kept_last = True

    def _write_predictions(self) -> None:
        if self._probe is None or self._predicted == self._step:
            return
        if self._state is None or self._writer is None:
            return
        try:
            predictions = self._state.predict(self.model, self._probe)
        except Exception as error:  # whatever a stranger's model raises, in Keras' colours
            sizes = shown(keras.tree.map_structure(np.shape, self._probe))
            message = f"the model cannot take the probe of shape {sizes}; {GIVE_PROBE}"
            if self._strict:
                raise FpdriftError(message) from error
            self._probe = None
            message += ". Training goes on; predictions are not recorded."
            warnings.warn(message, FpdriftWarning, stacklevel=3)
            return
        self._writer.add_predictions(self._step, predictions)
        self._predicted = self._step

    def _take_stock(self) -> tuple[RecordWriter, State]:
        """List the model's variables; open the record, or see that it can go on with them."""
        state = State(self.model)
        if self._writer is None:
            kind = self._loss.kind if self._loss else "none"
            self._writer = RecordWriter(
                self._path,
                state.tensors,
                loss_kind=kind,
                meta={**self._meta, "keras": describe(self.model)},
                provenance=replace(current(), device=state.device),
                overwrite=self._overwrite,
            )
        elif state.tensors != self._writer.tensors:
            message = (
                f"{self._path.name!r} cannot go on: the model or its optimiser now has other "
                "variables; give this fit a DriftRecorder and a file of its own"
            )
            raise RecordError(message)
        self._state = state
        return self._writer, state

    def _attempt(self, action: Callable[..., None], *args: Any) -> None:
        """Do something with the record; if it cannot be written, stop or go on without it."""
        if self._off:
            return
        try:
            action(*args)
        except RecordError as error:
            self._off = True
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._strict:
                raise
            message = f"{error}. Training goes on; nothing is recorded from step {self._step} on."
            warnings.warn(message, FpdriftWarning, stacklevel=3)

    def _steps_done(self) -> int:
        """Count the updates of one execution; the last one of an epoch may be shorter."""
        most = int(self.model.steps_per_execution)
        done = _updates(self.model) - self._updates_before
        return done if 0 < done < most else most


def _updates(model: Any) -> int:
    """Read the optimiser's counter, where it matters."""
    if model.steps_per_execution == 1 or model.optimizer is None:
        return 0
    return int(model.optimizer.iterations)
