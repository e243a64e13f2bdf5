"""What a comparison of many runs keeps of each record, and the distances between all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from fpdrift.drift.circumstances import facts_of
from fpdrift.drift.sharing import VARIABLES, key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from fpdrift.records.record import Record, Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reduced:
    """A record without most of its values; fields of the same names mean the same."""

    name: str
    complete: bool
    tensors: tuple[Tensor, ...]
    #: (n,)
    steps: npt.NDArray[np.int64]
    #: mixed with each tensor's dtype: values of two dtypes have no bits to compare (n, tensors)
    hashes: npt.NDArray[np.uint64]
    #: (n, tensors)
    present: npt.NDArray[np.bool_]
    #: the step's loss and the metrics, each (n,)
    metrics: Mapping[str, npt.NDArray[np.float64]]
    #: (m,), and what was kept of tensors then, and their squared norms
    kept_steps: npt.NDArray[np.int64]
    kept: dict[int, npt.NDArray[np.float64]]
    squared_norms: dict[int, npt.NDArray[np.float64]]
    facts: dict[str, Any]

    @property
    def variables(self) -> frozenset[tuple[str, str, tuple[int, ...]]]:
        """What runs of one model have in common, whatever trains them."""
        return frozenset(key(tensor) for tensor in self.tensors if tensor.role in VARIABLES)

    @property
    def weights(self) -> tuple[int, ...]:
        """The places of the trainable weights."""
        return tuple(i for i, tensor in enumerate(self.tensors) if tensor.role == "weight")

    @property
    def kept_as(self) -> tuple[str, ...]:
        """How each weight was kept: numbers kept otherwise have no distance."""
        return tuple(self.tensors[i].kept for i in self.weights)

    @property
    def known(self) -> bool:
        """False where a hash is all there is of some weight, or there is no trainable weight."""
        return bool(self.weights) and all(i in self.kept for i in self.weights)

    def hashes_at(self, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
        """Give the hashes at those steps that the run has reached (n, tensors)."""
        reached = steps[steps <= self.steps[-1]]
        hashes: npt.NDArray[np.uint64] = self.hashes[np.searchsorted(self.steps, reached)]
        return hashes

    def weights_at(self, step: int) -> tuple[npt.NDArray[np.float64], float]:
        """Give what was kept of all weights at a step, in one row, and their norm."""
        row = int(np.searchsorted(self.kept_steps, step))
        norm = np.sqrt(sum(self.squared_norms[i][row] for i in self.weights))
        return np.concatenate([self.kept[i][row] for i in self.weights]), float(norm)


def reduced(record: Record) -> Reduced:
    """Keep what `compare_many` needs of a record.

    All hashes; of the values those at the last step that has any, and at steps 0, 1, 2, 4, 8 and so
    on, at which it can be held against a run that ended elsewhere.
    """
    steps = record.sketch_steps
    rows = np.flatnonzero((steps & (steps - 1) == 0) | (steps == steps[-1:].max(initial=0)))
    dtypes = [xxhash.xxh3_64_intdigest(tensor.hashed_as.encode()) for tensor in record.tensors]
    return Reduced(
        name=record.name,
        complete=record.complete,
        tensors=record.tensors,
        steps=record.steps,
        hashes=record.hashes ^ np.array(dtypes, np.uint64),
        present=record.present,
        metrics={"loss": record.loss, **record.metrics},
        kept_steps=steps[rows],
        kept={i: values[rows] for i, values in record.kept.items()},
        squared_norms={i: values[rows] for i, values in record.squared_norms.items()},
        facts=facts_of(record),
    )


def distance_matrix(runs: Sequence[Reduced]) -> tuple[int | None, npt.NDArray[np.float64]]:
    """Hold all runs against each other at the step that most of them kept; the latest of those.

    Parameters
    ----------
    runs : sequence of Reduced
        With the same tensors.

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
    rows = [runs[i].weights_at(step) for i in there]
    kept = np.array([values for values, _ in rows])
    with np.errstate(all="ignore"):  # weights of a run that blew up are NaN or infinite
        for i, (values, norm) in zip(there, rows, strict=True):
            away = np.sqrt(np.square(kept - values).sum(axis=1))
            distance[i, there] = np.where(away == 0, 0.0, away / norm)
    return step, distance
