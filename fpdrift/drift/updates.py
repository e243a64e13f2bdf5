"""What an update is: of how many batches it is made, and whether two runs make theirs alike.

A record counts batches. Two batches of 16 whose gradients are accumulated are one batch of 32 on
paper, so such runs are compared after each update, not after each batch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records.record import Record


def lined_up(a: Record, b: Record) -> tuple[Record, Record]:
    """Count the steps of both records in updates if they accumulate over different numbers."""
    batches = [accumulated(record) for record in (a, b)]
    if batches[0] == batches[1]:
        return a, b
    return by_updates(a, batches[0]), by_updates(b, batches[1])


def accumulated(record: Record) -> int:
    """Return of how many batches an update is made; 1 where a record does not say."""
    optimizers = _optimizers(record)
    settings: Any = optimizers[0] if len(optimizers) == 1 else None
    while isinstance(settings, dict):
        batches = settings.get("gradient_accumulation_steps")
        if type(batches) is int and batches > 1:
            return batches
        settings = settings.get("inner_optimizer")
    return 1


def alike(a: Record, b: Record) -> bool:
    """Tell whether two runs are known to make their updates by one optimizer at one constant rate.

    Then the first update, which was not seen, moved the weights about as far as the second one did.
    Of FTRL, which computes its weights anew from the gradients, that does not hold.
    """
    ours, others = map(_optimizers, (a, b))
    return bool(ours) and ours == others and all(map(_is_steady, ours))


def _is_steady(settings: Any) -> bool:
    """Tell whether an optimizer moves weights at a constant rate from where they are."""
    while isinstance(settings, dict) and "inner_optimizer" in settings:
        settings = settings["inner_optimizer"]
    if not isinstance(settings, dict):
        return False
    kind = settings.get("class_name", settings.get("name"))
    return isinstance(settings.get("learning_rate"), float) and kind != "Ftrl"


def by_updates(record: Record, batches: int) -> Record:
    """Keep the steps that end an update, and count updates; a loss is the mean of its batches."""
    if batches == 1:
        return record
    rows = np.flatnonzero(record.steps % batches == 0)
    kept = np.flatnonzero(record.sketch_steps % batches == 0)
    return replace(
        record,
        steps=record.steps[rows] // batches,
        hashes=record.hashes[rows],
        present=record.present[rows],
        loss=_mean_loss(record, rows, batches),
        metrics={name: values[rows] for name, values in record.metrics.items()},
        sketch_steps=record.sketch_steps[kept] // batches,
        kept={i: values[kept] for i, values in record.kept.items()},
        squared_norms={i: values[kept] for i, values in record.squared_norms.items()},
        predictions={
            step // batches: found
            for step, found in record.predictions.items()
            if step % batches == 0
        },
    )


def _optimizers(record: Record) -> list[Any]:
    """Give the settings of each optimizer; none where a record does not say."""
    keras = record.meta.get("keras")
    found = keras.get("optimizers") if isinstance(keras, dict) else None
    return found if isinstance(found, list) else []


def _mean_loss(record: Record, rows: npt.NDArray[np.intp], batches: int) -> npt.NDArray[np.float64]:
    """Average the losses of the batches of each update; NaN where one was not recorded."""
    firsts = rows - (batches - 1)
    # the start has no loss
    all_there = (firsts >= record.start_seen) & (
        record.steps[rows] - record.steps[firsts] == batches - 1
    )
    return np.array(
        [
            record.loss[first : row + 1].mean() if there else np.nan
            for first, row, there in zip(firsts, rows, all_there, strict=True)
        ]
    )
