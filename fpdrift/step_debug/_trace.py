"""Trace one training step: every tensor of the forward pass, loss, backward pass and update.

The traced step computes what Keras' own step computes, in one function that is compiled in the same
way. Returning a tensor may keep the compiler from fusing it away, which may round differently. So
the trace shows what happened in the run only if the state after it is bit-identical: callers have
to check that.

Layers are tapped from outside, including those of nested models. The time steps of a recurrent
layer have no tensors that can be tapped.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras  # noqa: TID253 - only a process that trains gets here
import numpy as np
import numpy.typing as npt

from fpdrift.backends import autodiff
from fpdrift.errors import FpdriftError
from fpdrift.recorder._state import State, is_ready, optimizers, renumber, sublayers, sync, unique
from fpdrift.recorder._step_loss import has_own_loop
from fpdrift.step_debug._trace_file import TracedTensor


@dataclass
class TappedTensors:
    """The tensors tapped in one forward pass."""

    #: name of each tensor, such as ``"conv1/output"``, in order of computation
    names: list[str] = field(default_factory=list)
    #: index of the layer that computed it
    layers: list[int] = field(default_factory=list)
    tensors: list[Any] = field(default_factory=list)
    #: index of a tensor -> the layers that take it as input
    takers: dict[int, list[int]] = field(default_factory=dict)


class Taps:
    """Taps on the layers of a model, which are named as a record names their weights.

    Parameters
    ----------
    model : keras.Model
    """

    def __init__(self, model: Any) -> None:
        found = list({id(layer): (path, layer) for path, layer in _leaves(model, "")}.values())
        classes = {type(layer).__name__ for layer in sublayers(model)}
        self.layers = [layer for _, layer in found]
        paths = renumber([f"{path}/output" for path, _ in found], classes)
        self.names = unique(path.removesuffix("/output") for path in paths)

    def relus(self) -> dict[str, str]:
        """Name the layers that are ReLUs or have a ReLU activation.

        Returns
        -------
        dict of str to str
            ``"input"`` if the input of the ReLU can be tapped, ``"output"`` if only its output can.
        """
        found = {}
        for name, layer in zip(self.names, self.layers, strict=True):
            alone = isinstance(layer, keras.layers.Activation)
            if isinstance(layer, keras.layers.ReLU):
                if not layer.threshold and layer.max_value is None:
                    found[name] = "input"
            elif getattr(layer, "activation", None) is keras.activations.relu:
                found[name] = "input" if alone else "output"
        return found

    @contextmanager
    def open(self) -> Iterator[TappedTensors]:
        """Collect the outputs of the layers while the model is called inside the block."""
        tapped = TappedTensors()
        own = [vars(layer).get("call") for layer in self.layers]
        try:
            for index, layer in enumerate(self.layers):
                layer.call = self._tap(layer.call, index, tapped)
            yield tapped
        finally:
            for layer, call in zip(self.layers, own, strict=True):
                vars(layer).pop("call", None)
                if call is not None:
                    layer.call = call
            tapped.names[:] = unique(tapped.names)

    def _tap(
        self, call: Callable[..., Any], index: int, tapped: TappedTensors
    ) -> Callable[..., Any]:
        def tap(*args: Any, **kwargs: Any) -> Any:
            taken = {id(tensor) for tensor in keras.tree.flatten((args, kwargs))}
            for place, tensor in enumerate(tapped.tensors):
                if id(tensor) in taken:
                    tapped.takers.setdefault(place, []).append(index)
            outputs = call(*args, **kwargs)
            for tensor in keras.tree.flatten(outputs):
                if keras.ops.is_tensor(tensor):
                    tapped.names.append(f"{self.names[index]}/output")
                    tapped.layers.append(index)
                    tapped.tensors.append(tensor)
            return outputs

        return tap


def _leaves(model: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield every layer that is not itself a model, with its path."""
    for layer in model.layers:
        path = f"{prefix}{layer.name}"
        if isinstance(layer, keras.Model):
            yield from _leaves(layer, f"{path}/")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield path, layer


Array = npt.NDArray[Any]
_ROLES = ("slot", "weight", "statistic", "seed")


