"""Tensors by steps: which differ in their bits when, and how far each has come."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.drift.distance import tensor_distances
from fpdrift.drift.parting import ROLES, common_steps
from fpdrift.results import Result, read_only

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records.record import Record


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TensorMatrix(Result):
    """Every tensor of two runs at the steps at which values were kept; arrays are read-only."""

    name_a: str
    name_b: str
    #: in the model's order, those of one role together: weights, statistics, slots, seeds
    tensors: tuple[str, ...]
    #: "weight", "statistic", "slot" or "seed", one a tensor
    roles: tuple[str, ...]
    #: the steps at which both kept values, with the first and the last that both recorded and that
    #: of the first difference, ascending (m,)
    steps: npt.NDArray[np.int64]
    #: steps that both recorded, of which `steps` are some
    recorded: int
    #: whether a tensor's bits differ at any recorded step from the column before up to its own;
    #: (tensors, m)
    differs: npt.NDArray[np.bool_]
    #: ||a - b|| / ||a|| of the tensor alone, in float64; 0 for equal bits, NaN where it was not
    #: kept (tensors, m)
    distance: npt.NDArray[np.float64]
    #: step of the first difference; None if no bit differs at any recorded step
    first_step: int | None
    #: the tensors that differ then
    first_tensors: tuple[str, ...]

    def __repr__(self) -> str:
        where = "no difference" if self.first_step is None else f"first at step {self.first_step}"
        return f"TensorMatrix({len(self.tensors)} tensors, {len(self.steps)} steps, {where})"


def tensor_matrix(
    a: Record | str | os.PathLike[str], b: Record | str | os.PathLike[str]
) -> TensorMatrix:
    """Compare two runs, tensor by tensor, in the tensors that they share.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records, or the files that hold them. Distances are relative to `a`.

    Raises
    ------
    FpdriftError
        If `fpdrift.compare` would refuse the two.
    """
    a, b, recorded, differs = common_steps(a, b)
    rows = np.flatnonzero(differs.any(axis=1))
    kept = np.intersect1d(a.sketch_steps, b.sketch_steps)
    chosen = np.isin(recorded, kept)
    chosen[[0, -1, *rows[:1]]] = True
    columns = np.flatnonzero(chosen)
    # what came after the last column and up to this one
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
