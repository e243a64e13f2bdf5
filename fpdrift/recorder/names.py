"""Names that two models of one process share.

Keras numbers its automatic names through: the second model's first dense layer is ``dense_3``. Here
they are numbered anew by their order in the model, so that the same code gives the same names. A
name that somebody chose stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import keras

_NUMBER = re.compile(r"_\d+$")
#: What Keras calls a variable that got no name, such as one of Nadam's.
_UNNAMED = re.compile(r"variable_\d+")


def sublayers(model: Any) -> list[Any]:
    """Give the model and every layer that it holds, however deep, each once."""
    found: dict[int, Any] = {}
    waiting: list[Any] = [model]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, keras.layers.Layer) and id(item) not in found:
            found[id(item)] = item
            waiting.extend(vars(item).values())
    return list(found.values())


def renumbered(paths: Iterable[str], classes: Collection[str]) -> list[str]:
    """Give automatic names new numbers, in order of appearance.

    Parameters
    ----------
    paths : iterable of str
        Such as ``"dense_3/kernel"``; the last part is the variable's own name and stays.
    classes : collection of str
        Class names whose instances may have automatic names, such as ``"BatchNormalization"``:
        ``batch_normalization`` and ``batch_normalization_7`` are automatic then.

    Returns
    -------
    list of str
        Not necessarily unique; see `unique`.
    """
    automatic = {name.replace("_", "").lower() for name in classes}
    new: dict[tuple[str, ...], str] = {}
    count: dict[tuple[str, str], int] = {}
    result = []
    for path in paths:
        parts = path.split("/")
        parent = ""
        for depth, part in enumerate(parts[:-1], 1):
            whole = tuple(parts[:depth])
            if whole not in new:
                base = _NUMBER.sub("", part)
                if base.replace("_", "").lower() in automatic:
                    number = count[parent, base] = count.get((parent, base), -1) + 1
                    new[whole] = f"{parent}{base}_{number}/" if number else f"{parent}{base}/"
                else:
                    new[whole] = f"{parent}{part}/"
            parent = new[whole]
        result.append(parent + parts[-1])
    return result


def slot_names(paths: Sequence[str], weights: Sequence[tuple[str, str]]) -> list[str]:
    """Name an optimiser's variables after the weights that they belong to.

    Parameters
    ----------
    paths : sequence of str
        Such as ``"adam/sequential_1_dense_3_kernel_momentum"``.
    weights : sequence of (str, str)
        Path of every weight as Keras has it, and its name here.

    Returns
    -------
    list of str
        Such as ``"adam/dense/kernel/momentum"``.
    """
    longest_first = sorted(weights, key=lambda pair: -len(pair[0]))
    flat = [(path.replace("/", "_") + "_", name) for path, name in longest_first]
    result = []
    for path in paths:
        folder, _, last = path.rpartition("/")
        if _UNNAMED.fullmatch(last):  # Keras numbers these through, too
            last = "variable"
        for prefix, name in flat:
            if last.startswith(prefix):
                last = f"{name}/{last.removeprefix(prefix)}"
                break
        result.append(f"{folder}/{last}" if folder else last)
    return result


def unique(names: Iterable[str]) -> list[str]:
    """Append #2, #3... to a name that is there already."""
    count: dict[str, int] = {}
    result = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        result.append(name if count[name] == 1 else f"{name}#{count[name]}")
    return result
