# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""The Keras callback that traces one step during training.

Keras does not pass batches to callbacks, so the batches go through the callback on their way to
`fit`.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras  # noqa: TID253 - only a process that trains gets here
import numpy as np

from fpdrift import atomic
from fpdrift.backends import torch
from fpdrift.errors import FpdriftError, FpdriftWarning, short_repr
from fpdrift.recorder._state import reader, sync
from fpdrift.step_debug._compare_models import check_batch
from fpdrift.step_debug._trace import Step
from fpdrift.step_debug._trace_file import TracedTensor, save


class StepKeeper(keras.callbacks.Callback):  # type: ignore[misc] # Keras ships no types
    """Callback that traces one step; `fpdrift.step_debug.keep_step` creates it.

    Parameters
    ----------
    path : pathlib.Path
        File to write after the step.
    step : int
        The update from step - 1 to step, counted over all calls of `fit`.
    """

    def __init__(self, path: Path, step: int) -> None:
        super().__init__()
        self._path, self._wanted = path, step
        self._done = 0
        self._batch: Any = None
        self._before: list[Any] = []
        self._draw_again: Callable[[], None] = _do_nothing
        self._step: Step | None = None
        self._restarts = False

    def __repr__(self) -> str:
        return f"StepKeeper({self._path.name!r}, step {self._wanted})"

    def batches(
        self, data: Iterable[Any], class_weight: Mapping[int, float] | None = None
    ) -> Iterator[Any]:
        """Yield the batches for `fit`, one per step, and keep that of the traced step.

        Parameters
        ----------
        data : iterable
            Of (inputs, labels) or (inputs, labels, weights): a generator, list, tf.data.Dataset...
            An iterable that can be restarted starts again when it ends; `fit` then needs
            ``steps_per_epoch``, without which it would never end, and is refused.
        class_weight : mapping of int to float, optional
            Weight of each class; 1 for those not listed. `fit` does not accept `class_weight` with
            batches from a generator; here it is converted to sample weights as `fit` would do.

        Raises
        ------
        FpdriftError
            If `class_weight` is not a mapping; while iterating, if a batch does not support it.
        """
        if class_weight is not None and not isinstance(class_weight, Mapping):
            message = (
                f"class_weight is {short_repr(class_weight)}; pass a mapping of class numbers to "
                "weights"
            )
            raise FpdriftError(message)
        self._restarts = not isinstance(data, Iterator)
        return self._pass_on(data, class_weight)

    def _pass_on(
        self, data: Iterable[Any], class_weight: Mapping[int, float] | None
    ) -> Iterator[Any]:
        passed = 0
        while True:
            start = passed
            for given in (found := _iterate(data)):
                batch = given if class_weight is None else _weighted(given, class_weight)
                passed += 1
                if passed == self._wanted:
                    check_batch(batch)
                    self._batch = keras.tree.map_structure(_copy, tuple(batch))
                yield batch
            if found is data or passed == start:
                return

    def on_train_begin(self, logs: Any = None) -> None:
        """Raise FpdriftError if `fit` would not end or its step cannot be traced."""
        # `fit` names the number of steps, None if unknown; a loop of one's own does not
        if self._restarts and (self.params or {}).get("steps", 0) is None:
            message = (
                "the batches start again when they end, so fit would not end; pass steps_per_epoch "
                "to fit"
            )
            raise FpdriftError(message)
        if self._done >= self._wanted:
            return
        if self.model.steps_per_execution != 1:
            message = "steps_per_execution is above 1, which hides single steps; set it to 1"
            raise FpdriftError(message)
        self._step = Step(self.model)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Keep the state before the step."""
        if self._step is not None and self._done == self._wanted - 1:
            self._before = self._state(self._step)
            self._draw_again = _hold_generators()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Repeat the step with tracing, then restore the state that training left."""
        self._done += 1
        if self._step is None or self._done != self._wanted:
            return
        if self._batch is None:
            message = (
                f"the batch of step {self._wanted} did not pass through the callback; call "
                "fit(keeper.batches(data)), and pass class_weight to batches"
            )
            raise FpdriftError(message)
        own, draw_on = self._state(self._step), _hold_generators()
        metrics = self.model.metrics_variables
        counted = [np.array(values) for values in reader(metrics)()]
        try:
            self._step.restore(self._before)
            self._draw_again()
            seen = self._step.trace(self._batch)
        finally:
            self._step.restore(own)
            draw_on()
            for variable, values in zip(metrics, counted, strict=True):
                variable.assign(values)
        names = [tensor.name for tensor in self._step.state.tensors]
        seen += [
            TracedTensor("own", name, "", values) for name, values in zip(names, own, strict=True)
        ]
        self._write([TracedTensor("step", "", "", np.array(self._wanted)), *seen])
        self._step, self._before, self._batch = None, [], None

    def _write(self, seen: list[TracedTensor]) -> None:
        """Write the file; if that fails, warn and let the training continue."""
        try:
            with atomic.writing(self._path) as file:
                save(file, seen)
        except OSError as error:
            why = error.strerror or str(error)
            message = (
                f"cannot write {short_repr(self._path.name)}: {why}. Training continues without it."
            )
            warnings.warn(message, FpdriftWarning, stacklevel=2)

    def _state(self, step: Step) -> list[Any]:
        sync(self.model)
        return [np.array(values) for values in step.state.read()]


def _iterate(data: Any) -> Iterator[Any]:
    """Iterate over data once; a PyDataset has no end for Python, only a number of batches."""
    return _read(data) if isinstance(data, keras.utils.PyDataset) else iter(data)


def _read(data: Any) -> Iterator[Any]:
    """Read one epoch as `fit` does without shuffling."""
    number = data.num_batches
    data.on_epoch_begin()
    yield from (data[i] for i in (itertools.count() if number is None else range(number)))
    data.on_epoch_end()


def _hold_generators() -> Callable[[], None]:
    """Hold PyTorch's generator, from which Keras draws the masks of layers without a seed."""
    return torch.hold_generators() if keras.backend.backend() == "torch" else _do_nothing


def _do_nothing() -> None:
    """Restore nothing."""


def _weighted(batch: Any, class_weight: Mapping[int, float]) -> tuple[Any, Any, Any]:
    """Add the sample weights that `fit` would compute from class weights to a batch."""
    check_batch(batch)
    inputs, labels, *weights = batch
    if weights or isinstance(labels, Mapping | list | tuple):
        what = "has sample weights" if weights else "has labels for several outputs"
        message = (
            f"class_weight cannot be combined with a batch that {what}; leave class_weight out"
        )
        raise FpdriftError(message)
    classes = keras.ops.convert_to_numpy(labels)
    if classes.ndim > 1:
        classes = classes[..., 0] if classes.shape[-1] == 1 else classes.argmax(axis=-1)
    one_each = [class_weight.get(int(each), 1.0) for each in np.round(classes)]
    return inputs, labels, np.array(one_each, keras.config.floatx())


def _copy(values: Any) -> Any:
    return np.array(keras.ops.convert_to_numpy(values))
