"""Record a training loop of one's own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import keras

from fpdrift.backends import tensorflow
from fpdrift.errors import FpdriftError
from fpdrift.recorder._recording import Recording
from fpdrift.recorder._state import count_updates
from fpdrift.recorder._subject import Subject, named


class LoopRecorder:
    """The record of a training loop of one's own; `fpdrift.record` creates it.

    It records in a ``with`` block. A second block continues the record.
    """

    def __init__(self, recording: Recording, subject: Subject, labels: list[str]) -> None:
        self._recording = recording
        self._subject = subject
        self._labels = labels
        self._is_open = False
        self._updates: list[int] = []
        self._steps = 0
        #: (optimiser, its updates in a step) -> number of such steps, unless it is one update
        self._unusual: Counter[tuple[str, int]] = Counter()

    def __repr__(self) -> str:
        return f"LoopRecorder({self._recording.path.name!r})"

    def __enter__(self) -> Self:
        if self._is_open:
            message = "the recorder is already in a with block; use one block at a time"
            raise FpdriftError(message)
        self._recording.begin(self._subject)
        self._is_open = True
        self._recording.begin_step()
        self._updates = self._count()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_open = False
        if kind is not None:
            self._recording.abandon()
            return
        if not self._steps:
            self._recording.note("The block ended without a call of step")
        for (label, updates), steps in self._unusual.items():
            if steps > 1:
                self._recording.note(f"{label}: {_made(updates)} in each of {steps} steps")
        self._recording.end()

    def step(
        self,
        loss: Any = None,
        metrics: Mapping[str, Any] | None = None,
        *,
        batch: Any = None,
    ) -> None:
        """Record one step, after its update.

        Parameters
        ----------
        loss : number, or mapping of str to number, optional
            The step's loss. If the step was one call of `train_on_batch`, its exact loss is
            recorded instead of the mean that it returns. A mapping holds the loss and metrics by
            name, as `train_on_batch` returns them with ``return_dict=True``.
        metrics : mapping of str to number, optional
            Further values to record.
        batch : array, or structure of arrays, optional
            What the step was trained on, such as ``(x, y)``; its digest is recorded, so that
            `fpdrift.compare` reports whether the batches of two runs differ.

        Raises
        ------
        FpdriftError
            If it is called outside the block, or inside a `tf.function`.
        """
        self._check_open()
        logs = dict(loss) if isinstance(loss, Mapping) else {} if loss is None else {"loss": loss}
        self._recording.end_step(logs | dict(metrics or {}), batch)
        self._steps += 1
        self._note_updates()
        self._recording.begin_step()

    def epoch(self, logs: Mapping[str, Any] | None = None) -> None:
        """Record the end of an epoch: its logs, and the predictions for the probe.

        Parameters
        ----------
        logs : mapping of str to number, optional

        Raises
        ------
        FpdriftError
            As for `step`.
        """
        self._check_open()
        self._recording.end_epoch(logs)

    def _check_open(self) -> None:
        if not self._is_open:
            message = (
                "step is called outside the block; write `with fpdrift.record(...) as record:`"
            )
            raise FpdriftError(message)
        if keras.backend.backend() == "tensorflow" and tensorflow.inside_function():
            message = "step and epoch cannot run inside a tf.function; call them after it"
            raise FpdriftError(message)

    def _count(self) -> list[int]:
        return [count_updates(optimizer) for optimizer in self._subject.optimizers]

    def _note_updates(self) -> None:
        """Note the first step in which an optimiser did not make exactly one update."""
        before, self._updates = self._updates, self._count()
        for number, (old, new) in enumerate(zip(before, self._updates, strict=False)):
            if new - old == 1:
                continue
            label = self._label(number)
            self._unusual[label, new - old] += 1
            if self._unusual[label, new - old] == 1:
                self._recording.note(f"{label}: {_made(new - old)} in step {self._recording.step}")

    def _label(self, number: int) -> str:
        """Return an optimiser's name in notes: its key, or its class."""
        if self._labels:
            return f"optimizer {self._labels[number]}"
        optimizers = self._subject.optimizers
        several = f" {number}" if len(optimizers) > 1 else ""
        return f"optimizer {type(optimizers[number]).__name__}{several}"


def _made(updates: int) -> str:
    return {0: "no update", 1: "1 update"}.get(updates, f"{updates:,} updates")


def record(
    path: str | os.PathLike[str],
    model: Any,
    *,
    optimizer: Any = None,
    probe: Any = None,
    strict: bool = False,
    overwrite: bool = False,
    meta: Mapping[str, Any] | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> LoopRecorder:
    """Record a training loop of one's own: ``with record("a.fpdrift", model) as record:``.

    Call ``record.step(loss)`` after each update; each call is one step of the record. As with
    `DriftRecorder`, the training is bit-identical to one without the recorder.

    Enter the block right before the first step, because the state at that point is the start of
    the record. Build the optimisers before (``optimizer.build(model.trainable_variables)``) to
    record their slots from the start; otherwise they are recorded from the first step on. A step in
    which an optimiser makes no update, or several, is noted in the record. If the block ends with
    an error, the record stays incomplete, and the error is raised.

    Parameters
    ----------
    path : str or os.PathLike
        File to write, usually ``*.fpdrift``.
    model : keras.Model, or list or dict of them
        The trained models. The variables of several are prefixed with their key or number, such as
        ``"generator/dense/kernel"``.
    optimizer : keras.optimizers.Optimizer, or list or dict of them, optional
        The optimisers; by default those that the models hold.
    probe : array, or structure of arrays as the first model expects, optional
        Samples to predict before training, at each call of ``record.epoch()`` and at the end.
    strict, overwrite, meta, on_step
        As for `DriftRecorder`.

    Returns
    -------
    LoopRecorder
        A context manager with the methods `step` and `epoch`.

    Raises
    ------
    RecordError
        If the file already exists, its folder does not, or `meta` is not JSON.
    FpdriftError
        If an argument has the wrong type, or the probe is not a batch of samples.
    """
    models = named("model", model, keras.Model)
    given = None if optimizer is None else named("optimizer", optimizer, keras.optimizers.Optimizer)
    recording = Recording(
        path,
        probe=probe,
        strict=strict,
        overwrite=overwrite,
        meta=meta,
        on_step=on_step,
        ending="the end of the block",
    )
    subject = Subject(models, None if given is None else list(given.values()), in_fit=False)
    return LoopRecorder(recording, subject, [*optimizer] if isinstance(optimizer, Mapping) else [])
