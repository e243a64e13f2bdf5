"""One list of numbers by step, whatever it is of: what every format of an export is made from."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fpdrift.drift import Comparison, Comparisons
from fpdrift.errors import FpdriftError, shown
from fpdrift.records import Record, open_record

if TYPE_CHECKING:
    import numpy.typing as npt

    Source = Record | Comparison | Comparisons | str | os.PathLike[str]

#: In front of what was reported once an epoch: there `step` counts epochs, from 1.
EPOCH = "epoch/"


class Series(NamedTuple):
    """What one run, or one pair of runs, has of one quantity."""

    #: the record's name, or ``"b against a"``
    run: str
    #: what it is of; empty where it is of the whole run
    tensor: str
    quantity: str
    #: ascending (n,)
    steps: npt.NDArray[np.int64]
    #: (n,)
    values: npt.NDArray[np.float64]


def series_of(sources: Iterable[Source]) -> list[Series]:
    """Take records and comparisons apart.

    Raises
    ------
    FpdriftError
        If there is none, one is of another kind, or a record cannot be read.
    """
    flat = [
        one
        for source in sources
        for one in (source.comparisons if isinstance(source, Comparisons) else (source,))
    ]
    if not flat:
        message = "nothing to export; give at least one record or comparison"
        raise FpdriftError(message)
    found = []
    taken: Counter[str] = Counter()
    for source in flat:
        name, parts = _parts(source)
        taken[name] += 1
        # two folders may have files of one name
        run = name if taken[name] == 1 else f"{name} #{taken[name]}"
        found += [
            Series(run, tensor, quantity, np.asarray(steps, np.int64), np.asarray(values, float))
            for tensor, quantity, steps, values in parts
            if len(steps)
        ]
    return found


def _parts(source: Any) -> tuple[str, Iterator[tuple[str, str, Any, Any]]]:
    """Give a source's name, and tensor, quantity, steps and values of all that it holds."""
    if isinstance(source, str | os.PathLike):
        source = open_record(source)
    if isinstance(source, Record):
        return source.name, _of_record(source)
    if isinstance(source, Comparison):
        return f"{source.name_b} against {source.name_a}", _of_comparison(source)
    message = f"cannot export {shown(source)}; give a record, its file, or a comparison"
    raise FpdriftError(message)


def _of_record(record: Record) -> Iterator[tuple[str, str, Any, Any]]:
    done = record.steps > 0  # before the first update nothing was reported
    for name, values in {"loss": record.loss, **record.metrics}.items():
        if name != "loss" or record.loss_kind != "none":
            yield "", name, record.steps[done], values[done]
    for name in dict.fromkeys(name for epoch in record.epochs for name in epoch):
        there = [i for i, epoch in enumerate(record.epochs) if name in epoch]
        yield "", EPOCH + name, np.add(there, 1), [record.epochs[i][name] for i in there]
    for index, squares in sorted(record.squared_norms.items()):
        yield record.tensors[index].name, "norm", record.sketch_steps, np.sqrt(squares)


def _of_comparison(pair: Comparison) -> Iterator[tuple[str, str, Any, Any]]:
    yield "", "differing tensors", pair.recorded_steps, pair.differing
    yield "", "distance", pair.steps, pair.distance
    yield "", "distance standard error", pair.steps, pair.standard_error
    if pair.distance_without_zero_gradient is not None:
        quantity = "distance without zero gradient"
        yield "", quantity, pair.steps, pair.distance_without_zero_gradient
    for name, values in zip(pair.weights, pair.distance_by_weight, strict=True):
        yield name, "distance", pair.steps, values
    done = pair.recorded_steps > 0
    for name, (ours, others) in {"loss": pair.loss, **pair.metrics}.items():
        with np.errstate(invalid="ignore"):  # of two infinities, in runs that blew up
            difference = others - ours
        yield "", f"{name} difference", pair.recorded_steps[done], difference[done]
    if pair.churn is not None:
        yield "", "churn", [pair.churn_step], [pair.churn]
