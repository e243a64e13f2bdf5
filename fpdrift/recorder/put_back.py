"""Put back whatever a prediction moves, so that a training goes on as if nobody had looked.

A model's own variables are the smallest part. Recurrent layers keep states that are none of them;
layers count in attributes, closures and globals; and generators are drawn from: Python's, NumPy's,
Keras', PyTorch's, or somebody's own, wherever they are held.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import keras
import numpy as np

from fpdrift.frameworks import tensorflow, torch
from fpdrift.recorder.attributes import Attributes
from fpdrift.recorder.names import sublayers

_Undo = Callable[[], None]
_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


class PutBack:
    """Knows everything in this process that a prediction of a model might move.

    Parameters
    ----------
    model : keras.Model
        Built.
    optimizers : iterable of keras.optimizers.Optimizer
        Their variables are left out: no prediction updates weights.
    """

    def __init__(self, model: Any, optimizers: Iterable[Any]) -> None:
        self._model = model
        self._own = {id(variable) for variable in model.variables}
        self._slots = {id(variable) for optimizer in optimizers for variable in optimizer.variables}

    @contextmanager
    def everything(self) -> Iterator[None]:
        """Put everything back at the end, also after an error."""
        # looked for each time: layers and Keras itself make generators when they first draw
        own = _own_variables()
        found = _living((keras.Variable, *_GENERATORS, *own))
        undo = _hold_keras()
        undo += [_hold_generator(item) for item in found if isinstance(item, _GENERATORS)]
        undo += [_hold_random_module(), _hold_numpy()]
        undo += self._hold_variables([v for v in found if isinstance(v, (keras.Variable, *own))])
        if keras.backend.backend() == "torch":
            undo.append(torch.hold_generators())
        attributes = Attributes(sublayers(self._model))
        try:
            yield
        finally:
            attributes.put_back()
            for put_back in undo:
                put_back()

    def _hold_variables(self, variables: list[Any]) -> list[_Undo]:
        # what Keras' variables consist of is held with them
        left_out = {id(getattr(v, "_value", None)) for v in variables if _is_keras(v)} | self._slots
        undo = []
        for variable in (v for v in variables if id(v) not in left_out):
            try:
                undo.append(_hold_variable(variable))
            except Exception:  # of another graph, or given away: then nothing can move it
                if id(variable) in self._own:
                    raise
        return undo


def _is_keras(variable: Any) -> bool:
    return isinstance(variable, keras.Variable)


def _living(kinds: tuple[type, ...]) -> list[Any]:
    """Find every object of some classes, also those that closures and modules hold."""
    wanted: dict[type, bool] = {random.SystemRandom: False}  # it has no state
    found = []
    for item in gc.get_objects():
        kind = type(item)
        if kind not in wanted:
            wanted[kind] = issubclass(kind, kinds)
        if wanted[kind]:
            found.append(item)
    return found


def _own_variables() -> tuple[type, ...]:
    return (tensorflow.variable_class(),) if keras.backend.backend() == "tensorflow" else ()


def _hold_variable(variable: Any) -> _Undo:
    """Keep a variable's value: an array that nobody changes, or a copy."""
    old = _value(variable)

    def put_back() -> None:
        new = _value(variable)
        if new is not old and new.tobytes() != old.tobytes():
            variable.assign(old)

    return put_back


def _value(variable: Any) -> Any:
    held = variable.value
    held = held() if callable(held) else held
    if keras.backend.backend() == "tensorflow":
        return held.numpy()
    return np.array(keras.ops.convert_to_numpy(held))


def _hold_generator(generator: Any) -> _Undo:
    if isinstance(generator, random.Random):
        state = generator.getstate()
        return lambda: generator.setstate(state)
    if isinstance(generator, np.random.RandomState):
        legacy = generator.get_state(legacy=False)
        return lambda: generator.set_state(legacy)
    state = deepcopy(generator.bit_generator.state)

    def put_back() -> None:
        generator.bit_generator.state = state

    return put_back


def _hold_random_module() -> _Undo:
    state = random.getstate()
    return lambda: random.setstate(state)


def _hold_numpy() -> _Undo:
    state = np.random.get_state(legacy=False)  # noqa: NPY002 - the global one is held
    return lambda: np.random.set_state(state)  # noqa: NPY002


def _hold_keras() -> list[_Undo]:
    """Keep Keras' own generator, which is made when it is first drawn from.

    Its values are a variable like any other; what no public function tells is whether it is there.
    """
    try:
        from keras.src.backend.common import global_state
        from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR as NAME
    except ImportError:
        return []
    old = global_state.get_global_attribute(NAME)
    return [lambda: global_state.set_global_attribute(NAME, old)]
