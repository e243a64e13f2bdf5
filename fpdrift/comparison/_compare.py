"""Compare two records: where the runs diverge, how far apart they get, and what else differs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.comparison._churn import churn
from fpdrift.comparison._distance import distances, first_move, update_gap
from fpdrift.comparison._metadata import (
    align_updates,
    batches_per_update,
    differing_facts,
    updates_alike,
)
from fpdrift.comparison._results import (
    Comparison,
    FirstDifference,
    TensorDifference,
    non_finite,
    phases,
)
from fpdrift.comparison._shared_tensors import present_in_both, shared, unshared_tensors
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.records import Record, open_record
from fpdrift.serialization import read_only

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records import Tensor

#: The order in which tensors that differ at the same step are listed.
ROLES = ("weight", "statistic", "slot", "seed")


def compare(a: Record | str | os.PathLike[str], b: Record | str | os.PathLike[str]) -> Comparison:
    """Compare two runs step by step, tensor by tensor, in the tensors that they share.

    Bits are compared by the 64-bit hash of every tensor at every step that both runs recorded.
    Steps are matched by the number of updates, so a resumed run is compared with the corresponding
    part of the other, and a run that accumulates gradients is compared after each update. Distances
    are computed from the values where they were kept, and estimated from the sketches otherwise;
    see `fpdrift.comparison._distance`.

    The runs may differ in anything but the model: differences in condition, seed, data, versions,
    machine and length are listed in `Comparison.differs`. Tensors that only one run has, such as
    the slots of a different optimiser, are named in `only_in_a` and `only_in_b`. Tensors whose
    dtypes differ count as different, except for integers, which are always hashed as int64.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records or their files. Distances are relative to `a`.

    Returns
    -------
    Comparison

    Raises
    ------
    FpdriftError
        If the records belong to different models (they share no weight), have no recorded step in
        common, or cannot be read.
    """
    whole_a, whole_b = as_record(a), as_record(b)
    a, b, recorded, differs = common_steps(whole_a, whole_b)
    answers, distance_fields = churn(a, b), distances(a, b, recorded, differs)
    first = _first_difference(recorded, differs, a.tensors)
    return Comparison(
        name_a=a.name,
        name_b=b.name,
        recorded_steps=read_only(recorded),
        only_a=read_only(np.setdiff1d(a.steps, b.steps)),
        only_b=read_only(np.setdiff1d(b.steps, a.steps)),
        differing=read_only(differs.sum(axis=1), np.int64),
        first_difference=first,
        **distance_fields,
        loss=read_only(_at(recorded, a, b, a.loss, b.loss)),
        metrics={
            # results reserve names with a leading $
            name.lstrip("$"): read_only(_at(recorded, a, b, ours, b.metrics[name]))
            for name, ours in a.metrics.items()
            if name in b.metrics
        },
        same_digests={
            name: _same_digests(recorded, (a, ours), (b, b.digests[name]))
            for name, ours in a.digests.items()
            if name in b.digests
        },
        churn=answers.share,
        churn_step=None if answers.share is None else answers.step,
        answers=answers,
        differs=differing_facts(whole_a, whole_b),
        only_in_a=unshared_tensors(whole_a, whole_b),
        only_in_b=unshared_tensors(whole_b, whole_a),
        of_two_dtypes=tuple(name for _, name in _of_two_dtypes(a, b)),
        start_seen=(a.start_seen, b.start_seen),
        start_steps=(int(a.steps[0]), int(b.steps[0])),
        batches=(batches_per_update(a), batches_per_update(b)),
        first_move=(
            first_move(a, distance_fields["steps"]),
            first_move(b, distance_fields["steps"]),
        ),
        alike_updates=updates_alike(a, b),
        policies=(_policy(a), _policy(b)),
        loss_kinds=(a.loss_kind, b.loss_kind),
        update_gap=update_gap(a, b, first.step) if first else float("nan"),
        phases=(phases(a), phases(b)),
        non_finite=(non_finite(a), non_finite(b)),
    )


def _policy(record: Record) -> str:
    """Return the dtype policy that a run computes with."""
    keras = record.meta.get("keras")
    policy = keras.get("dtype_policy") if isinstance(keras, dict) else None
    return policy if isinstance(policy, str) else ""


def common_steps(
    a: Record | str | os.PathLike[str], b: Record | str | os.PathLike[str]
) -> tuple[Record, Record, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Open two records, and find which shared tensors differ at which common step.

    Returns
    -------
    Record, Record
        With only the shared tensors, in the same order.
    (n,) int64
        The steps that both recorded, ascending.
    (n, tensors) bool
        Whether a tensor's bits differ at a step; False where only one run has the tensor.

    Raises
    ------
    FpdriftError
        As in `compare`.
    """
    a, b = align_updates(*shared(as_record(a), as_record(b)))
    recorded, rows_a, rows_b = np.intersect1d(a.steps, b.steps, return_indices=True)
    if not len(recorded):
        message = (
            f"{short_repr(a.name)} and {short_repr(b.name)} have no recorded step in common "
            f"({_span(a)}; {_span(b)}); record both runs at the same steps"
        )
        raise FpdriftError(message)
    differs = a.hashes[rows_a] != b.hashes[rows_b]
    differs[:, [i for i, _ in _of_two_dtypes(a, b)]] = True
    return a, b, recorded, differs & present_in_both(a, b, recorded)


def as_record(source: Record | str | os.PathLike[str]) -> Record:
    """Return a record, opening it if a path is given.

    Raises
    ------
    FpdriftError
        If it is neither a record nor the path of one.
    """
    if isinstance(source, Record):
        return source
    if isinstance(source, str | os.PathLike):
        return open_record(source)
    message = (
        f"{short_repr(source)} is neither a record nor a path; use train() or open_record() to get "
        "a record"
    )
    raise FpdriftError(message)


def _at(
    steps: npt.NDArray[np.int64],
    a: Record,
    b: Record,
    ours: npt.NDArray[np.float64],
    others: npt.NDArray[np.float64],
) -> list[npt.NDArray[np.float64]]:
    """Return the values of two runs at steps that both recorded."""
    return [ours[np.searchsorted(a.steps, steps)], others[np.searchsorted(b.steps, steps)]]


def _same_digests(
    steps: npt.NDArray[np.int64], *runs: tuple[Record, npt.NDArray[np.uint64]]
) -> npt.NDArray[np.float64]:
    """Return 1 where two runs have equal digests, 0 where they differ, NaN where one has none."""
    ours, others = (found[np.searchsorted(run.steps, steps)] for run, found in runs)
    return read_only(np.where((ours == 0) | (others == 0), np.nan, ours == others))


def _of_two_dtypes(a: Record, b: Record) -> list[tuple[int, str]]:
    """List index and name of the tensors whose dtypes differ, so that bits cannot be compared."""
    pairs = zip(a.tensors, b.tensors, strict=True)
    return [(i, x.name) for i, (x, y) in enumerate(pairs) if x.hashed_as != y.hashed_as]


def _span(record: Record) -> str:
    return f"steps {record.steps[0]} to {record.steps[-1]}" if len(record.steps) else "no steps"


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
