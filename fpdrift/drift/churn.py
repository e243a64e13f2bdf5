"""Churn: how many answers change, whatever the weights do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records.record import Record


def churn(a: Record, b: Record) -> tuple[int | None, float | None]:
    """Count the probe's predictions whose class differs, at the last step that both predicted.

    Returns
    -------
    int or None, float or None
        That step and the fraction; both None where the records have no such step, or predictions
        of other shapes there.
    """
    step = max(a.predictions.keys() & b.predictions.keys(), default=None)
    if step is None:
        return None, None
    ours, others = a.predictions[step], b.predictions[step]
    if ours.shape != others.shape or not ours.size:
        return None, None
    return step, float(np.mean(classes(ours) != classes(others)))


def classes(predictions: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Tell the class of each prediction: its largest column, or whether its one column passes 0.5.

    A prediction that holds a NaN has no class; it counts as class -1.
    """
    values = predictions.astype(np.float64)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    chosen = np.argmax(values, axis=-1) if values.shape[-1] > 1 else values[..., 0] > 0.5
    return np.where(np.isnan(values).any(axis=-1), -1, chosen).astype(np.int64)
