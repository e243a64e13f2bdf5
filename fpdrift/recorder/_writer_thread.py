"""Hash and write a step in a thread, while the next step is running."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.recorder._state import Arrays, State, hashes
from fpdrift.records import RecordWriter, Tensor
from fpdrift.records._codec import FLOATS

#: Roles that are checked for infinities and NaN at every step.
_CHECKED = ("weight", "statistic")


class Pending(NamedTuple):
    """A step that is being written."""

    writing: Future[None]
    step: int
    loss: float


class StepWriter:
    """Hash and write steps, one at a time."""

    def __init__(self) -> None:
        #: hashes of every tensor at the last step (tensors,)
        self.last_hashes: Any = None
        self._all_finite = True
        self._pool: ThreadPoolExecutor | None = None
        self._pending: Pending | None = None

    def start(
        self,
        writer: RecordWriter,
        state: State,
        step: int,
        arrays: Arrays,
        values: dict[int, Any] | None,
        loss: float | None,
        metrics: Mapping[str, float],
        digests: Mapping[str, int],
    ) -> None:
        """Start writing a step, after `take_pending` has returned the previous one."""
        self._pool = self._pool or ThreadPoolExecutor(1, "fpdrift")
        writing = self._pool.submit(
            self.write, writer, state, step, arrays, values, loss, metrics, digests
        )
        self._pending = Pending(writing, step, math.nan if loss is None else loss)

    def take_pending(self) -> Pending | None:
        """Return the step being written, if it was not returned before."""
        pending, self._pending = self._pending, None
        return pending

    def stop(self) -> None:
        """Stop the thread; the next step starts a new one."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def write(
        self,
        writer: RecordWriter,
        state: State,
        step: int,
        arrays: Arrays,
        values: dict[int, Any] | None,
        loss: float | None = None,
        metrics: Mapping[str, float] | None = None,
        digests: Mapping[str, int] | None = None,
    ) -> None:
        """Hash and write a step; release the arrays early, since the next update must not wait."""
        self.last_hashes = hashes(arrays)
        bad = self._not_finite(state, arrays, loss, metrics or {})
        arrays.clear()  # an update must copy arrays that are still referenced
        known = math.nan if loss is None else loss
        writer.add_step(step, self.last_hashes, known, metrics, values, bad, digests)

    def _not_finite(
        self, state: State, arrays: Arrays, loss: float | None, metrics: Mapping[str, float]
    ) -> list[str]:
        """Return the names of values that are not finite, until a step has some."""
        if not self._all_finite:
            return []
        numbers_of_step = {"loss": 0.0 if loss is None else loss, **metrics}
        bad = [name for name, value in numbers_of_step.items() if not math.isfinite(value)]
        bad += not_finite(state.tensors, arrays, every=bool(bad))
        self._all_finite = not bad
        return bad


def not_finite(tensors: Sequence[Tensor], arrays: Arrays, *, every: bool) -> list[str]:
    """Return the names of the tensors that contain an infinity or NaN.

    Parameters
    ----------
    tensors : sequence of Tensor
    arrays : list of numpy.ndarray
        Their values.
    every : bool
        Check all of them; otherwise the model's, and the slots only if one of those is found.
    """
    pairs = zip(tensors, arrays, strict=True)
    names = [t.name for t, a in pairs if (every or t.role in _CHECKED) and _is_bad(a)]
    return not_finite(tensors, arrays, every=True) if names and not every else names


def _is_bad(array: npt.NDArray[Any]) -> bool:
    """Return whether an array contains an infinity or NaN, by two integer maxima.

    As integers, floats of one sign are ordered, with infinity and NaN at the end. NumPy's own
    maxima of float16 take a thousand times as long.
    """
    if array.dtype.name not in FLOATS:
        return array.dtype.kind not in "biu" and not np.isfinite(array).all()
    if not array.size:
        return False
    signed, unsigned, positive, negative = _infinities(array.dtype)
    most = array.view(signed).max(), array.view(unsigned).max()
    return bool(most[0] >= positive or most[1] >= negative)


@cache
def _infinities(dtype: np.dtype[Any]) -> tuple[str, str, int, int]:
    """Return the integer dtypes of a float's size, and +inf and -inf as such integers."""
    signed, unsigned = f"i{dtype.itemsize}", f"u{dtype.itemsize}"
    positive, negative = np.array([np.inf, -np.inf], dtype)
    return signed, unsigned, int(positive.view(signed)), int(negative.view(unsigned))
