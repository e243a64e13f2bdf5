# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""The Keras callback that writes a record of anybody's training, and changes nothing in it."""

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

    At every step the record gets a hash of every variable and optimiser slot, the step's own loss
    and the metrics; now and then values and sketches, from which distances are computed. Weights,
    optimiser, random generators, history and metrics end with the same bits as without it.

    If `fit` is called again, the record goes on, also with another optimiser, with layers frozen or
    not, or with a model that was loaded: where something changed the record says what. A run that
    resumes begins with the step that its optimiser counts.

    Parameters
    ----------
    path : str or os.PathLike
        File to write, usually ``*.fpdrift``.
    probe : array, or structure of arrays as the model takes it, optional
        Samples to predict before training and at the end of each epoch. Whatever a prediction moves
        is put back; where that is impossible the probe is refused with the reason.
    strict : bool, default False
        What to do when the record cannot be written or the model cannot take the probe: stop the
        training with an error, or warn once and go on without the record or its predictions.
        Nothing else stops a training.
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
            message = f"meta needs named values (a dict), not {short_repr(meta)}"
            raise FpdriftError(message)
        self._meta = dict(meta or {})
        to_text(self._meta)  # what cannot be kept is refused now, not in the middle of a run
        self._on_step = on_step
        self._step = 0
        self._steps = StepWriter()
        self._predict: Predictor | None = None
        self._predicted = -1
        self._kept_last = True
        self._updates_before = 0
        self._updates = 0
        self._warned: set[str] = set()
        self._described: dict[str, Any] = {}
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
        self._let_go()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before the first step write down the start; before every step look at the tracker."""
        self._attempt(self._begin_step)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write one step, or one execution of several."""
        self._attempt(self._end_step, {} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write what the epoch came to, and what the model makes of the probe."""
        self._settle()
        if self._writer is not None:
            self._attempt(self._end_epoch, logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Close the record; a `fit` that was interrupted never comes here."""
        self._settle()
        if self._writer is not None:
            self._attempt(self._end_training)
        self._let_go()
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
            self._take_stock(state, state.read(), seen=True)
            self._write_predictions()

    @property
    def _watch(self) -> StepLoss:
        """What watches the loss of this `fit`, or of a loop that never said it begins."""
        if self._loss is None:
            self._loss = StepLoss(self.model)
        return self._loss

    def _end_step(self, logs: Mapping[str, Any]) -> None:
        sync(self.model)
        loss = self._watch.after(logs)
        self._settle()
        if self._writer is None and self._state is None:
            self._step = max(updates(self.model) - self._steps_done(), 0)
        previous = self._step
        self._step += self._steps_done()
        self._updates = updates(self.model)
        self._write_step(previous, loss, logs)
        if not shares_safely():
            self._settle()

    def _end_epoch(self, logs: Any) -> None:
        sync(self.model)
        self._note_cut_step()
        self._write_predictions()
        figures, unreadable = numbers(logs)
        self._note_once(unreadable)
        if self._writer is not None:
            self._writer.add_epoch(figures)
        if averages(self.model):  # which `fit` puts in the weights' place when it ends
            self._write_last()

    def _note_cut_step(self) -> None:
        """Note what a step moved inside which the data ended: no `fit` to come has changed it.

        TensorFlow runs what does not wait for the batch: it counts the update and draws seeds, in
        some runs and not in others.
        """
        state, before = self._state, self._steps.last_hashes
        if state is None or not self._watch.was_cut:
            return
        now = hashes(state.read())
        moved = [t for t, new, old in zip(state.tensors, now, before, strict=True) if new != old]
        if moved and all(tensor.kept == "hash" for tensor in moved):
            self._steps.last_hashes, self._updates = now, updates(self.model)
            names = _phases.listed([tensor.name for tensor in moved])
            self._note_once([f"The data ended inside a step, which moved {names}"], warn=False)

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
                f"After step {self._step} the end of fit changed the weights, such as by putting "
                "averages in their place: the state that it left is not in the record."
            )
        writer.finish()

    def _write_step(self, previous: int, loss: float | None, logs: Mapping[str, Any]) -> None:
        if self._state is None:
            found = State(self.model)
            if not self._take_stock(found, found.read(), seen=False, previous=previous):
                return
        metrics, unreadable = numbers(logs)
        self._note_once(unreadable)
        if self._watch.is_reported:
            text = "A training loop of its own ran: the loss is what it reported, not Keras' own"
            self._note_once([text], warn=False)
        if self._watch.kind != "none":
            metrics.pop("loss", None)
        state, writer = cast("State", self._state), cast("RecordWriter", self._writer)
        arrays = state.read()
        values = state.kept(arrays) if is_due(self._step, previous) else None
        self._kept_last = values is not None
        self._steps.start(writer, state, self._step, arrays, values, loss, metrics)

    def _settle(self) -> None:
        """Wait until the last step is written, and tell of it."""
        pending = self._steps.take_pending()
        if pending is None:
            return
        self._attempt(pending.writing.result)
        if self._on_step and not self._off:
            self._on_step(pending.step, pending.loss)

    def _let_go(self) -> None:
        """Leave model and memory as if no recorder were there; the next `fit` begins afresh."""
        if self._loss is not None:
            self._loss.let_go()
        self._loss = None
        self._predict = None

    def _write_last(self) -> None:
        """Keep the values of the last step, whatever its number."""
        self._settle()
        if self._state is not None and self._writer is not None and not self._kept_last:
            self._writer.add_values(self._step, self._state.kept(self._state.read()))
            self._kept_last = True

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
            message = f"{error}. Training goes on; predictions are not recorded."
            warnings.warn(message, FpdriftWarning, stacklevel=4)
            return
        self._writer.add_predictions(self._step, predictions)
        self._predicted = self._step

    def _take_stock(
        self, state: State, arrays: Arrays, *, seen: bool, previous: int | None = None
    ) -> bool:
        """Open the record, or mark what changed since the last `fit`.

        Returns
        -------
        bool
            False where the mark has taken the place of the step that was just done.
        """
        described, failures = describe(self.model)
        failures += state.failures
        self._warn_once([f"could not be described: {failure}" for failure in failures])
        self._state = state
        if self._writer is not None:
            return self._mark(self._writer, state, arrays, described, seen=seen)
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
                f"The state after step {first_step} was not seen: the model built itself in the "
                "next."
            )
        return writer

    def _mark(
        self,
        writer: RecordWriter,
        state: State,
        arrays: Arrays,
        described: dict[str, Any],
        *,
        seen: bool,
    ) -> bool:
        """Begin a new phase where anything changed since the last `fit`."""
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
            changes.append(f"the state before step {self._step} was not seen")
        self._updates = updates(self.model)
        if not changes and _phases.is_same(writer.tensors, state.tensors):
            return True
        writer.add_phase(self._step, state.tensors, changes, now, state.kept(arrays))
        self._steps.last_hashes, self._kept_last = now, True
        self._described = described
        return seen

    def _note_once(self, texts: Sequence[str], *, warn: bool = True) -> None:
        """Put into record and warnings what is new among these."""
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
        """Do something with the record; if that fails, stop or go on without it."""
        if self._off:
            return
        try:
            action(*args)
        except Exception as error:  # a stranger's model may raise anything, anywhere
            self._off = True
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            self._let_go()
            if self._strict:
                raise
            ours = isinstance(error, FpdriftError)
            why = str(error) if ours else f"{short_repr(self._path.name)}: {type(error).__name__}"
            message = f"{why}. Training goes on; nothing is recorded from step {self._step} on."
            warnings.warn(message, FpdriftWarning, stacklevel=3)

    def _steps_done(self) -> int:
        """Count the updates of one execution; the last one of an epoch may be shorter."""
        most = int(getattr(self.model, "steps_per_execution", 1))
        done = updates(self.model) - self._updates_before if most > 1 else 1
        return done if 0 < done < most else most
