# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them use
"""Write a record of any Keras training run, without changing the run."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import keras

from fpdrift.errors import FpdriftError, FpdriftWarning, short_repr
from fpdrift.provenance import current
from fpdrift.recorder import _phases
from fpdrift.recorder._model_info import as_probe, describe, numbers, probe_digest
from fpdrift.recorder._probe import Predictor, ProbeRefusedError
from fpdrift.recorder._state import (
    Arrays,
    State,
    averages,
    hashes,
    is_ready,
    optimizers,
    shares_safely,
    sync,
    updates,
)
from fpdrift.recorder._step_loss import StepLoss, has_own_loop
from fpdrift.recorder._writer_thread import StepWriter
from fpdrift.records import RecordWriter, check_place, is_due, to_text
from fpdrift.validation import check_callable, check_switch


class DriftRecorder(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Record a training run: ``model.fit(..., callbacks=[DriftRecorder("a.fpdrift")])``.

    At every step, the record gets a hash of every variable and optimiser slot, the step's own loss
    and the metrics; at some steps also values and sketches, from which distances are computed.
    Weights, optimiser, random generators, history and metrics are bit-identical to a run without
    the recorder.

    If `fit` is called again, the record continues, also with another optimiser, with other layers
    frozen, or with a loaded model; it states what changed. A resumed run begins with the step that
    its optimiser counts.

    Parameters
    ----------
    path : str or os.PathLike
        File to write, usually ``*.fpdrift``.
    probe : array, or structure of arrays as the model expects, optional
        Samples to predict before training and at the end of each epoch. Any state that a prediction
        changes is restored; if that is impossible, the probe is rejected with the reason.
    strict : bool, default False
        If the record cannot be written or the model cannot take the probe, stop the training with
        an error; otherwise warn once and continue without the record or its predictions. Nothing
        else stops the training.
    overwrite : bool, default False
        Replace an existing record.
    meta : mapping, optional
        Further information to store, as JSON values.
    on_step : callable, optional
        Called with the step and its loss once they are written, which is during the next step or
        at the end of `fit`.

    Raises
    ------
    RecordError
        If the file already exists, so that no data are lost, or `meta` is not JSON.
    FpdriftError
        If the probe is not a batch of samples, or an argument has the wrong type.
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
            message = f"meta must be a dict, not {short_repr(meta)}"
            raise FpdriftError(message)
        self._meta = dict(meta or {})
        to_text(self._meta)  # raise an error for unsupported values now, not in the middle of a run
        self._on_step = on_step
        self._step = 0
        self._steps = StepWriter()
        self._predict: Predictor | None = None
        self._predicted = -1
        self._stored_last = True
        self._updates_before = 0
        self._updates = 0
        self._warned: set[str] = set()
        self._described: dict[str, Any] = {}
        self._disabled = False
        self._state: State | None = None
        self._writer: RecordWriter | None = None
        self._loss: StepLoss | None = None

    def __repr__(self) -> str:
        return f"DriftRecorder({self._path.name!r})"

    def on_train_begin(self, logs: Any = None) -> None:
        """Check that no file would be lost, and prepare for a new `fit`."""
        self._finish_pending()  # the last `fit` may have been interrupted
        if self._writer is None and not self._disabled:
            check_place(self._path, overwrite=self._overwrite)
        self._state = None
        self._detach()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Record the start before the first step, and read the loss tracker before every step."""
        self._attempt(self._begin_step)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Record one step, or one execution of several steps."""
        self._attempt(self._end_step, {} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the epoch's logs, and the predictions for the probe."""
        self._finish_pending()
        if self._writer is not None:
            self._attempt(self._end_epoch, logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Close the record; not called if `fit` is interrupted."""
        self._finish_pending()
        if self._writer is not None:
            self._attempt(self._end_training)
        self._detach()
        self._steps.stop()

    def _begin_step(self) -> None:
        sync(self.model)
        if self._loss is None:
            self._begin_fit()
        self._updates_before = updates(self.model)
        self._watch.before()

    def _begin_fit(self) -> None:
        if is_ready(self.model, own_loop=has_own_loop(self.model)):
            state = State(self.model)
            if self._writer is None:
                self._step = self._updates = updates(self.model)
            self._record_state(state, state.read(), seen=True)
            self._write_predictions()

    @property
    def _watch(self) -> StepLoss:
        """The loss watcher of this `fit`, or of a loop that does not call `on_train_begin`."""
        if self._loss is None:
            self._loss = StepLoss(self.model)
        return self._loss

    def _end_step(self, logs: Mapping[str, Any]) -> None:
        sync(self.model)
        loss = self._watch.after(logs)
        self._finish_pending()
        if self._writer is None and self._state is None:
            self._step = max(updates(self.model) - self._count_steps(), 0)
        previous = self._step
        self._step += self._count_steps()
        self._updates = updates(self.model)
        self._write_step(previous, loss, logs)
        if not shares_safely():
            self._finish_pending()

    def _end_epoch(self, logs: Any) -> None:
        sync(self.model)
        self._note_interrupted_step()
        self._write_predictions()
        figures, unreadable = numbers(logs)
        self._note_once(unreadable)
        if self._writer is not None:
            self._writer.add_epoch(figures)
        if averages(self.model):  # which `fit` puts in the weights' place when it ends
            self._write_last()

    def _note_interrupted_step(self) -> None:
        """Note what was changed by a step in which the data ended, before the next `fit`.

        TensorFlow runs operations that do not depend on the batch: it counts the update and draws
        seeds, in some runs and not in others.
        """
        state, before = self._state, self._steps.last_hashes
        if state is None or not self._watch.was_interrupted:
            return
        now = hashes(state.read())
        moved = [t for t, new, old in zip(state.tensors, now, before, strict=True) if new != old]
        if moved and all(tensor.kept == "hash" for tensor in moved):
            self._steps.last_hashes, self._updates = now, updates(self.model)
            names = _phases.listed([tensor.name for tensor in moved])
            self._note_once([f"The data ended inside a step, which changed {names}"], warn=False)

    def _end_training(self) -> None:
        sync(self.model)
        state, writer = self._state, self._writer
        if state is None or writer is None:
            return
        now = zip(state.tensors, hashes(state.read()), self._steps.last_hashes, strict=True)
        if all(new == old for tensor, new, old in now if tensor.kept != "hash"):
            self._write_predictions()
            self._write_last()
        else:
            writer.add_note(
                f"After step {self._step} the end of fit changed the weights, for example to their "
                "moving averages: the resulting state is not in the record."
            )
        writer.finish()

    def _write_step(self, previous: int, loss: float | None, logs: Mapping[str, Any]) -> None:
        if self._state is None:
            found = State(self.model)
            if not self._record_state(found, found.read(), seen=False, previous=previous):
                return
        metrics, unreadable = numbers(logs)
        self._note_once(unreadable)
        if self._watch.is_reported:
            text = (
                "A custom training loop ran: the loss is the one that it reported, not Keras' own"
            )
            self._note_once([text], warn=False)
        if self._watch.kind != "none":
            metrics.pop("loss", None)
        state, writer = cast("State", self._state), cast("RecordWriter", self._writer)
        arrays = state.read()
        values = state.kept(arrays) if is_due(self._step, previous) else None
        self._stored_last = values is not None
        self._steps.start(writer, state, self._step, arrays, values, loss, metrics)

    def _finish_pending(self) -> None:
        """Wait until the last step is written, and report it to `on_step`."""
        pending = self._steps.take_pending()
        if pending is None:
            return
        self._attempt(pending.writing.result)
        if self._on_step and not self._disabled:
            self._on_step(pending.step, pending.loss)

    def _detach(self) -> None:
        """Detach from the model and release memory; the next `fit` attaches again."""
        if self._loss is not None:
            self._loss.detach()
        self._loss = None
        self._predict = None

    def _write_last(self) -> None:
        """Store the values of the last step, even if none are due."""
        self._finish_pending()
        if self._state is not None and self._writer is not None and not self._stored_last:
            self._writer.add_values(self._step, self._state.kept(self._state.read()))
            self._stored_last = True

    def _write_predictions(self) -> None:
        if self._probe is None or self._predicted == self._step:
            return
        if self._state is None or self._writer is None:
            return
        try:
            if self._predict is None:
                self._predict = Predictor(self.model, self._probe, optimizers(self.model))
            predictions = self._predict()
        except ProbeRefusedError as error:
            if self._strict:
                raise FpdriftError(str(error)) from error
            self._probe = None
            self._writer.add_note(f"Predictions are not recorded: {error}.")
            message = f"{error}. Training continues; predictions are not recorded."
            warnings.warn(message, FpdriftWarning, stacklevel=4)
            return
        self._writer.add_predictions(self._step, predictions)
        self._predicted = self._step

    def _record_state(
        self, state: State, arrays: Arrays, *, seen: bool, previous: int | None = None
    ) -> bool:
        """Open the record, or record what changed since the last `fit`.

        Returns
        -------
        bool
            False if the new phase takes the place of the step that was just done.
        """
        described, failures = describe(self.model)
        failures += state.failures
        self._warn_once([f"could not be described: {failure}" for failure in failures])
        self._state = state
        if self._writer is not None:
            return self._add_phase(self._writer, state, arrays, described, seen=seen)
        first = self._step if previous is None else previous
        self._writer = self._open(state, described, failures, first_step=first, seen=seen)
        if seen:
            self._steps.write(self._writer, state, self._step, arrays, state.kept(arrays))
        return True

    def _open(
        self,
        state: State,
        described: dict[str, Any],
        failures: Sequence[str],
        *,
        first_step: int,
        seen: bool,
    ) -> RecordWriter:
        about = {
            "probe": None if self._probe is None else probe_digest(self._probe),
            "start_seen": seen,
            "first_step": first_step,
            "not_described": list(failures),
        }
        self._described = described
        writer = RecordWriter(
            self._path,
            state.tensors,
            loss_kind=self._watch.kind,
            meta={**self._meta, "keras": described, "recorder": about},
            provenance=replace(current(), device=state.device),
            overwrite=self._overwrite,
        )
        if not seen:
            writer.add_note(
                f"The state after step {first_step} was not recorded: the model was built during "
                "the next step."
            )
        return writer

    def _add_phase(
        self,
        writer: RecordWriter,
        state: State,
        arrays: Arrays,
        described: dict[str, Any],
        *,
        seen: bool,
    ) -> bool:
        """Begin a new phase if anything changed since the last `fit`."""
        now = hashes(arrays)
        changes = _phases.changed_tensors(writer.tensors, state.tensors)
        changes += _phases.changed_settings(self._described, described)
        if seen:
            if unseen := max(updates(self.model) - self._updates, 0):
                self._step += unseen
                many = "1 update that was" if unseen == 1 else f"{unseen} updates that were"
                changes.append(f"the optimiser counts {many} not recorded")
            before = (writer.tensors, self._steps.last_hashes)
            changes += _phases.changed_state(before, (state.tensors, now))
        else:
            changes.append(f"the state before step {self._step} was not recorded")
        self._updates = updates(self.model)
        if not changes and _phases.is_same(writer.tensors, state.tensors):
            return True
        writer.add_phase(self._step, state.tensors, changes, now, state.kept(arrays))
        self._steps.last_hashes, self._stored_last = now, True
        self._described = described
        return seen

    def _note_once(self, texts: Sequence[str], *, warn: bool = True) -> None:
        """Add the texts that are new to the record and, unless `warn` is False, warn of them."""
        for text in self._warn_once(texts, warn=warn):
            if self._writer is not None:
                self._writer.add_note(f"{text}.")

    def _warn_once(self, texts: Sequence[str], *, warn: bool = True) -> list[str]:
        new = [text for text in dict.fromkeys(texts) if text not in self._warned]
        self._warned.update(new)
        for text in new if warn else ():
            warnings.warn(f"{self._path.name}: {text}", FpdriftWarning, stacklevel=5)
        return new

    def _attempt(self, action: Callable[..., None], *args: Any) -> None:
        """Run an action on the record; on failure, stop or continue without a record."""
        if self._disabled:
            return
        try:
            action(*args)
        except Exception as error:  # a user's model may raise anything, anywhere
            self._disabled = True
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            self._detach()
            if self._strict:
                raise
            ours = isinstance(error, FpdriftError)
            why = str(error) if ours else f"{short_repr(self._path.name)}: {type(error).__name__}"
            message = f"{why}. Training continues; nothing is recorded from step {self._step} on."
            warnings.warn(message, FpdriftWarning, stacklevel=3)

    def _count_steps(self) -> int:
        """Return the updates of one execution; the last one of an epoch may be shorter."""
        most = int(getattr(self.model, "steps_per_execution", 1))
        done = updates(self.model) - self._updates_before if most > 1 else 1
        return done if 0 < done < most else most
