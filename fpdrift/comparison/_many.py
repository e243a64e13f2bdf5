"""Compare many records at once: which runs are bit-identical until when, and all distances.

Runs are grouped by their hashes, so time and memory grow with the number of runs times steps. Only
the distances, at a single step, are computed for each pair. Records are opened one after another
and reduced to what the comparison needs.
"""

from __future__ import annotations

import itertools
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from fpdrift.comparison._branches import Branch, Split, branches, find_splits
from fpdrift.comparison._metadata import facts_of, varying_facts
from fpdrift.comparison._shared_tensors import VARIABLES, key, shared_by_all
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.records import Record, opener
from fpdrift.records._sandbox import text_of
from fpdrift.serialization import Result, read_only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from fpdrift.records import Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ReducedRecord:
    """A record without most of its values; fields have the same meaning as in `Record`."""

    name: str
    complete: bool
    tensors: tuple[Tensor, ...]
    #: (n,)
    steps: npt.NDArray[np.int64]
    #: mixed with each tensor's dtype, so that tensors of different dtypes differ (n, tensors)
    hashes: npt.NDArray[np.uint64]
    #: (n, tensors)
    present: npt.NDArray[np.bool_]
    #: the step's loss and the metrics, each (n,)
    metrics: Mapping[str, npt.NDArray[np.float64]]
    #: (m,); the kept values or sketches of the tensors at these steps, and their squared norms
    kept_steps: npt.NDArray[np.int64]
    kept: dict[int, npt.NDArray[np.float64]]
    squared_norms: dict[int, npt.NDArray[np.float64]]
    facts: dict[str, Any]

    @property
    def variables(self) -> frozenset[tuple[str, str, tuple[int, ...]]]:
        """Variables of the model itself, which identify it independently of the optimiser."""
        return frozenset(key(tensor) for tensor in self.tensors if tensor.role in VARIABLES)

    @property
    def weights(self) -> tuple[int, ...]:
        """Indices of the trainable weights."""
        return tuple(i for i, tensor in enumerate(self.tensors) if tensor.role == "weight")

    @property
    def kept_as(self) -> tuple[str, ...]:
        """How each weight was kept; weights kept in different ways have no distance."""
        return tuple(self.tensors[i].kept for i in self.weights)

    @property
    def known(self) -> bool:
        """Whether there are trainable weights and values or sketches of all of them."""
        return bool(self.weights) and all(i in self.kept for i in self.weights)

    def hashes_at(self, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
        """Return the hashes at the given steps, as far as the run got (n, tensors)."""
        reached = steps[steps <= self.steps[-1]]
        hashes: npt.NDArray[np.uint64] = self.hashes[np.searchsorted(self.steps, reached)]
        return hashes

    def weights_at(self, step: int) -> tuple[npt.NDArray[np.float64], float]:
        """Return the kept values of all weights at a step, concatenated, and their norm."""
        row = int(np.searchsorted(self.kept_steps, step))
        norm = np.sqrt(sum(self.squared_norms[i][row] for i in self.weights))
        return np.concatenate([self.kept[i][row] for i in self.weights]), float(norm)


def reduce_record(record: Record) -> ReducedRecord:
    """Keep what `compare_many` needs of a record.

    These are all hashes, and the values at the last step that has any and at steps 0, 1, 2, 4, 8
    and so on, at which the run can be compared with one of a different length.
    """
    steps = record.sketch_steps
    rows = np.flatnonzero((steps & (steps - 1) == 0) | (steps == steps[-1:].max(initial=0)))
    dtypes = [xxhash.xxh3_64_intdigest(tensor.hashed_as.encode()) for tensor in record.tensors]
    return ReducedRecord(
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


def distance_matrix(runs: Sequence[ReducedRecord]) -> tuple[int | None, npt.NDArray[np.float64]]:
    """Compute all distances at the latest of the steps that most runs kept.

    Parameters
    ----------
    runs : sequence of ReducedRecord
        With the same tensors.

    Returns
    -------
    int or None
        The step; None if no values were kept.
    (n, n) float64
        ||a - b|| / ||a||, row a, column b; NaN where one of the two kept no values at the step.
    """
    distance = np.full((len(runs), len(runs)), np.nan)
    counts = Counter(int(step) for run in runs if run.known for step in run.kept_steps)
    if not counts:
        return None, distance
    step = max(counts, key=lambda s: (counts[s], s))
    places = [i for i, run in enumerate(runs) if run.known and step in run.kept_steps]
    usual = Counter(runs[i].kept_as for i in places).most_common(1)[0][0]
    places = [i for i in places if runs[i].kept_as == usual]
    rows = [runs[i].weights_at(step) for i in places]
    kept = np.array([values for values, _ in rows])
    with np.errstate(all="ignore"):  # weights of a diverging run may be NaN or infinite
        for i, (values, norm) in zip(places, rows, strict=True):
            difference = np.sqrt(np.square(kept - values).sum(axis=1))
            distance[i, places] = np.where(difference == 0, 0.0, difference / norm)
    return step, distance


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread(Result):
    """The spread of one value over several runs.

    Runs of the same training share their data and often their start, and bit-identical runs are one
    result rather than several, so the mean has no confidence interval.
    """

    _computed = ("low", "high")

    #: number of runs with a finite value
    runs: int
    least: float
    largest: float
    mean: float
    #: with n - 1 in the denominator; NaN for a single run
    standard_deviation: float

    def __repr__(self) -> str:
        return f"Spread({self.mean:.6g} +- {self.standard_deviation:.2g}, {self.runs} runs)"


def spread_of(runs: Sequence[ReducedRecord], step: int) -> dict[str, Spread]:
    """Return the spread of every metric that all runs report, at a step that all recorded."""
    names = [name for name in runs[0].metrics if all(name in run.metrics for run in runs)]
    found = {}
    for name in names:
        values = [float(run.metrics[name][np.searchsorted(run.steps, step)]) for run in runs]
        finite = [value for value in values if math.isfinite(value)]
        if finite:
            found[name.lstrip("$")] = _spread(np.array(finite))
    return found


def _spread(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Spread:
    return Spread(
        runs=len(values),
        least=float(values.min()),
        largest=float(values.max()),
        mean=float(values.mean()),
        standard_deviation=float(values.std(ddof=1)) if len(values) > 1 else math.nan,
    )


#: Why a readable record is left out; details follow.
OTHER_MODEL = "belongs to a different model than most"
OTHER_START = "starts at a different step than most"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ManyRuns(Result):
    """Comparison of all runs of one model with each other; arrays are read-only.

    A run that ended early is compared up to its end.
    """

    #: names of the records (n,)
    names: tuple[str, ...]
    #: last recorded step of each run
    last_steps: tuple[int, ...]
    complete: tuple[bool, ...]
    #: steps at which bits were compared: recorded by all runs that reached them, ascending
    steps: npt.NDArray[np.int64]
    #: classes of runs (indices in `names`) that are bit-identical at all these steps, the largest
    #: first; a run that ended before its class split is listed in the largest part
    classes: tuple[tuple[int, ...], ...]
    #: where classes diverged, in ascending order of the steps
    splits: tuple[Split, ...]
    #: latest of the steps at which most runs kept values or sketches; None if there is none
    distance_step: int | None
    #: relative distance between the weights at that step, ||a - b|| / ||a||, row a, column b
    #: (n, n); NaN where unknown
    distance: npt.NDArray[np.float64]
    #: loss and metrics at the last step that all runs recorded
    spread: dict[str, Spread]
    spread_step: int | None
    #: settings that are not the same in all runs: name -> value of each run
    differs: dict[str, tuple[Any, ...]]
    #: records that were left out -> reason
    left_out: dict[str, str]
    #: number of tensors compared, and names of tensors that were not, since some runs lack them;
    #: None and empty in results of older versions
    compared: int | None = None
    not_compared: tuple[str, ...] = ()

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The final classes, with the parent and the step at which each branched off."""
        return branches(self.classes, self.splits)

    def __repr__(self) -> str:
        out = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"ManyRuns({len(self.names)} runs, {len(self.classes)} classes of equal bits{out})"


def compare_many(
    records: Iterable[Record | str | os.PathLike[str]], *, trust: bool = False
) -> ManyRuns:
    """Compare any number of runs of one model, in the tensors that all of them have.

    Records that cannot be read, that have different weights and statistics than most, or that lack
    the first step of most are left out and reported. Runs with a different optimizer or frozen
    layers belong to the same model: their slots are not compared, and a weight that is trainable in
    any run counts as trainable in all.

    Parameters
    ----------
    records : iterable of Record, str or os.PathLike
        Records or their files; files are opened one after another and not held in memory.
    trust : bool, default False
        Open files with `fpdrift.records.open_own`, which lifts the size limits for untrusted files.

    Returns
    -------
    ManyRuns

    Raises
    ------
    FpdriftError
        If no record is left.
    """
    whole, left_out = _of_one_model(*_read(records, opener(trust=trust)))
    runs = shared_by_all(whole)
    names = dict.fromkeys(tensor.name for run in whole for tensor in run.tensors)
    compared = [tensor.name for tensor in runs[0].tensors]
    steps = _common_steps(runs)
    hashes = [run.hashes_at(steps) for run in runs]
    classes, splits = find_splits(steps, hashes, runs[0].tensors)
    distance_step, distance = distance_matrix(runs)
    shared = [int(s) for s in steps if all(s <= run.steps[-1] for run in runs)]
    return ManyRuns(
        names=tuple(run.name for run in runs),
        last_steps=tuple(int(run.steps[-1]) for run in runs),
        complete=tuple(run.complete for run in runs),
        steps=read_only(steps),
        classes=classes,
        splits=splits,
        distance_step=distance_step,
        distance=read_only(distance),
        spread=spread_of(runs, shared[-1]) if shared else {},
        spread_step=shared[-1] if shared else None,
        differs=varying_facts([run.facts for run in runs]),
        left_out=left_out,
        compared=len(compared),
        not_compared=tuple(name for name in names if name not in compared),
    )


def _read(
    records: Any, read: Callable[[str | os.PathLike[str]], Record]
) -> tuple[list[ReducedRecord], dict[str, str]]:
    """Open one record after another, and keep what is needed of each."""
    if isinstance(records, Record | str | os.PathLike) or not isinstance(records, Iterable):
        message = f"records is {short_repr(records)}; pass several records or paths of records"
        raise FpdriftError(message)
    runs: list[ReducedRecord] = []
    left_out: dict[str, str] = {}
    for source in records:
        if not isinstance(source, Record | str | os.PathLike):
            message = (
                f"{short_repr(source)} is neither a record nor a path; use open_record() to get a "
                "record"
            )
            raise FpdriftError(message)
        try:
            record = source if isinstance(source, Record) else read(source)
            if not len(record.steps):
                message = f"{short_repr(record.name)} contains no steps"
                raise FpdriftError(message)
        except FpdriftError as error:
            left_out[new_name(file_name(source), left_out)] = str(error)
            continue
        runs.append(reduce_record(record))
    return runs, left_out


def _of_one_model(
    runs: list[ReducedRecord], left_out: dict[str, str]
) -> tuple[list[ReducedRecord], dict[str, str]]:
    """Keep the runs of the most frequent model; of two equally frequent models, the first."""
    if not runs:
        why = f": {next(iter(left_out.values()))}" if left_out else ""
        message = f"no records to compare{why}"
        raise FpdriftError(message)
    model = Counter(run.variables for run in runs).most_common(1)[0][0]
    kept = []
    for run in runs:
        if run.variables == model:
            kept.append(run)
            continue
        name, role, shape = min(run.variables ^ model)
        left_out[new_name(run.name, left_out)] = f"{OTHER_MODEL}: {role} {short_repr(name)} {shape}"
    first = Counter(int(run.steps[0]) for run in kept).most_common(1)[0][0]
    for run in kept:
        if first not in run.steps:
            left_out[new_name(run.name, left_out)] = f"{OTHER_START}: no step {first}"
    return [run for run in kept if first in run.steps], left_out


def file_name(source: Record | str | os.PathLike[str]) -> str:
    """Return a record's file name without its folder, in a form that a result can store.

    Names with a leading ``$`` get the prefix ``./``, since results reserve them.
    """
    name = source.name if isinstance(source, Record) else os.fspath(source)
    text = text_of(os.path.basename(name))  # noqa: PTH119 - also of bytes
    return f"./{text}" if text.startswith("$") else text


def new_name(name: str, names: dict[str, str]) -> str:
    """Return a file's name, with a number if the name is already taken."""
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    return name if name not in names else next(n for n in numbered if n not in names)


def _common_steps(runs: Sequence[ReducedRecord]) -> npt.NDArray[np.int64]:
    """Return the steps recorded by all runs that reached them.

    A run that ends early does not remove steps of the others; a run that skips steps does.
    """
    counts = Counter(int(step) for run in runs for step in run.steps)
    lasts = np.sort([run.steps[-1] for run in runs])
    reach = {step: len(lasts) - int(np.searchsorted(lasts, step)) for step in counts}
    return np.array(sorted(s for s, n in counts.items() if n == reach[s]), np.int64)
