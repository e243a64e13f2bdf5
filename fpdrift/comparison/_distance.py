"""The distance between the weights of two runs, and its standard error.

Tensors with equal hashes have distance 0. If both records kept a tensor whole, the distance is
computed from the values. Otherwise it is estimated from the two sketches, whose squared distance is
an unbiased estimate of that of the tensors (see `fpdrift.records._sketch`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.comparison._shared_tensors import present_in_both
from fpdrift.records import BUCKETS, relative_standard_error
from fpdrift.serialization import read_only

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records import Record

    Floats = npt.NDArray[np.float64]

#: Unit roundoff of float64, in which sketches are summed.
_U = 2.0**-53


def distances(
    a: Record, b: Record, recorded: npt.NDArray[np.int64], differs: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Compute all distances of a comparison.

    Parameters
    ----------
    a, b : Record
        With the same tensors.
    recorded : (n,) int64
        Steps that both recorded, ascending.
    differs : (n, tensors) bool
        Whether a tensor's bits differ at a step.

    Returns
    -------
    dict
        The fields of `Comparison` from `steps` to `distance_by_weight`. Distances are NaN for a
        model without trainable weights.
    """
    steps = np.intersect1d(np.intersect1d(a.sketch_steps, b.sketch_steps), recorded)
    rows_a, rows_b = (np.searchsorted(r.sketch_steps, steps) for r in (a, b))
    differs = differs[np.searchsorted(recorded, steps)]
    present = present_in_both(a, b, steps)
    weights = [i for i, tensor in enumerate(a.tensors) if tensor.role == "weight"]
    squares, spreads, norms = np.zeros((3, len(weights), len(steps)))
    with np.errstate(all="ignore"):  # weights of a diverging run may be NaN or infinite
        for row, i in enumerate(weights):
            there = differs[:, i]
            norms[row] = np.where(present[:, i], _squared_norm(a, i)[rows_a], 0)
            squares[row, there], spreads[row, there] = _squared_distance(
                a, b, i, rows_a[there], rows_b[there]
            )
        distance, error = _relative(squares, spreads, norms)
        learning = _with_gradient(a, b, weights)
        return {
            "steps": read_only(steps),
            "distance": read_only(distance),
            "standard_error": read_only(error),
            "distance_without_zero_gradient": None
            if learning is None
            else read_only(_relative(squares[learning], spreads[learning], norms[learning])[0]),
            "weights": tuple(a.tensors[i].name for i in weights),
            "zero_gradient": () if learning is None else tuple((~learning).tolist()),
            "distance_by_weight": read_only(_ratio(np.sqrt(squares), np.sqrt(norms.sum(axis=0)))),
        }


def first_move(record: Record, steps: npt.NDArray[np.int64]) -> float:
    """Return the distance that a run's weights move between the first two of some sketched steps.

    Parameters
    ----------
    record : Record
    steps : (m,) int64
        Sketched steps of the record, ascending.

    Returns
    -------
    float
        Relative to the weights at the first step; NaN if unknown.
    """
    rows = np.searchsorted(record.sketch_steps, steps[:2])
    weights = [i for i, tensor in enumerate(record.tensors) if tensor.role == "weight"]
    if len(rows) < 2 or not weights:
        return float("nan")
    with np.errstate(all="ignore"):  # weights of a diverging run may be NaN or infinite
        squares = [_squared_distance(record, record, i, rows[:1], rows[1:])[0] for i in weights]
        norms = [_squared_norm(record, i)[rows[:1]] for i in weights]
        return float(_ratio(np.sqrt(np.sum(squares, axis=0)), np.sqrt(np.sum(norms, axis=0)))[0])


