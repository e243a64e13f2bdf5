"""Run a model on the probe as in inference, and leave no trace of it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fpdrift.backends import tensorflow
from fpdrift.errors import short_repr
from fpdrift.recorder._model_info import GIVE_PROBE
from fpdrift.recorder._restore import Attributes, PutBack
from fpdrift.recorder._state import sublayers

#: Samples of the probe that are run at a time.
_SAMPLES = 256


class ProbeRefusedError(Exception):
    """Why the probe cannot be run on a model without changing its training, or at all."""


class Predictor:
    """Predicts a probe during one `fit`.

    Parameters
    ----------
    model : keras.Model
        Built.
    probe : structure of arrays
        First axis = sample.
    optimizers : sequence of keras.optimizers.Optimizer
        The model's.

    Raises
    ------
    ProbeRefusedError
        If the model cannot take the probe, or a prediction would move what nobody can put back.
    """

    def __init__(self, model: Any, probe: Any, optimizers: Any) -> None:
        self._model = model
        self._probe = probe
        self._put_back = PutBack(model, optimizers)
        size = len(keras.tree.flatten(probe)[0])
        self._parts = [
            keras.tree.map_structure(lambda array, i=start: array[i : i + _SAMPLES], probe)
            for start in range(0, size, _SAMPLES)
        ]
        self._refuse_hidden_state()

    def __call__(self) -> npt.NDArray[Any]:
        """Return the model's first output, first axis = sample."""
        try:
            with self._put_back.everything():
                return np.concatenate([self._first_output(part) for part in self._parts])
        except Exception as error:
            raise self._refused() from error

    def _first_output(self, part: Any) -> npt.NDArray[Any]:
        outputs = self._call(part)
        return np.asarray(keras.ops.convert_to_numpy(keras.tree.flatten(outputs)[0]))

    def _call(self, part: Any) -> Any:
        return self._model(part, training=False)

    def _refuse_hidden_state(self) -> None:
        held = Attributes(sublayers(self._model)).iterators
        if held:
            message = (
                f"a prediction may draw from the iterator {short_repr(held[0])}, "
                "and nobody can put that back"
            )
            raise ProbeRefusedError(message)
        if keras.backend.backend() != "tensorflow":
            return
        try:
            with self._put_back.everything():
                moved = tensorflow.hidden_state(self._call, self._parts[0])
        except Exception as error:
            raise self._refused() from error
        if moved:
            message = (
                f"a prediction runs {', '.join(moved)}, whose state nobody can put back: draw with "
                "keras.random and a SeedGenerator of the layer"
            )
            raise ProbeRefusedError(message)

    def _refused(self) -> ProbeRefusedError:
        """Describe what a model cannot take, whatever its own error says in Keras' colours."""
        sizes = short_repr(keras.tree.map_structure(np.shape, self._probe))
        message = f"the model cannot take the probe of shape {sizes}; {GIVE_PROBE}"
        if getattr(self._model, "run_eagerly", False) and keras.backend.backend() == "tensorflow":
            message += ", and a model that runs without run_eagerly=True as well"
        return ProbeRefusedError(message)
