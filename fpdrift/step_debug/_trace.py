"""One training step with every tensor in it: layer by layer forward, the loss, backward, update.

It computes what Keras' own step computes, in one function that is compiled alike. But whoever looks
at a tensor keeps a compiler from doing away with it, and that may round otherwise: what is seen
here is what happened only if the state after it has the same bits. Whoever uses it has to compare.

Taps on a model's layers: the tensors that pass between them in one training step.

Every layer of the model, and of the models inside it, is tapped as a whole: what happens in a
recurrent layer's loop has no tensor that could be seen from outside.
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
class Tapped:
    """What passed one forward run."""

    #: name of each tensor, such as ``"conv1/output"``, in the order of computing
    names: list[str] = field(default_factory=list)
    #: index of the layer that gave it
    layers: list[int] = field(default_factory=list)
    tensors: list[Any] = field(default_factory=list)
    #: index of a tensor -> the layers that took it
    takers: dict[int, list[int]] = field(default_factory=dict)


class Taps:
    """The layers of a model, named as a record names their weights.

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
        """Name the layers that are ReLUs, or end in one.

        Returns
        -------
        dict of str to str
            ``"input"`` where what goes into the ReLU can be tapped, ``"output"`` where only what
            comes out of it.
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
    def open(self) -> Iterator[Tapped]:
        """Catch what the layers give while the model is called inside the block."""
        tapped = Tapped()
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

    def _tap(self, call: Callable[..., Any], index: int, tapped: Tapped) -> Callable[..., Any]:
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
    """Return every layer that is no model itself, with its path."""
    for layer in model.layers:
        path = f"{prefix}{layer.name}"
        if isinstance(layer, keras.Model):
            yield from _leaves(layer, f"{path}/")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield path, layer


Array = npt.NDArray[Any]
_ROLES = ("slot", "weight", "statistic", "seed")


class Step:
    """A compiled model's training step, taken apart.

    Parameters
    ----------
    model : keras.Model
        Built and compiled.

    Raises
    ------
    FpdriftError
        If the step is not Keras' own, so that nobody knows what it computes.
    """

    def __init__(self, model: Any) -> None:
        _check(model)
        self.model = model
        self.state = State(model)
        self._taps = Taps(model)
        self._tapped = Tapped()
        self._function: Callable[..., Any] | None = None

    @property
    def relus(self) -> dict[str, str]:
        """The ReLU layers; see `Taps.relus`."""
        return self._taps.relus()

    def restore(self, arrays: Sequence[Array]) -> None:
        """Put every variable, in the order of the state's tensors, to its value."""
        for variable, values in zip(self.state.variables, arrays, strict=True):
            variable.assign(values)

    def read(self) -> list[Array]:
        """Read every variable, in the order of the state's tensors."""
        return self.state.read()

    def advance(self, batch: Sequence[Any]) -> None:
        """Do one update as Keras does it."""
        generator = (item for item in [tuple(batch)])
        self.model.fit(generator, steps_per_epoch=1, shuffle=False, verbose=0)
        sync(self.model)

    def take(self, batch: Sequence[Any]) -> list[TracedTensor]:
        """Do one update and give every tensor of it.

        Parameters
        ----------
        batch : sequence
            Inputs, labels and, if there are any, sample weights, as the model takes them.

        Returns
        -------
        list of Seen
            In order of computing.
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
            message = "a step is taken apart on TensorFlow and PyTorch, not yet on JAX"
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
        with warnings.catch_warnings():  # a weight without a gradient is shown with one of zero
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
        """Give gradients as they come to be: of what a layer gave, then of the layer's weights."""
        tapped, names = self._tapped, self._taps.names
        named = {
            id(v): t.name for v, t in zip(self.state.variables, self.state.tensors, strict=True)
        }
        # a weight that the loss does not depend on has a gradient of zero, which Keras calls none
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
    """Refuse a model whose step cannot be taken apart."""
    if not isinstance(model, keras.Model) or getattr(model, "optimizer", None) is None:
        message = "the step of a compiled keras.Model can be taken apart; call model.compile first"
        raise FpdriftError(message)
    if has_own_loop(model) or len(optimizers(model)) != 1:
        message = (
            f"{type(model).__name__} has a train_step of its own, or several optimisers; "
            "only Keras' own step can be taken apart"
        )
        raise FpdriftError(message)
    if not is_ready(model, own_loop=False):
        message = f"{type(model).__name__} is not built; call it once, or give it an Input"
        raise FpdriftError(message)


def _array(values: Any) -> Array:
    return np.array(keras.ops.convert_to_numpy(values))
