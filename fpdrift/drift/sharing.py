"""What two records have in common: tensors of one name and one shape, whatever else there is.

Runs that differ in their optimiser, in what is frozen or in how gradients are accumulated have the
same weights and other slots. They are compared in what they share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.errors import FpdriftError, shown

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records.record import Record, Role, Tensor

#: Roles of a model's own variables: a layer may be trainable in one run and frozen in the other.
VARIABLES = ("weight", "statistic")


def shared(a: Record, b: Record) -> tuple[Record, Record]:
    """Give both records with the tensors alone that they share, in the order of `a`.

    A variable that is trainable in one of the two counts as a weight in both.

    Raises
    ------
    FpdriftError
        If they share no variable of the model.
    """
    if [_place(t) for t in a.tensors] == [_place(t) for t in b.tensors]:
        return a, b
    there = {_key(tensor): i for i, tensor in enumerate(b.tensors)}
    pairs = [
        (i, there[_key(tensor)]) for i, tensor in enumerate(a.tensors) if _key(tensor) in there
    ]
    if not any(a.tensors[i].role in VARIABLES for i, _ in pairs):
        raise _no_weight(a, b)
    roles: list[Role] = [
        "weight" if "weight" in (a.tensors[i].role, b.tensors[k].role) else a.tensors[i].role
        for i, k in pairs
    ]
    return _part(a, [i for i, _ in pairs], roles), _part(b, [k for _, k in pairs], roles)


def alone(a: Record, b: Record) -> tuple[str, ...]:
    """Name the tensors of `a` that `b` lacks, or has in another shape."""
    there = {_key(tensor) for tensor in b.tensors}
    return tuple(tensor.name for tensor in a.tensors if _key(tensor) not in there)


def present_in_both(a: Record, b: Record, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell which tensors both runs have at steps that both recorded (n, tensors)."""
    rows_a, rows_b = (np.searchsorted(record.steps, steps) for record in (a, b))
    there: npt.NDArray[np.bool_] = a.present[rows_a] & b.present[rows_b]
    return there


def _key(tensor: Tensor) -> tuple[str, str, tuple[int, ...]]:
    role = "variable" if tensor.role in VARIABLES else tensor.role
    return tensor.name, role, tensor.shape


def _place(tensor: Tensor) -> tuple[str, str, tuple[int, ...]]:
    return tensor.name, tensor.role, tensor.shape


def _part(record: Record, places: list[int], roles: list[Role]) -> Record:
    """Give a record with some of its tensors."""
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
    """Say that two models share no weight, with one that each has alone."""
    names = " against ".join(
        next((describe(tensor) for tensor in record.tensors if tensor.role in VARIABLES), "none")
        for record in (a, b)
    )
    return FpdriftError(
        f"{shown(a.name)} and {shown(b.name)} are of different models, which share no weight "
        f"({names}); compare runs of one model"
    )


def describe(tensor: Tensor) -> str:
    """Name a tensor with its role and shape."""
    return f"{tensor.role} {shown(tensor.name)} of shape {shown(tensor.shape)}"
