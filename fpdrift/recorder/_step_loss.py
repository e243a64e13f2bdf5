"""Extract the loss of one step from the running mean that Keras keeps.

Keras adds each batch's loss to a tracker and reports the mean so far. If its total is zero before
the step, its content after the step is that step's loss alone. Adding the previous total back, with
the same addition that Keras would have made, leaves the tracker's bits unchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import keras
import numpy as np

from fpdrift.recorder._state import reader

#: Methods that a model must not override for Keras to update its tracker once per step.
_KERAS_OWN = ("train_step", "compute_metrics", "get_metrics_result", "metrics")


def has_own_loop(model: Any) -> bool:
    """Return whether a model has a custom training step."""
    return _changes(model, "train_step")


class StepLoss:
    """Watch the loss tracker of a model by wrapping Keras' own training function.

    Keras looks that function up at every step. The wrapper restores the tracker before any callback
    is called, so that callbacks listed before the recorder see the same mean.

    Parameters
    ----------
    model : keras.Model
        The model, compiled or not.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._tracker: Any = None
        self._armed = False
        self._loss: float | None = None
        #: whether the last step was begun but not finished, for example because the data ended
        self.was_interrupted = False
        self.inner: Callable[..., Any] | None = None
        metrics = model.metrics if getattr(model, "compiled", False) else []
        if metrics and not any(_changes(model, name) for name in _KERAS_OWN):
            first = metrics[0]
            if type(first) is keras.metrics.Mean and first.name == "loss":
                self._tracker = first
        if self._tracker is not None:
            self.kind = "step" if model.steps_per_execution == 1 else "execution"
            self._read_tracker = reader([self._tracker.total, self._tracker.count])
            self._set_total = _assigner(self._tracker.total)
        elif getattr(model, "compiled", False):
            named = any(metric.name == "loss" for metric in metrics)
            self.kind = "running mean" if named else "none"
        else:
            self.kind = "reported"

    def before(self) -> None:
        """Prepare for a step."""
        self._loss = None
        self.was_interrupted = False
        if self._tracker is None:
            return
        if self not in self._chain():
            self._model.make_train_function()  # as Keras is about to, in train_on_batch
            self.inner = self._model.train_function
            self._model.train_function = self._run_step
        self._armed = True

    def after(self, logs: Mapping[str, Any]) -> float | None:
        """Return the step's loss.

        Parameters
        ----------
        logs : mapping
            The logs after the step.

        Returns
        -------
        float or None
            The loss described by `Record.loss_kind`; the reported one if a custom loop did not run
            Keras' training function; None if there is none.
        """
        self._armed = False
        if self._loss is not None:
            return self._loss
        if "loss" not in logs:
            return None
        return _number(logs["loss"])

    @property
    def is_reported(self) -> bool:
        """Whether the last loss was reported by a custom loop although Keras' own was expected."""
        return self._tracker is not None and self._loss is None

    def detach(self) -> None:
        """Remove this wrapper from the model's training function, and keep other wrappers."""
        self._armed = False
        chain = self._chain()
        if self not in chain:
            return
        if self is chain[0]:
            self._model.train_function = self.inner
        else:
            chain[chain.index(self) - 1].inner = self.inner

    def _chain(self) -> list[StepLoss]:
        """Return the wrappers of Keras' training function, the outermost first.

        There are several if one `fit` has several recorders.
        """
        chain: list[StepLoss] = []
        function = getattr(self._model, "train_function", None)
        while isinstance(watcher := getattr(function, "__self__", None), StepLoss):
            chain.append(watcher)
            function = watcher.inner
        return chain

    def _run_step(self, *arguments: Any) -> Any:
        """Run one step as Keras does, and extract its loss from the tracker."""
        original = cast("Callable[..., Any]", self.inner)
        if not self._armed:
            self.detach()
            return original(*arguments)
        self._armed = False
        if keras.backend.backend() == "jax":
            return self._run_jax_step(original, *arguments)
        before = self._read()
        if self.kind == "step":
            self._set_total(0)
        try:
            logs = original(*arguments)
        except BaseException:  # such as the end of the data, which Keras meets during the step
            self.was_interrupted = True
            if self.kind == "step":
                self._set_total(before[0] + self._read()[0])
            raise
        total = self._take_loss(before, self._read(), logs)
        if self.kind == "step":
            self._set_total(total)
        return logs

    def _run_jax_step(self, original: Callable[..., Any], state: Any, data: Any) -> Any:
        """Run one step on JAX, where the tracker is passed through the function as state."""
        variables = [id(variable) for variable in self._model.metrics_variables]
        at = [variables.index(id(v)) for v in (self._tracker.total, self._tracker.count)]
        *others, metrics = state
        before = _numbers(metrics, at)
        if self.kind == "step":  # a new zero, because JAX donates its memory
            metrics = [*metrics]
            metrics[at[0]] = keras.ops.zeros_like(metrics[at[0]])
        logs, (*new_others, metrics) = original((*others, metrics), data)
        total = self._take_loss(before, _numbers(metrics, at), logs)
        if self.kind == "step":
            metrics = [*metrics]
            metrics[at[0]] = keras.ops.convert_to_tensor(total)
        return logs, (*new_others, metrics)

    def _take_loss(self, before: tuple[Any, Any], after: tuple[Any, Any], logs: Any) -> Any:
        """Compute the step's loss, correct the logs and return the tracker's total."""
        (old_total, old_count), (total, count) = before, after
        with np.errstate(all="ignore"):
            if self.kind == "execution":
                # several losses cannot be extracted and added back bit-identically
                self._loss = float(
                    (np.float64(total) - old_total) / (np.float64(count) - old_count)
                )
                return total
            running = old_total + total
            if "loss" in logs:
                logs["loss"] = _mean(running, count)
            # Counts are integers, so their difference is exact.
            samples = count - old_count
            self._loss = _mean(total, samples) if samples else math.nan
        return running

    def _read(self) -> tuple[Any, Any]:
        total, count = (np.array(value)[()] for value in self._read_tracker())
        return total, count


def _numbers(variables: Any, at: list[int]) -> tuple[Any, Any]:
    total, count = (np.array(keras.ops.convert_to_numpy(variables[i]))[()] for i in at)
    return total, count


def _assigner(variable: Any) -> Callable[[Any], Any]:
    """Return a function that assigns to a variable without Keras' checks at every step."""
    if keras.backend.backend() == "tensorflow":
        return partial(variable.value.assign, read_value=False)
    assign: Callable[[Any], Any] = variable.assign
    return assign


def _changes(model: Any, name: str) -> bool:
    return name in vars(model) or getattr(type(model), name) is not getattr(keras.Model, name)


def _mean(total: Any, count: Any) -> float:
    """Divide in the tracker's dtype, as Keras does."""
    return float(total / count) if count else 0.0


def _number(value: Any) -> float:
    try:
        return float(value)
    except Exception:  # noqa: BLE001 - a user's value may raise anything
        return math.nan
