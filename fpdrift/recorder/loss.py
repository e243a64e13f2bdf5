"""The loss of one step, taken out of the running mean that Keras keeps.

Keras adds each batch's loss to a tracker and reports the mean so far. With its total at zero
before the step, its content after the step is that step's alone; added to what was there before, by
the very addition that Keras would have made, it leaves the tracker as if nobody had looked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

import keras
import numpy as np

from fpdrift.recorder.state import reader

#: What a model may not have changed for its tracker to be updated once a step, by Keras.
_KERAS_OWN = ("train_step", "compute_metrics", "get_metrics_result", "metrics")


def has_own_loop(model: Any) -> bool:
    """Tell whether a model trains by a step of its own."""
    return _changes(model, "train_step")


class StepLoss:
    """Watches the loss tracker of a model.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    """

    def __init__(self, model: Any) -> None:
        self._tracker: Any = None
        self._before: tuple[Any, Any] = (0.0, 0.0)
        metrics = model.metrics
        if not any(_changes(model, name) for name in _KERAS_OWN) and metrics:
            first = metrics[0]
            if type(first) is keras.metrics.Mean and first.name == "loss":
                self._tracker = first
        if self._tracker is not None:
            self.kind = "step" if model.steps_per_execution == 1 else "execution"
            self._read_tracker = reader([self._tracker.total, self._tracker.count])
            self._set_total = _assigner(self._tracker.total)
        else:
            named = any(metric.name == "loss" for metric in metrics)
            self.kind = "running mean" if named else "none"

    def before(self) -> None:
        """Prepare for a step."""
        if self._tracker is None:
            return
        self._before = self._read()
        if self.kind == "step":
            self._set_total(0)  # a number: JAX would give a shared zero away

    def after(self, logs: MutableMapping[str, Any]) -> float:
        """Give the step's loss; put tracker and logs right.

        Parameters
        ----------
        logs : mutable mapping
            What Keras reports after the step; its ``"loss"`` becomes the running mean again.

        Returns
        -------
        float
            As `Record.loss_kind` says; NaN where the model reports none.
        """
        if self._tracker is None:
            return _number(logs.get("loss")) if self.kind != "none" else math.nan
        total, count = self._read()
        old_total, old_count = self._before
        if self.kind == "execution":
            # several losses in a row cannot be taken out and put back to the same bits
            with np.errstate(all="ignore"):
                return float((np.float64(total) - old_total) / (np.float64(count) - old_count))
        with np.errstate(all="ignore"):
            running = old_total + total
            self._set_total(running)
            if "loss" in logs:
                logs["loss"] = _mean(running, count)
            # Counts are whole numbers of samples, so their difference is exact.
            return _mean(total, count - old_count)

    def _read(self) -> tuple[Any, Any]:
        total, count = (np.array(value)[()] for value in self._read_tracker())
        return total, count


def _assigner(variable: Any) -> Callable[[Any], Any]:
    """Give a function that assigns, without Keras' own checks at every step."""
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
    except (TypeError, ValueError):
        return math.nan
