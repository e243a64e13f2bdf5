# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them use
"""Write a record of any Keras training run, without changing the run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import keras

from fpdrift.recorder._recording import Recording
from fpdrift.recorder._subject import Subject


class DriftRecorder(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Record a training run: ``model.fit(..., callbacks=[DriftRecorder("a.fpdrift")])``.

    At every step, the record gets a hash of every variable and optimiser slot, the step's own loss
    and the metrics; at some steps also values and sketches, from which distances are computed.
    Weights, optimiser, random generators, history and metrics are bit-identical to a run without
    the recorder.

    If `fit` is called again, the record continues, also with another optimiser, with other layers
    frozen, or with a loaded model; it states what changed. Another model is refused. A resumed run
    begins with the step that its optimiser counts.

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
        If the file already exists, so that no data are lost, if its folder does not, or if `meta`
        is not JSON.
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
        self._recording = Recording(
            path,
            probe=probe,
            strict=strict,
            overwrite=overwrite,
            meta=meta,
            on_step=on_step,
            ending="the end of fit",
        )

    def __repr__(self) -> str:
        return f"DriftRecorder({self._recording.path.name!r})"

    def watch(self, data: Any) -> Any:
        """Record digests of the data of one `fit`: ``fit(recorder.watch(data))``.

        If two runs differ, `fpdrift.compare` then reports whether their batches do. The data
        themselves are not recorded, and no bit of the training changes.

        Parameters
        ----------
        data : arrays, Python generator, keras.utils.PyDataset or tf.data.Dataset
            Of arrays, or a structure of them, one digest is recorded; of anything else, one for
            each batch, in the order in which they are read. Call `watch` for each `fit`.

        Returns
        -------
        data
            Arrays themselves, or something of the same kind with the same batches.

        Raises
        ------
        FpdriftError
            If the data are of another kind, or a PyDataset has several workers.
        """
        return self._recording.watch(data)

    def on_train_begin(self, logs: Any = None) -> None:
        """Check that no file would be lost, and prepare for a new `fit`."""
        self._recording.begin(Subject({"": self.model}))

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Record the start before the first step, and read the loss tracker before every step."""
        if not self._recording.has_begun:  # in a loop that calls only the hooks of a step
            self.on_train_begin()
        self._recording.begin_step()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Record one step, or one execution of several steps."""
        self._recording.end_step({} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the epoch's logs, and the predictions for the probe."""
        self._recording.end_epoch(logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Close the record; not called if `fit` is interrupted."""
        self._recording.end()
