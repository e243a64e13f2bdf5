"""Where in the model a jump took place: the weight, and the unit where values tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.drift.comparison import Comparison
    from fpdrift.records.record import Record

    Floats = npt.NDArray[np.float64]

#: A unit that holds less of what its layer's values gained is not named.
LEAST_SHARE = 0.5


def find_tensor(
    pair: Comparison, counted: npt.NDArray[np.bool_], before: int, after: int
) -> tuple[str | None, float | None]:
    """Name the weight whose squared distance gained most from one column to another.

    Parameters
    ----------
    pair : Comparison
    counted : (weights,) bool
        Which weights the distance is made of.
    before, after : int
        Columns of `pair.distance_by_weight`.

    Returns
    -------
    str or None, float or None
        Name and part of all that was gained; None where a distance is not known.
    """
    squares = np.square(pair.distance_by_weight)
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        gains = np.where(counted, np.maximum(squares[:, after] - squares[:, before], 0), 0)
    total = gains.sum()
    if not (np.isfinite(total) and total > 0):
        return None, None
    row = int(np.argmax(gains))
    return pair.weights[row], float(gains[row] / total)


def find_unit(
    records: tuple[Record, Record], tensor: str, before: int, after: int
) -> tuple[int | None, float | None]:
    """Name the unit whose values moved apart most between two steps.

    A tensor that was kept whole tells it itself. Of a sketched kernel only the total is known, but
    the small weights behind it, one value a unit (a bias, the scale and the offset of a
    normalisation), see the same unit switch.

    Parameters
    ----------
    records : (Record, Record)
        The runs compared.
    tensor : str
        Name of a weight.
    before, after : int
        Sketched steps of both.

    Returns
    -------
    int or None, float or None
        The unit and its part of the squared change; None where less than half is in one unit.
    """
    a, b = records
    names = [t.name for t in a.tensors]
    changes = [
        change
        for i in _telling(a, names.index(tensor))
        if (change := _change(a, b, i, before, after)) is not None
    ]
    gains = np.sum(changes, axis=0) if changes else np.zeros(1)
    total = gains.sum()
    if not (np.isfinite(total) and total > 0):
        return None, None
    unit, share = int(np.argmax(gains)), float(gains.max() / total)
    return (unit, share) if share >= LEAST_SHARE and len(gains) > 1 else (None, None)


def _telling(record: Record, i: int) -> list[int]:
    """Which tensors tell of the units of tensor `i`: itself, or the vectors that follow it."""
    tensor = record.tensors[i]
    if tensor.kept == "whole":
        return [i]
    weights = [k for k, t in enumerate(record.tensors) if t.role == "weight" and k > i]
    found = []
    for k in weights:
        if record.tensors[k].shape != tensor.shape[-1:]:
            break
        if not record.tensors[k].zero_gradient:  # what such a weight does is rounding
            found.append(k)
    return found


def _change(a: Record, b: Record, i: int, before: int, after: int) -> Floats | None:
    """Squared change of a tensor's difference between two steps, a sum for each unit."""
    if a.tensors[i].kept != "whole" or b.tensors[i].kept != "whole" or not a.tensors[i].shape:
        return None
    rows = [np.searchsorted(r.sketch_steps, [before, after]) for r in (a, b)]
    with np.errstate(all="ignore"):  # weights of a run that blew up
        apart = a.kept[i][rows[0]] - b.kept[i][rows[1]]
        moved = np.square(apart[1] - apart[0]).reshape(-1, a.tensors[i].shape[-1])
        return np.asarray(moved.sum(axis=0))
