"""The loss and the metrics of several runs, each as it was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.checks import check_choice
from fpdrift.errors import FpdriftError, shown
from fpdrift.records.record import Record
from fpdrift.results import Result, read_only

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RunCurves(Result):
    """What several runs reported at each of their steps; arrays are read-only."""

    labels: tuple[str, ...]
    #: each run's recorded steps (n_i,)
    steps: tuple[npt.NDArray[np.int64], ...]
    #: the loss of the step, NaN where there is none, each (n_i,)
    loss: tuple[npt.NDArray[np.float64], ...]
    #: what each run's loss is, as `Record.loss_kind`
    loss_kinds: tuple[str, ...]
    #: name of the metric that all runs report; None where there is none
    metric: str | None
    #: that metric, a running mean over the epoch in most training loops, each (n_i,)
    values: tuple[npt.NDArray[np.float64], ...]

    def __repr__(self) -> str:
        metric = "" if self.metric is None else f" and {self.metric}"
        return f"RunCurves(loss{metric} of {', '.join(self.labels)})"


def run_curves(
    records: Sequence[Record], labels: Sequence[str] | None = None, metric: str | None = None
) -> RunCurves:
    """Take the loss and one metric of several runs out of their records.

    Parameters
    ----------
    records : sequence of Record
    labels : sequence of str, optional
        A word for each; the files' names by default.
    metric : str, optional
        One that all runs report; by default "accuracy", else the first that all do.

    Raises
    ------
    FpdriftError
        If there is no record, not one label for each, or no such metric.
    """
    if not records or not all(isinstance(record, Record) for record in records):
        message = f"not records: {shown(records)}; open_record() gives one"
        raise FpdriftError(message)
    labels = tuple(record.name for record in records) if labels is None else tuple(labels)
    if len(labels) != len(records):
        message = f"{len(labels)} labels for {len(records)} records; give one for each"
        raise FpdriftError(message)
    shared = [name for name in records[0].metrics if all(name in r.metrics for r in records)]
    if metric is not None:
        check_choice("metric", metric, shared)
    elif shared:
        metric = "accuracy" if "accuracy" in shared else shared[0]
    return RunCurves(
        labels=labels,
        steps=tuple(read_only(record.steps) for record in records),
        loss=tuple(read_only(record.loss) for record in records),
        loss_kinds=tuple(record.loss_kind for record in records),
        metric=metric,
        values=() if metric is None else tuple(read_only(r.metrics[metric]) for r in records),
    )
