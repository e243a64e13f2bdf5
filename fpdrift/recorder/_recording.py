"""What records a training, whoever calls it: a callback of `fit`, or a loop of one's own."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from fpdrift.errors import FpdriftError, FpdriftWarning, RecordError, short_repr
from fpdrift.provenance import current
from fpdrift.recorder import _phases
from fpdrift.recorder._batches import Batches, batch_digest, is_arrays
from fpdrift.recorder._generators import generator_digests
from fpdrift.recorder._model_info import as_probe, numbers, probe_digest
from fpdrift.recorder._probe import Predictor, ProbeRefusedError
from fpdrift.recorder._state import Arrays, State, hashes, shares_safely
from fpdrift.recorder._step_loss import StepLoss
from fpdrift.recorder._subject import Subject
from fpdrift.recorder._writer_thread import StepWriter
from fpdrift.records import RecordWriter, check_place, is_due, to_text
from fpdrift.records._codec import digests_to_json
from fpdrift.validation import check_callable, check_switch


class Recording:
    """The record of one training, which may stop and resume.

    Parameters
    ----------
    path, probe, strict, overwrite, meta, on_step
        As for `DriftRecorder`.
    ending : str
        What ends a training, in words.

    Raises
    ------
    RecordError
        If the file already exists, its folder does not, or `meta` is not JSON.
    FpdriftError
        If the probe is not a batch of samples, or an argument has the wrong type.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        probe: Any,
        strict: bool,
        overwrite: bool,
        meta: Mapping[str, Any] | None,
        on_step: Callable[[int, float], None] | None,
        ending: str,
    ) -> None:
        check_switch("strict", strict)
        check_switch("overwrite", overwrite)
        check_callable("on_step", on_step)
        self.path = check_place(path, overwrite=overwrite)
        if not self.path.parent.is_dir():
            folder = short_repr(self.path.parent.name)
            message = (
                f"{short_repr(self.path.name)} cannot be written: the folder {folder} does not "
                "exist; create it first"
            )
            raise RecordError(message)
        self._overwrite = overwrite
        self._strict = strict
        self._probe = None if probe is None else as_probe(probe)
        if meta is not None and not isinstance(meta, Mapping):
            message = f"meta must be a dict, not {short_repr(meta)}"
            raise FpdriftError(message)
        self._meta = dict(meta or {})
        to_text(self._meta)  # raise an error for unsupported values now, not in the middle of a run
        self._on_step = on_step
        self._ending = ending
        #: number of updates done
        self.step = 0
        self._steps = StepWriter()
        self._predict: Predictor | None = None
        self._predicted = -1
        self._stored_last = True
        self._updates_before = 0
        self._updates = 0
        self._slots = 0
        self._warned: set[str] = set()
        self._described: dict[str, Any] = {}
        self._disabled = False
        self._subject = Subject({})
        self._data: list[str] = []
        self._batches: Batches | None = None
        self._state: State | None = None
        self._writer: RecordWriter | None = None
        self._loss: StepLoss | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is something to record."""
        return bool(self._subject.models)

    def begin(self, subject: Subject) -> None:
        """Check that no file would be lost, and prepare for a training or for its continuation."""
        self._finish_pending()  # the last training may have been interrupted
        if self._writer is not None:
            self._refuse_another_model(subject)
        elif not self._disabled:
            check_place(self.path, overwrite=self._overwrite)
        self._subject = subject
        self._state = None
        self._detach()
        if self._batches is not None and (why := self._batches.begin()):
            self._lose_batches(why)

    def begin_step(self) -> None:
        """Record the start before the first step, and read the loss tracker before every step."""
        self._attempt(self._begin_step)

    def end_step(self, logs: Mapping[str, Any], batch: Any = None) -> None:
        """Record one step, or one execution of several steps; `batch` is what it trained on."""
        self._attempt(self._end_step, logs, batch)

    def watch(self, data: Any) -> Any:
        """Return data to train on, of which the record then gets digests.

        Raises
        ------
        FpdriftError
            If the data are not of a supported kind.
        """
        if not is_arrays(data):
            self._batches = Batches()
            return self._batches.watch(data)
        digest = f"{batch_digest(data):016x}"
        self._data.append(digest)
        if self._writer is not None:
            self.note(f"The arrays with the digest {digest} follow step {self.step}")
        return data

    def end_epoch(self, logs: Any) -> None:
        """Record the logs of an epoch, and the predictions for the probe."""
        self._finish_pending()
        if self._writer is not None:
            self._attempt(self._end_epoch, logs)

    def end(self) -> None:
        """Complete the record, and close it."""
        self._finish_pending()
        if self._writer is not None:
            self._attempt(self._end_training)
        self._detach()
        self._steps.stop()

    def abandon(self) -> None:
        """Close the record of a training that failed; it stays incomplete."""
        strict, self._strict = self._strict, False  # the training's own error is to be raised
        self._finish_pending()
        self._strict = strict
        if self._writer is not None:
            self._writer.close()
        self._detach()
        self._steps.stop()

    def note(self, text: str) -> None:
        """Add a note to the record, once."""
        self._finish_pending()
        self._attempt(lambda: self._note_once([text], warn=False))

    def _refuse_another_model(self, subject: Subject) -> None:
        """Raise FpdriftError unless a model continues the recorded training.

        It does if it has a variable in common with the recorded one, or if it was loaded from a
        file: its weights are those of the last step, or its optimiser has made updates.
        """
        if subject.shares_a_variable(self._subject):
            return
        if subject.is_built():
            state = subject.state()
            writer = cast("RecordWriter", self._writer)
            before = (writer.tensors, self._steps.last_hashes)
            same = _phases.shared_state(before, (state.tensors, hashes(state.read())))
            if same and (all(same) or subject.updates()):
                return
        message = (
            f"{short_repr(self.path.name)} already contains the training of another model; record "
            "each model in its own file"
        )
        raise FpdriftError(message)

    def _begin_step(self) -> None:
        self._subject.sync()
        if self._loss is None:
            self._begin_training()
        self._updates_before = self._subject.updates()
        self._watch.before()

    def _begin_training(self) -> None:
        if self._subject.is_ready():
            state = self._subject.state()
            if self._writer is None:
                self.step = self._updates = self._subject.updates()
            self._record_state(state, state.read(), seen=True)
            self._write_predictions()

    @property
    def _watch(self) -> StepLoss:
        """The loss watcher of this training."""
        if self._loss is None:
            self._loss = self._subject.step_loss()
        return self._loss

    def _end_step(self, logs: Mapping[str, Any], batch: Any) -> None:
        self._subject.sync()
        loss = self._watch.after(logs)
        self._finish_pending()
        if self._writer is None and self._state is None:
            self.step = max(self._subject.updates() - self._count_steps(), 0)
        previous = self.step
        self.step += self._count_steps()
        self._updates = self._subject.updates()
        self._write_step(previous, loss, logs, self._batch(batch))
        if self._state is not None and self._slots != self._subject.slots():
            self._add_slots()
        if not shares_safely():
            self._finish_pending()

    def _add_slots(self) -> None:
        """Begin a phase with the slots of an optimiser that was built during this step."""
        self._finish_pending()
        state = self._subject.state()
        built = f"an optimizer was built during step {self.step}"
        self._record_state(state, state.read(), seen=True, changes=[built])

    def _end_epoch(self, logs: Any) -> None:
        self._subject.sync()
        self._note_interrupted_step()
        self._write_predictions()
        figures, unreadable = numbers(logs)
        self._note_once(unreadable)
        if self._writer is not None:
            self._writer.add_epoch(figures)
        if self._subject.averages():  # which `fit` puts in the weights' place when it ends
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
            self._steps.last_hashes, self._updates = now, self._subject.updates()
            names = _phases.listed([tensor.name for tensor in moved])
            self._note_once([f"The data ended inside a step, which changed {names}"], warn=False)

    def _end_training(self) -> None:
        self._subject.sync()
        state, writer = self._state, self._writer
        if state is None or writer is None:
            return
        now = zip(state.tensors, hashes(state.read()), self._steps.last_hashes, strict=True)
        if all(new == old for tensor, new, old in now if tensor.kept != "hash"):
            self._write_predictions()
            self._write_last()
        else:
            writer.add_note(
                f"After step {self.step} {self._ending} changed the weights, for example to their "
                "moving averages: the resulting state is not in the record."
            )
        writer.finish()

    def _batch(self, batch: Any) -> dict[str, int]:
        """Return the digest of what a step trained on, if it is known."""
        found: int | None = None
        if batch is not None:
            try:
                found = batch_digest(batch)
            except Exception as error:  # noqa: BLE001 - a user's value may raise anything
                self._note_once([f"A batch has no digest ({type(error).__name__})"])
        elif self._batches is not None:
            found = self._batches.take(self._count_steps())
            if found is None:
                self._lose_batches("the training read other data than those that were watched")
        return {} if found is None else {"batch": found}

    def _lose_batches(self, why: str) -> None:
        self._batches = None
        self._note_once([f"Digests of the batches are not recorded: {why}"])

    def _write_step(
        self,
        previous: int,
        loss: float | None,
        logs: Mapping[str, Any],
        batch: Mapping[str, int],
    ) -> None:
        if self._state is None:
            found = self._subject.state()
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
        values = state.kept(arrays) if is_due(self.step, previous) else None
        self._stored_last = values is not None
        digests = {**generator_digests(), **batch}
        self._steps.start(writer, state, self.step, arrays, values, loss, metrics, digests)

    def _finish_pending(self) -> None:
        """Wait until the last step is written, and report it to `on_step`."""
        pending = self._steps.take_pending()
        if pending is None:
            return
        self._attempt(pending.writing.result)
        if self._on_step and not self._disabled:
            self._on_step(pending.step, pending.loss)

    def _detach(self) -> None:
        """Detach from the model and release memory; the next training attaches again."""
        if self._loss is not None:
            self._loss.detach()
        self._loss = None
        self._predict = None

    def _write_last(self) -> None:
        """Store the values of the last step, even if none are due."""
        self._finish_pending()
        if self._state is not None and self._writer is not None and not self._stored_last:
            self._writer.add_values(self.step, self._state.kept(self._state.read()))
            self._stored_last = True

    def _write_predictions(self) -> None:
        if self._probe is None or self._predicted == self.step:
            return
        if self._state is None or self._writer is None:
            return
        try:
            if self._predict is None:
                subject = self._subject
                self._predict = Predictor(subject.first, self._probe, subject.optimizers)
            predictions = self._predict()
        except ProbeRefusedError as error:
            if self._strict:
                raise FpdriftError(str(error)) from error
            self._probe = None
            self._writer.add_note(f"Predictions are not recorded: {error}.")
            message = f"{error}. Training continues; predictions are not recorded."
            warnings.warn(message, FpdriftWarning, stacklevel=5)
            return
        self._writer.add_predictions(self.step, predictions)
        self._predicted = self.step

    def _record_state(
        self,
        state: State,
        arrays: Arrays,
        *,
        seen: bool,
        previous: int | None = None,
        changes: Sequence[str] = (),
    ) -> bool:
        """Open the record, or record what changed since the last training.

        Returns
        -------
        bool
            False if the new phase takes the place of the step that was just done.
        """
        described, failures = self._subject.describe()
        failures += state.failures
        self._warn_once([f"could not be described: {failure}" for failure in failures])
        self._state, self._slots = state, self._subject.slots()
        if self._writer is not None:
            return self._add_phase(state, arrays, described, [*changes], seen=seen)
        first = self.step if previous is None else previous
        self._writer = self._open(state, described, failures, first_step=first, seen=seen)
        if seen:
            values, digests = state.kept(arrays), generator_digests()
            self._steps.write(self._writer, state, self.step, arrays, values, digests=digests)
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
        about: dict[str, Any] = {
            "probe": None if self._probe is None else probe_digest(self._probe),
            "start_seen": seen,
            "first_step": first_step,
            "not_described": list(failures),
            "generators": digests_to_json(generator_digests()),
        }
        if self._data:
            about["data"] = " ".join(self._data)
        self._described = described
        writer = RecordWriter(
            self.path,
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
        state: State,
        arrays: Arrays,
        described: dict[str, Any],
        changes: list[str],
        *,
        seen: bool,
    ) -> bool:
        """Begin a new phase if anything changed since the last training."""
        writer, now = cast("RecordWriter", self._writer), hashes(arrays)
        changes += _phases.changed_tensors(writer.tensors, state.tensors)
        changes += _phases.changed_settings(self._described, described)
        if seen:
            if unseen := max(self._subject.updates() - self._updates, 0):
                self.step += unseen
                many = "1 update that was" if unseen == 1 else f"{unseen} updates that were"
                changes.append(f"the optimiser counts {many} not recorded")
            before = (writer.tensors, self._steps.last_hashes)
            changes += _phases.changed_state(before, (state.tensors, now))
        else:
            changes.append(f"the state before step {self.step} was not recorded")
        self._updates = self._subject.updates()
        if not changes and _phases.is_same(writer.tensors, state.tensors):
            return True
        writer.add_phase(self.step, state.tensors, changes, now, state.kept(arrays))
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
            warnings.warn(f"{self.path.name}: {text}", FpdriftWarning, stacklevel=6)
        return new

    def _attempt(self, action: Callable[..., None], *args: Any) -> None:
        """Run an action on the record; on failure, stop or continue without a record."""
        if self._disabled:
            return
        try:
            action(*args)
        except Exception as error:  # a user's model may raise anything, anywhere
            self._close()
            if self._strict:
                raise
            ours = isinstance(error, FpdriftError)
            why = str(error) if ours else f"{short_repr(self.path.name)}: {type(error).__name__}"
            message = f"{why}. Training continues; nothing is recorded from step {self.step} on."
            warnings.warn(message, FpdriftWarning, stacklevel=4)

    def _close(self) -> None:
        """Stop recording, and leave the record incomplete."""
        self._disabled = True
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._detach()

    def _count_steps(self) -> int:
        """Return the updates of one execution; the last one of an epoch may be shorter."""
        most = self._subject.steps_per_execution
        done = self._subject.updates() - self._updates_before if most > 1 else 1
        return done if 0 < done < most else most
