"""Run a model on the probe in inference mode, without side effects."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fpdrift.backends import tensorflow
from fpdrift.errors import short_repr
from fpdrift.recorder._model_info import PROBE_HINT
from fpdrift.recorder._restore import Attributes, StateRestorer
from fpdrift.recorder._state import sublayers

#: Number of probe samples that are run at a time.
_SAMPLES = 256


class ProbeRefusedError(Exception):
    """The probe cannot be run on a model, or not without changing its training."""


class Predictor:
    """Predict a probe during one `fit`.

    Parameters
    ----------
    model : keras.Model
        A built model.
    probe : structure of arrays
        First axis = sample.
    optimizers : sequence of keras.optimizers.Optimizer
        The model's.

    Raises
    ------
    ProbeRefusedError
        If the model cannot take the probe, or a prediction would change state irreversibly.
    """

    def __init__(self, model: Any, probe: Any, optimizers: Any) -> None:
        self._model = model
        self._probe = probe
        self._restorer = StateRestorer(model, optimizers)
        size = len(keras.tree.flatten(probe)[0])
        self._parts = [
            keras.tree.map_structure(lambda array, i=start: array[i : i + _SAMPLES], probe)
            for start in range(0, size, _SAMPLES)
        ]
        self._refuse_hidden_state()

    def __call__(self) -> npt.NDArray[Any]:
        """Return the model's first output, first axis = sample."""
        try:
            with self._restorer.everything():
                return np.concatenate([self._first_output(part) for part in self._parts])
        except Exception as error:
            raise self._probe_error() from error

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
                "which cannot be restored"
            )
            raise ProbeRefusedError(message)
        if keras.backend.backend() != "tensorflow":
            return
        try:
            with self._restorer.everything():
                moved = tensorflow.hidden_state(self._call, self._parts[0])
        except Exception as error:
            raise self._probe_error() from error
        if moved:
            message = (
                f"a prediction runs {', '.join(moved)}, whose state cannot be restored; draw with "
                "keras.random and a SeedGenerator of the layer"
            )
            raise ProbeRefusedError(message)

    def _probe_error(self) -> ProbeRefusedError:
        """Return a one-line error in place of the model's own, which Keras formats with colours."""
        sizes = short_repr(keras.tree.map_structure(np.shape, self._probe))
        message = f"the model cannot take the probe of shape {sizes}; {PROBE_HINT}"
        if getattr(self._model, "run_eagerly", False) and keras.backend.backend() == "tensorflow":
            message += ", and a model that also runs without run_eagerly=True"
        return ProbeRefusedError(message)
