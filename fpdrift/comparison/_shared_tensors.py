"""Find the tensors that records share: those with the same name and shape.

Runs with different optimisers, frozen layers or gradient accumulation have the same weights but
different slots. They are compared in the tensors that they share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fpdrift.errors import FpdriftError, short_repr

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from fpdrift.comparison._many import ReducedRecord
    from fpdrift.records import Record, Role, Tensor

    Run = TypeVar("Run", Record, ReducedRecord)

#: Roles of a model's own variables; a layer may be trainable in one run and frozen in another.
VARIABLES = ("weight", "statistic")


def shared(a: Record, b: Record) -> tuple[Record, Record]:
    """Return both records with only the tensors that they share, in the order of `a`.

    A variable that is trainable in one of the two counts as a weight in both.

    Raises
    ------
    FpdriftError
        If they share no variable of the model.
    """
    ours, others = shared_by_all([a, b])
    if not any(tensor.role in VARIABLES for tensor in ours.tensors):
        raise _no_weight(a, b)
    return ours, others


def shared_by_all(runs: Sequence[Run]) -> list[Run]:
    """Return several runs with only the tensors that all have, in the order of the first.

    A variable that is trainable in any of them counts as a weight in all.
    """
    if len({tuple(_place(tensor) for tensor in run.tensors) for run in runs}) == 1:
        return list(runs)
    there = [{key(tensor): i for i, tensor in enumerate(run.tensors)} for run in runs]
    common = [k for k in map(key, runs[0].tensors) if all(k in places for places in there)]
    places = [[places[k] for k in common] for places in there]
    roles: list[Role] = []
    for column in zip(*places, strict=True):
        found = [run.tensors[i].role for run, i in zip(runs, column, strict=True)]
        roles.append("weight" if "weight" in found else found[0])
    return [_part(run, mine, roles) for run, mine in zip(runs, places, strict=True)]


def unshared_tensors(a: Record, b: Record) -> tuple[str, ...]:
    """Name the tensors of `a` that `b` lacks or has with a different shape."""
    there = {key(tensor) for tensor in b.tensors}
    return tuple(tensor.name for tensor in a.tensors if key(tensor) not in there)


def present_in_both(a: Record, b: Record, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return a mask of the tensors that both runs have at steps that both recorded (n, tensors)."""
    rows_a, rows_b = (np.searchsorted(record.steps, steps) for record in (a, b))
    there: npt.NDArray[np.bool_] = a.present[rows_a] & b.present[rows_b]
    return there


def key(tensor: Tensor) -> tuple[str, str, tuple[int, ...]]:
    """Return the key by which the same tensor is found in different runs."""
    role = "variable" if tensor.role in VARIABLES else tensor.role
    return tensor.name, role, tensor.shape


def _place(tensor: Tensor) -> tuple[str, str, tuple[int, ...]]:
    return tensor.name, tensor.role, tensor.shape


def _part(record: Run, places: list[int], roles: list[Role]) -> Run:
    """Return a run with only some of its tensors."""
    return replace(
        record,
        tensors=tuple(
            replace(record.tensors[i], role=role) for i, role in zip(places, roles, strict=True)
        ),
        hashes=record.hashes[:, places],
        present=record.present[:, places],
        kept={k: record.kept[i] for k, i in enumerate(places) if i in record.kept},
        squared_norms={
            k: record.squared_norms[i] for k, i in enumerate(places) if i in record.squared_norms
        },
    )


def _no_weight(a: Record, b: Record) -> FpdriftError:
    """Return an error that two models share no weight, with an example from each."""
    names = " against ".join(
        next((describe(tensor) for tensor in record.tensors if tensor.role in VARIABLES), "none")
        for record in (a, b)
    )
    return FpdriftError(
        f"{short_repr(a.name)} and {short_repr(b.name)} belong to different models that share no "
        f"weight ({names}); compare runs of the same model"
    )


def describe(tensor: Tensor) -> str:
    """Describe a tensor by role, name and shape."""
    return f"{tensor.role} {short_repr(tensor.name)} of shape {short_repr(tensor.shape)}"
