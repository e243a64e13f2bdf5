"""Digest the batches of a training on their way into it, without changing them.

Keras does not pass batches to callbacks, so the data go through the recorder on their way to `fit`.
They may be read ahead of the steps, but in the order of the steps, so the digests wait in a queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from types import GeneratorType
from typing import Any

import keras
import numpy as np
import xxhash

from fpdrift.backends import tensorflow
from fpdrift.errors import FpdriftError, short_repr

#: Batches of a generator that Keras reads to learn their shapes, before it begins to train.
_READ_AHEAD = 2


def batch_digest(batch: Any) -> int:
    """Return a 64-bit digest of the dtypes, shapes and bytes of arrays, in their order."""
    digest = xxhash.xxh3_64()
    for leaf in keras.tree.flatten(batch):
        array = np.asarray(keras.ops.convert_to_numpy(leaf) if keras.ops.is_tensor(leaf) else leaf)
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        held = array.dtype.hasobject  # their bytes would be addresses
        digest.update(repr(array.tolist()).encode() if held else array.tobytes())
    return digest.intdigest()


class Batches:
    """The digests of the batches of one `fit`, in the order in which they are read."""

    def __init__(self) -> None:
        self._digests: deque[int] = deque()
        self._restarts = True
        self._read = 0
        self._begun = False

    def begin(self) -> str:
        """Begin a training.

        Returns
        -------
        str
            Why the digests cannot be those of its batches; "" if they can.
        """
        if self._begun:
            return "the data were watched for an earlier fit; call watch for each fit"
        self._begun = True
        if self._restarts:  # what was read before serves to learn shapes and is read again
            self._digests.clear()
        elif self._read > _READ_AHEAD:
            return "the model was built from the generator; give it an Input layer"
        return ""

    def take(self, steps: int) -> int | None:
        """Return the digest of the next steps' batches; None if they did not come this way."""
        if len(self._digests) < steps:
            return None
        taken = [self._digests.popleft() for _ in range(steps)]
        return taken[0] if steps == 1 else batch_digest(np.array(taken, np.uint64))

    def watch(self, data: Any) -> Any:
        """Return the data in a form that adds the digest of each batch that is read.

        Raises
        ------
        FpdriftError
            If the data are not of a supported kind.
        """
        if isinstance(data, GeneratorType):
            self._restarts = False
            return self._pass_on(data)
        if isinstance(data, keras.utils.PyDataset):
            if data.workers > 1 or data.use_multiprocessing:
                message = (
                    "watch cannot follow several workers, which read batches out of order; pass a "
                    "PyDataset with workers=1"
                )
                raise FpdriftError(message)
            return _WatchedDataset(data, self._add)
        if keras.backend.backend() == "tensorflow" and tensorflow.is_dataset(data):
            return tensorflow.watch_dataset(data, self._add)
        message = (
            f"watch does not support {short_repr(type(data).__name__)}; pass arrays, a Python "
            "generator, a PyDataset or, on TensorFlow, a tf.data.Dataset"
        )
        raise FpdriftError(message)

    def _add(self, batch: Any) -> None:
        self._read += 1
        self._digests.append(batch_digest(batch))

    def _pass_on(self, data: Iterator[Any]) -> Iterator[Any]:
        for batch in data:
            self._add(batch)
            yield batch


class _WatchedDataset(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """Passes on the batches of another dataset."""

    def __init__(self, data: Any, add: Callable[[Any], None]) -> None:
        super().__init__()
        self._data = data
        self._add = add

    def __getitem__(self, index: int) -> Any:
        batch = self._data[index]
        self._add(batch)
        return batch

    @property
    def num_batches(self) -> int | None:
        number: int | None = self._data.num_batches
        return number

    def on_epoch_begin(self) -> None:
        self._data.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._data.on_epoch_end()


def is_arrays(data: Any) -> bool:
    """Return whether data are arrays, or a structure of arrays."""
    leaves = keras.tree.flatten(data)
    return bool(leaves) and all(hasattr(leaf, "__array__") for leaf in leaves)