def update_gap(a: Record, b: Record, step: int) -> float:
    """Divide the distance of two runs after an update by the length of the longer update.

    Parameters
    ----------
    a, b : Record
        With the same tensors.
    step : int
        Updates done, that one included; the runs were equal before it.

    Returns
    -------
    float
        Over the weights whose true gradient is not known to be zero. NaN where the weights before
        or after the update were not kept, or where it moves none of them.
    """
    ends = np.array([step - 1, step])
    if not all(np.isin(ends, record.sketch_steps).all() for record in (a, b)):
        return float("nan")
    weights = [i for i, tensor in enumerate(a.tensors) if tensor.role == "weight"]
    learning = _with_gradient(a, b, weights)
    if learning is not None:
        weights = [i for i, learns in zip(weights, learning, strict=True) if learns]
    (before_a, after_a), (before_b, after_b) = (
        np.searchsorted(record.sketch_steps, ends)[:, None] for record in (a, b)
    )

    def length(x: Record, y: Record, rows: Any, others: Any) -> float:
        squares = [_squared_distance(x, y, i, rows, others)[0][0] for i in weights]
        return float(np.sqrt(np.sum(squares)))

    with np.errstate(all="ignore"):  # weights of a run that blew up are NaN or infinite
        longest = max(length(a, a, before_a, after_a), length(b, b, before_b, after_b))
        return length(a, b, after_a, after_b) / longest if longest else float("nan")


def tensor_distances(
    a: Record, b: Record, steps: npt.NDArray[np.int64], differs: npt.NDArray[np.bool_]
) -> Floats:
    """Compute the relative distance ||a - b|| / ||a|| of each tensor.

    Parameters
    ----------
    a, b : Record
        Records of the same model.
    steps : (m,) int64
        Ascending.
    differs : (m, tensors) bool
        Whether a tensor's bits differ at a step.

    Returns
    -------
    (m, tensors) float64
        0 where no bit differs, NaN where the values were not kept.
    """
    found = np.where(differs, np.nan, 0.0)
    kept = np.isin(steps, a.sketch_steps) & np.isin(steps, b.sketch_steps)
    with np.errstate(all="ignore"):  # weights of a diverging run may be NaN or infinite
        for i in range(len(a.tensors)):
            there = kept & differs[:, i]
            rows_a, rows_b = (np.searchsorted(r.sketch_steps, steps[there]) for r in (a, b))
            squares, _ = _squared_distance(a, b, i, rows_a, rows_b)
            found[there, i] = _ratio(np.sqrt(squares), np.sqrt(_squared_norm(a, i)[rows_a]))
    return found


def _squared_distance(
    a: Record, b: Record, i: int, rows_a: npt.NDArray[np.intp], rows_b: npt.NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Return the squared distance of tensor `i` at the given rows, and its standard error."""
    kept = a.tensors[i].kept
    if i not in a.kept or i not in b.kept or b.tensors[i].kept != kept:
        unknown = np.full(len(rows_a), np.nan)
        return unknown, unknown
    squares = np.square(a.kept[i][rows_a] - b.kept[i][rows_b]).sum(axis=1)
    if kept == "whole":
        return squares, np.zeros_like(squares)
    # The rounding errors of a bucket are a random walk over its terms. They matter only for
    # distances close to one ulp of float64.
    terms = max(1.0, a.tensors[i].size / BUCKETS)
    rounding = _U**2 * terms / 3 * _squared_norm(a, i)[rows_a]
    return squares, relative_standard_error * squares + rounding


def _squared_norm(record: Record, i: int) -> Floats:
    """Return the squared norm of tensor `i` at the sketched steps; NaN where it was not kept."""
    return record.squared_norms.get(i, np.full(len(record.sketch_steps), np.nan))


def _relative(squares: Floats, spreads: Floats, norms: Floats) -> tuple[Floats, Floats]:
    """Return the relative distance over some weights and its standard error, each (m,).

    All sketches map positions to the same buckets, so their errors may be correlated: they are
    added, not combined in quadrature.
    """
    if not len(squares):
        unknown = np.full(squares.shape[1], np.nan)
        return unknown, unknown
    square, spread, norm = squares.sum(axis=0), spreads.sum(axis=0), np.sqrt(norms.sum(axis=0))
    distance = np.sqrt(square)
    # sqrt(square + spread) - distance, without cancellation
    error = _ratio(spread, np.sqrt(square + spread) + distance)
    return _ratio(distance, norm), _ratio(error, norm)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Divide, with 0 / x = 0 for every x."""
    return np.where(part == 0, 0.0, part / whole)


def _with_gradient(a: Record, b: Record, weights: list[int]) -> npt.NDArray[np.bool_] | None:
    """Return a mask of the weights whose true gradient is not zero; None if not recorded."""
    said = [(a.tensors[i].zero_gradient, b.tensors[i].zero_gradient) for i in weights]
    if all(flags == (None, None) for flags in said):
        return None
    return np.array([True not in flags for flags in said])
