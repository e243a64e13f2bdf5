"""Tables from records: loss and metrics of runs, tensors by steps, and the summary of a record."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.comparison._compare import ROLES, common_steps
from fpdrift.comparison._distance import tensor_distances
from fpdrift.comparison._metadata import flat_facts
from fpdrift.comparison._results import NonFinite, RunPhase, non_finite, phases
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.records import Record
from fpdrift.serialization import Result, read_only
from fpdrift.validation import check_choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RunCurves(Result):
    """Loss and one metric of several runs at each step; arrays are read-only."""

    labels: tuple[str, ...]
    #: recorded steps of each run (n_i,)
    steps: tuple[npt.NDArray[np.int64], ...]
    #: loss of each step, NaN where missing (n_i,)
    loss: tuple[npt.NDArray[np.float64], ...]
    #: kind of each run's loss, as in `Record.loss_kind`
    loss_kinds: tuple[str, ...]
    #: name of a metric that all runs report; None if there is none
    metric: str | None
    #: values of that metric, in most training loops a running mean over the epoch (n_i,)
    values: tuple[npt.NDArray[np.float64], ...]

    def __repr__(self) -> str:
        metric = "" if self.metric is None else f" and {self.metric}"
        return f"RunCurves(loss{metric} of {', '.join(self.labels)})"


def run_curves(
    records: Sequence[Record], labels: Sequence[str] | None = None, metric: str | None = None
) -> RunCurves:
    """Return the loss and one metric of several runs.

    Parameters
    ----------
    records : sequence of Record
    labels : sequence of str, optional
        One label per record; by default the names of the files.
    metric : str, optional
        A metric that all runs report; by default "accuracy" if all report it, otherwise the first
        common one.

    Raises
    ------
    FpdriftError
        If there are no records, the number of labels differs, or there is no such metric.
    """
    if not records or not all(isinstance(record, Record) for record in records):
        message = (
            f"{short_repr(records)} is not a sequence of records; use open_record() to get one"
        )
        raise FpdriftError(message)
    labels = tuple(record.name for record in records) if labels is None else tuple(labels)
    if len(labels) != len(records):
        message = f"{len(labels)} labels for {len(records)} records; pass one label per record"
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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TensorMatrix(Result):
    """Every tensor of two runs at the steps at which values were kept; arrays are read-only."""

    name_a: str
    name_b: str
    #: in the model's order, grouped by role: weights, statistics, slots, seeds
    tensors: tuple[str, ...]
    #: role of each tensor: "weight", "statistic", "slot" or "seed"
    roles: tuple[str, ...]
    #: steps at which both kept values, the first and last step that both recorded, and the step of
    #: the first difference, ascending (m,)
    steps: npt.NDArray[np.int64]
    #: number of steps that both recorded; `steps` are some of them
    recorded: int
    #: whether a tensor's bits differ at any recorded step after the previous column up to this one
    #: (tensors, m)
    differs: npt.NDArray[np.bool_]
    #: ||a - b|| / ||a|| of each tensor, in float64; 0 for equal bits, NaN where values were not
    #: kept (tensors, m)
    distance: npt.NDArray[np.float64]
    #: step of the first difference; None if no bit differs at any recorded step
    first_step: int | None
    #: the tensors that differ at that step
    first_tensors: tuple[str, ...]

    def __repr__(self) -> str:
        where = "no difference" if self.first_step is None else f"first at step {self.first_step}"
        return f"TensorMatrix({len(self.tensors)} tensors, {len(self.steps)} steps, {where})"


def tensor_matrix(
    a: Record | str | os.PathLike[str], b: Record | str | os.PathLike[str]
) -> TensorMatrix:
    """Compare the tensors that two runs share, one by one and step by step.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records or their files. Distances are relative to `a`.

    Raises
    ------
    FpdriftError
        As in `fpdrift.compare`.
    """
    a, b, recorded, differs = common_steps(a, b)
    rows = np.flatnonzero(differs.any(axis=1))
    kept = np.intersect1d(a.sketch_steps, b.sketch_steps)
    chosen = np.isin(recorded, kept)
    chosen[[0, -1, *rows[:1]]] = True
    columns = np.flatnonzero(chosen)
    # differences after the previous column, up to this one
    since = np.add.reduceat(differs, [0, *columns[:-1] + 1], axis=0) > 0
    order = sorted(range(len(a.tensors)), key=lambda i: ROLES.index(a.tensors[i].role))
    names = tuple(a.tensors[i].name for i in order)
    return TensorMatrix(
        name_a=a.name,
        name_b=b.name,
        tensors=names,
        roles=tuple(a.tensors[i].role for i in order),
        steps=read_only(recorded[columns]),
        recorded=len(recorded),
        differs=read_only(since.T[order]),
        distance=read_only(tensor_distances(a, b, recorded[columns], differs[columns]).T[order]),
        first_step=int(recorded[rows[0]]) if len(rows) else None,
        first_tensors=tuple(a.tensors[i].name for i in order if len(rows) and differs[rows[0], i]),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordSummary(Result):
    """Summary of one record."""

    name: str
    #: size of the file in bytes
    size: int
    complete: bool
    #: number of recorded steps, and the first and last of them; None if there are none
    steps: int
    first_step: int | None
    last_step: int | None
    #: number of steps at which values or sketches were kept
    sketched: int
    #: role -> number of tensors, and of their elements
    tensors: dict[str, tuple[int, int]]
    #: loss and metrics at the last step
    metrics: dict[str, float]
    #: settings of the run and properties of the machine: name -> value; learning rates and seeds
    #: first
    facts: dict[str, str]
    #: whether the state before the first recorded update was recorded
    start_seen: bool = True
    #: parts of the run that differ in tensors, optimiser or settings, at least one
    phases: tuple[RunPhase, ...] = ()
    #: None if all values that were checked are finite
    non_finite: NonFinite | None = None

    def __repr__(self) -> str:
        state = "complete" if self.complete else "incomplete"
        return f"RecordSummary({self.name!r}, {self.steps} steps, {state})"


def summary(record: Record, size: int) -> RecordSummary:
    """Return the summary of a record.

    Parameters
    ----------
    record : Record
    size : int
        Size of its file in bytes.

    Returns
    -------
    RecordSummary
    """
    roles = dict.fromkeys(tensor.role for tensor in record.tensors)
    there = len(record.steps) > 0
    metrics = {"loss": record.loss, **record.metrics} if there else {}
    return RecordSummary(
        name=record.name,
        size=size,
        complete=record.complete,
        steps=len(record.steps),
        first_step=int(record.steps[0]) if there else None,
        last_step=int(record.steps[-1]) if there else None,
        sketched=len(record.sketch_steps),
        tensors={
            role: (
                sum(tensor.role == role for tensor in record.tensors),
                sum(tensor.size for tensor in record.tensors if tensor.role == role),
            )
            for role in roles
        },
        metrics={name.lstrip("$"): float(values[-1]) for name, values in metrics.items()},
        facts=flat_facts(record),
        start_seen=record.start_seen,
        phases=phases(record),
        non_finite=non_finite(record),
    )