class Step:
    """The training step of a compiled model, with every tensor traced.

    Parameters
    ----------
    model : keras.Model
        Built and compiled.

    Raises
    ------
    FpdriftError
        If the step is not Keras' own, so that its computation is unknown.
    """

    def __init__(self, model: Any) -> None:
        _check(model)
        self.model = model
        self.state = State(model)
        self._taps = Taps(model)
        self._tapped = TappedTensors()
        self._function: Callable[..., Any] | None = None

    @property
    def relus(self) -> dict[str, str]:
        """The ReLU layers; see `Taps.relus`."""
        return self._taps.relus()

    def restore(self, arrays: Sequence[Array]) -> None:
        """Assign a value to every variable, in the order of the state's tensors."""
        for variable, values in zip(self.state.variables, arrays, strict=True):
            variable.assign(values)

    def read(self) -> list[Array]:
        """Return the value of every variable, in the order of the state's tensors."""
        return self.state.read()

    def advance(self, batch: Sequence[Any]) -> None:
        """Do one update with Keras' own step."""
        generator = (item for item in [tuple(batch)])
        self.model.fit(generator, steps_per_epoch=1, shuffle=False, verbose=0)
        sync(self.model)

    def trace(self, batch: Sequence[Any]) -> list[TracedTensor]:
        """Do one update and return every tensor of it.

        Parameters
        ----------
        batch : sequence
            Inputs, labels and, optionally, sample weights, as the model takes them.

        Returns
        -------
        list of TracedTensor
            In order of computation.
        """
        before = self._variables("before")
        inputs = [
            TracedTensor("before", f"batch/{i}", "", np.array(values))
            for i, values in enumerate(keras.tree.flatten(list(batch)))
        ]
        loss, outputs, of_outputs, of_weights = self._run(batch)
        return [
            *inputs,
            *before,
            *self._forward(outputs),
            TracedTensor("loss", "loss", "", _array(loss)),
            *self._backward(of_outputs, of_weights),
            *self._variables("after"),
        ]

    def _run(self, batch: Sequence[Any]) -> Any:
        backend = keras.backend.backend()
        if backend == "jax":
            message = "the JAX backend is not supported; trace the step on TensorFlow or PyTorch"
            raise FpdriftError(message)
        if backend == "torch" or self.model.run_eagerly:
            return self._step(*keras.tree.map_structure(keras.ops.convert_to_tensor, tuple(batch)))
        if self._function is None:
            jit = bool(self.model.jit_compile)
            self._function = autodiff.compiled(self._step, batch, jit=jit)
        return self._function(*batch)

    def _step(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """Compute as Keras' own `train_step` does."""
        model = self.model

        def forward() -> tuple[Any, list[Any]]:
            with self._taps.open() as self._tapped:
                outputs = model(x, training=True)
            loss = model.compute_loss(x, y, outputs, sample_weight, training=True)
            return model.optimizer.scale_loss(loss), self._tapped.tensors

        weights = model.trainable_variables
        tensorflow = keras.backend.backend() == "tensorflow"
        differentiate = autodiff.tensorflow if tensorflow else autodiff.torch
        *seen, found = differentiate(forward, [variable.value for variable in weights])
        with warnings.catch_warnings():  # a missing gradient is traced as zeros
            warnings.filterwarnings("ignore", "Gradients do not exist", UserWarning)
            model.optimizer.apply(found, weights)
        return *seen, [autodiff.dense(g) for g in found] if tensorflow else found

    def _forward(self, outputs: Sequence[Any]) -> Iterator[TracedTensor]:
        tapped = self._tapped
        for name, index, values in zip(tapped.names, tapped.layers, outputs, strict=True):
            yield TracedTensor("forward", name, self._taps.names[index], _array(values))

    def _backward(
        self, of_outputs: Sequence[Any], of_weights: Sequence[Any]
    ) -> Iterator[TracedTensor]:
        """Yield gradients in order of computation: of a layer's output, then of its weights."""
        tapped, names = self._tapped, self._taps.names
        named = {
            id(v): t.name for v, t in zip(self.state.variables, self.state.tensors, strict=True)
        }
        # if the loss does not depend on a weight, the gradient is zero, which Keras returns as None
        weights = {
            id(variable): (
                named[id(variable)],
                np.zeros(variable.shape, "float32") if gradient is None else _array(gradient),
            )
            for variable, gradient in zip(self.model.trainable_variables, of_weights, strict=True)
        }
        for place in reversed(range(len(tapped.names))):
            if of_outputs[place] is not None:
                takers = ", ".join(names[i] for i in tapped.takers.get(place, []))
                yield TracedTensor(
                    "backward", tapped.names[place], takers, _array(of_outputs[place])
                )
            index = tapped.layers[place]
            for variable in self._taps.layers[index].trainable_variables:
                if id(variable) in weights:
                    name, gradient = weights.pop(id(variable))
                    yield TracedTensor("backward", name, names[index], gradient)
        for name, gradient in weights.values():
            yield TracedTensor("backward", name, "", gradient)

    def _variables(self, stage: str) -> list[TracedTensor]:
        values = zip(self.state.tensors, self.read(), strict=True)
        seen = [
            (_ROLES.index(t.role), TracedTensor(stage, t.name, "", np.array(v))) for t, v in values
        ]
        return [item for _, item in sorted(seen, key=lambda pair: pair[0])]


def _check(model: Any) -> None:
    """Check that a model's step can be traced."""
    if not isinstance(model, keras.Model) or getattr(model, "optimizer", None) is None:
        message = "only the step of a compiled keras.Model can be traced; call model.compile first"
        raise FpdriftError(message)
    if has_own_loop(model) or len(optimizers(model)) != 1:
        message = (
            f"{type(model).__name__} has a custom train_step or several optimisers; "
            "only Keras' own step with one optimiser can be traced"
        )
        raise FpdriftError(message)
    if not is_ready(model, own_loop=False):
        message = f"{type(model).__name__} is not built; call it once or add an Input"
        raise FpdriftError(message)


def _array(values: Any) -> Array:
    return np.array(keras.ops.convert_to_numpy(values))
