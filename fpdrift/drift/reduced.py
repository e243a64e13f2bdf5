"""What a comparison of many runs keeps of each record, and the distances between all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from fpdrift.drift.circumstances import facts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from fpdrift.records.record import Record, Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reduced:
    """A record without most of its values."""

    name: str
    complete: bool
    tensors: tuple[Tensor, ...]
    #: (n,)
    steps: npt.NDArray[np.int64]
    #: mixed with each tensor's dtype: values of two dtypes have no bits to compare (n, tensors)
    hashes: npt.NDArray[np.uint64]
    #: the step's loss and the metrics, each (n,)
    metrics: Mapping[str, npt.NDArray[np.float64]]
    #: (m,), and what was kept of the weights then, one tensor after another (m, kept numbers)
    kept_steps: npt.NDArray[np.int64]
    kept: npt.NDArray[np.float64]
    #: norm of all weights (m,)
    norms: npt.NDArray[np.float64]
    #: False where a hash is all there is of some weight, or there is no trainable weight
    known: bool
    #: how each weight was kept: numbers kept otherwise have no distance
    kept_as: tuple[str, ...]
    facts: dict[str, Any]

    @property
    def model(self) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
        """What runs of one model have in common."""
        return tuple((t.name, t.role, t.shape) for t in self.tensors)

    def hashes_at(self, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
        """Give the hashes at those steps that the run has reached (n, tensors)."""
        reached = steps[steps <= self.steps[-1]]
        hashes: npt.NDArray[np.uint64] = self.hashes[np.searchsorted(self.steps, reached)]
        return hashes


def reduced(record: Record) -> Reduced:
    """Keep what `compare_many` needs of a record.

    All hashes; of the values those at the last step that has any, and at steps 0, 1, 2, 4, 8 and so
    on, at which it can be held against a run that ended elsewhere.
    """
    weights = [i for i, tensor in enumerate(record.tensors) if tensor.role == "weight"]
    known = [i for i in weights if i in record.kept]
    steps = record.sketch_steps
    rows = np.flatnonzero((steps & (steps - 1) == 0) | (steps == steps[-1:].max(initial=0)))
    dtypes = [xxhash.xxh3_64_intdigest(tensor.hashed_as.encode()) for tensor in record.tensors]
    empty = np.zeros((len(rows), 0))
    return Reduced(
        name=record.name,
        complete=record.complete,
        tensors=record.tensors,
        steps=record.steps,
        hashes=record.hashes ^ np.array(dtypes, np.uint64),
        metrics={"loss": record.loss, **record.metrics},
        kept_steps=steps[rows],
        kept=np.concatenate([empty, *(record.kept[i][rows] for i in known)], axis=1),
        norms=np.sqrt(sum((record.squared_norms[i][rows] for i in known), np.zeros(len(rows)))),
        known=0 < len(weights) == len(known),
        kept_as=tuple(record.tensors[i].kept for i in weights),
        facts=facts_of(record),
    )


def distance_matrix(runs: Sequence[Reduced]) -> tuple[int | None, npt.NDArray[np.float64]]:
    """Hold all runs against each other at the step that most of them kept; the latest of those.

    Returns
    -------
    int or None
        The step; None where no values were kept.
    (n, n) float64
        ||a - b|| / ||a||, row a, column b; NaN where one of the two kept nothing then.
    """
    distance = np.full((len(runs), len(runs)), np.nan)
    counts = Counter(int(step) for run in runs if run.known for step in run.kept_steps)
    if not counts:
        return None, distance
    step = max(counts, key=lambda s: (counts[s], s))
    there = [i for i, run in enumerate(runs) if run.known and step in run.kept_steps]
    usual = Counter(runs[i].kept_as for i in there).most_common(1)[0][0]
    there = [i for i in there if runs[i].kept_as == usual]
    rows = [int(np.searchsorted(runs[i].kept_steps, step)) for i in there]
    kept = np.array([runs[i].kept[row] for i, row in zip(there, rows, strict=True)])
    norms = np.array([runs[i].norms[row] for i, row in zip(there, rows, strict=True)])
    with np.errstate(all="ignore"):  # weights of a run that blew up are NaN or infinite
        for i, values, norm in zip(there, kept, norms, strict=True):
            away = np.sqrt(np.square(kept - values).sum(axis=1))
            distance[i, there] = np.where(away == 0, 0.0, away / norm)
    return step, distance
