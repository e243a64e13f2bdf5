"""Taps on a model's layers: the tensors that pass between them in one training step.

Every layer of the model, and of the models inside it, is tapped as a whole: what happens in a
recurrent layer's loop has no tensor that could be seen from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras  # noqa: TID253 - only a process that trains gets here

from fpdrift.recorder.names import renumbered, sublayers, unique


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
        paths = renumbered([f"{path}/output" for path, _ in found], classes)
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
    """Give every layer that is no model itself, with its path."""
    for layer in model.layers:
        path = f"{prefix}{layer.name}"
        if isinstance(layer, keras.Model):
            yield from _leaves(layer, f"{path}/")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield path, layer
