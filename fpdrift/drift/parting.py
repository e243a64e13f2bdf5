"""Compare two records: where the runs part, how far they get, and what else is not the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.drift.churn import churn
from fpdrift.drift.circumstances import differing_facts
from fpdrift.drift.comparison import Comparison, FirstDifference, TensorDifference
from fpdrift.drift.distance import distances
from fpdrift.errors import FpdriftError, shown
from fpdrift.records import open_record
from fpdrift.records.record import Record
from fpdrift.results import read_only

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records.record import Tensor

#: What a reader looks at first among tensors that differ at the same step.
ROLES = ("weight", "statistic", "slot", "seed")


def compare(a: Record | str | os.PathLike[str], b: Record | str | os.PathLike[str]) -> Comparison:
    """Compare two runs of one model, tensor by tensor and step by step.

    Bits are compared by the 64-bit hashes of every tensor at every step that both runs recorded.
    Distances come from the values where those were kept, else from the two sketches; see
    `fpdrift.drift.distance`. Whatever differs apart from the model (condition, seed, data,
    versions, machine, length) is no refusal and stands in `Comparison.differs`. Tensors of one name
    in two dtypes have no bits to compare and count as differing, but for whole numbers, which every
    record hashes as int64.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records, or the files that hold them. Distances are relative to `a`.

    Returns
    -------
    Comparison

    Raises
    ------
    FpdriftError
        If the records are of different models (the number, a name, a role or a shape of their
        tensors), have no recorded step in common, or cannot be read.
    """
    a, b, recorded, differs = common_steps(a, b)
    churn_step, churned = churn(a, b)
    return Comparison(
        name_a=a.name,
        name_b=b.name,
        recorded_steps=read_only(recorded),
        only_a=read_only(np.setdiff1d(a.steps, b.steps)),
        only_b=read_only(np.setdiff1d(b.steps, a.steps)),
        differing=read_only(differs.sum(axis=1), np.int64),
        first_difference=_first_difference(recorded, differs, a.tensors),
        **distances(a, b, recorded, differs),
        loss=read_only(_at(recorded, a, b, a.loss, b.loss)),
        metrics={
            # a result keeps names with a leading $ for itself
            name.lstrip("$"): read_only(_at(recorded, a, b, ours, b.metrics[name]))
            for name, ours in a.metrics.items()
            if name in b.metrics
        },
        churn=churned,
        churn_step=churn_step,
        differs=differing_facts(a, b),
    )


def common_steps(
    a: Record | str | os.PathLike[str], b: Record | str | os.PathLike[str]
) -> tuple[Record, Record, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Open two records of one model; tell which tensors differ at the steps that both recorded.

    Returns
    -------
    Record, Record
    (n,) int64
        The steps, ascending.
    (n, tensors) bool
        Whether a tensor's bits differ then.

    Raises
    ------
    FpdriftError
        As `compare`.
    """
    a, b = _record(a), _record(b)
    _check_same_model(a, b)
    recorded, rows_a, rows_b = np.intersect1d(a.steps, b.steps, return_indices=True)
    if not len(recorded):
        message = (
            f"{shown(a.name)} and {shown(b.name)} have no recorded step in common "
            f"({_span(a)}; {_span(b)}); record the same steps in both"
        )
        raise FpdriftError(message)
    return a, b, recorded, _differing(a, b, rows_a, rows_b)


def _at(
    steps: npt.NDArray[np.int64],
    a: Record,
    b: Record,
    ours: npt.NDArray[np.float64],
    others: npt.NDArray[np.float64],
) -> list[npt.NDArray[np.float64]]:
    """Give what two runs reported at steps that both recorded."""
    return [ours[np.searchsorted(a.steps, steps)], others[np.searchsorted(b.steps, steps)]]


def _record(source: Record | str | os.PathLike[str]) -> Record:
    if isinstance(source, Record):
        return source
    if isinstance(source, str | os.PathLike):
        return open_record(source)
    message = f"not a record or its path: {shown(source)}; train() or open_record() gives one"
    raise FpdriftError(message)


def _check_same_model(a: Record, b: Record) -> None:
    """Refuse two models; the first tensor that does not match is named."""
    for mine, other in zip(a.tensors, b.tensors, strict=False):
        if (mine.name, mine.role, mine.shape) != (other.name, other.role, other.shape):
            message = (
                f"{shown(a.name)} and {shown(b.name)} are of different models: {_describe(mine)} "
                f"against {_describe(other)}; compare runs of one model"
            )
            raise FpdriftError(message)
    if len(a.tensors) != len(b.tensors):
        longer = max(a.tensors, b.tensors, key=len)
        alone = longer[min(len(a.tensors), len(b.tensors))]
        message = (
            f"{shown(a.name)} and {shown(b.name)} are of different models: "
            f"{len(a.tensors)} tensors against {len(b.tensors)}, "
            f"{_describe(alone)} is in one alone; compare runs of one model"
        )
        raise FpdriftError(message)


def _describe(tensor: Tensor) -> str:
    return f"{tensor.role} {shown(tensor.name)} of shape {shown(tensor.shape)}"


def _span(record: Record) -> str:
    return f"steps {record.steps[0]} to {record.steps[-1]}" if len(record.steps) else "no steps"


def _differing(
    a: Record, b: Record, rows_a: npt.NDArray[np.intp], rows_b: npt.NDArray[np.intp]
) -> npt.NDArray[np.bool_]:
    """Which tensors differ at which common step (n, tensors)."""
    differs: npt.NDArray[np.bool_] = a.hashes[rows_a] != b.hashes[rows_b]
    dtypes = [x.hashed_as != y.hashed_as for x, y in zip(a.tensors, b.tensors, strict=True)]
    differs[:, dtypes] = True
    return differs


def _first_difference(
    steps: npt.NDArray[np.int64], differs: npt.NDArray[np.bool_], tensors: tuple[Tensor, ...]
) -> FirstDifference | None:
    rows = np.flatnonzero(differs.any(axis=1))
    if not len(rows):
        return None
    row = int(rows[0])
    found = (tensors[i] for i in np.flatnonzero(differs[row]))
    return FirstDifference(
        step=int(steps[row]),
        last_equal=int(steps[row - 1]) if row else None,
        tensors=tuple(
            TensorDifference(name=t.name, role=t.role, shape=t.shape)
            for t in sorted(found, key=lambda t: ROLES.index(t.role))
        ),
    )
