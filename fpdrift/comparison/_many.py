"""Many records at once: which runs have equal bits until when, and the distances between them.

Runs are grouped by their hashes, so that time and memory grow with runs times steps. Only the
distances, at one step, are taken from each pair.

What a comparison of many runs keeps of each record, and the distances between all of them.

How far one figure spreads over several runs.
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
        """Return the hashes at those steps that the run has reached (n, tensors)."""
        reached = steps[steps <= self.steps[-1]]
        hashes: npt.NDArray[np.uint64] = self.hashes[np.searchsorted(self.steps, reached)]
        return hashes

    def weights_at(self, step: int) -> tuple[npt.NDArray[np.float64], float]:
        """Return what was kept of all weights at a step, in one row, and their norm."""
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread(Result):
    """One figure of several runs.

    The runs of one training share their data and often their start, and equal bits are one result
    and not several: so the mean has no interval here.
    """

    _computed = ("low", "high")

    #: runs whose figure is a finite number
    runs: int
    least: float
    largest: float
    mean: float
    #: with n - 1 in the denominator; NaN for one run
    standard_deviation: float

    def __repr__(self) -> str:
        return f"Spread({self.mean:.6g} +- {self.standard_deviation:.2g}, {self.runs} runs)"


def spread_of(runs: Sequence[Reduced], step: int) -> dict[str, Spread]:
    """Find the spread of every metric that all runs report, at a step that all recorded."""
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


#: Why a record is left out that can be read; what follows may hold its names.
OTHER_MODEL = "of another model than most"
OTHER_START = "of another first step than most"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ManyRuns(Result):
    """Runs of one model, all held against each other; arrays are read-only.

    A run that ended early is compared as far as it goes.
    """

    #: names of the records (n,)
    names: tuple[str, ...]
    #: of each run, its last recorded step
    last_steps: tuple[int, ...]
    complete: tuple[bool, ...]
    #: steps at which bits were compared: recorded by all runs that get so far, ascending
    steps: npt.NDArray[np.int64]
    #: runs (places in `names`) whose bits were equal at each of these steps, the largest first; a
    #: run that ended before its class came apart fits all parts, and stands with the largest
    classes: tuple[tuple[int, ...], ...]
    #: where classes came apart, in the order of the steps
    splits: tuple[Split, ...]
    #: the latest of the steps at which most runs kept values or sketches; None where there is none
    distance_step: int | None
    #: relative distance of the weights then, ||a - b|| / ||a||, row a, column b (n, n); NaN where
    #: it cannot be known
    distance: npt.NDArray[np.float64]
    #: loss and metrics at the last step that all runs recorded
    spread: dict[str, Spread]
    spread_step: int | None
    #: what is not the same in all runs: name -> each run's value
    differs: dict[str, tuple[Any, ...]]
    #: records that were given and are not in here -> why
    left_out: dict[str, str]
    #: how many tensors were compared, and the names of those that some runs lack, which were not;
    #: None and empty in results of older versions
    compared: int | None = None
    not_compared: tuple[str, ...] = ()

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The classes, and which of the others each of them left when."""
        return branches(self.classes, self.splits)

    def __repr__(self) -> str:
        out = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"ManyRuns({len(self.names)} runs, {len(self.classes)} classes of equal bits{out})"


def compare_many(
    records: Iterable[Record | str | os.PathLike[str]], *, trust: bool = False
) -> ManyRuns:
    """Compare any number of runs of one model, in the tensors that all of them have.

    What cannot be read, has other weights and statistics than most, or lacks the step with which
    most begin, is left out and named. Runs with another optimizer or frozen layers are of the same
    model: their slots are not compared, and a weight that is trainable in any run is one in all.

    Parameters
    ----------
    records : iterable of Record, str or os.PathLike
        Records or their files; opened one after another, and not held in memory.
    trust : bool, default False
        Open files as `fpdrift.records.open_own` does, however large they are: you know who made
        them.

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
) -> tuple[list[Reduced], dict[str, str]]:
    """Open one record after another, keeping what is needed of each."""
    if isinstance(records, Record | str | os.PathLike) or not isinstance(records, Iterable):
        message = f"records are several records or their files, not {short_repr(records)}"
        raise FpdriftError(message)
    runs: list[Reduced] = []
    left_out: dict[str, str] = {}
    for source in records:
        if not isinstance(source, Record | str | os.PathLike):
            message = f"not a record or its path: {short_repr(source)}; open_record() gives one"
            raise FpdriftError(message)
        try:
            record = source if isinstance(source, Record) else read(source)
            if not len(record.steps):
                message = f"{short_repr(record.name)} holds no step"
                raise FpdriftError(message)
        except FpdriftError as error:
            left_out[new_name(file_name(source), left_out)] = str(error)
            continue
        runs.append(reduced(record))
    return runs, left_out


def _of_one_model(
    runs: list[Reduced], left_out: dict[str, str]
) -> tuple[list[Reduced], dict[str, str]]:
    """Keep the runs of the model that most are of; of two equally frequent ones, the first."""
    if not runs:
        why = f": {next(iter(left_out.values()))}" if left_out else ""
        message = f"no record to compare{why}"
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
            left_out[new_name(run.name, left_out)] = f"{OTHER_START}: has no step {first}"
    return [run for run in kept if first in run.steps], left_out


def file_name(source: Record | str | os.PathLike[str]) -> str:
    """Name a record by its file alone, without the folder that it lies in, as a result can hold it.

    A name that begins with ``$`` gets ``./`` in front, since a result keeps such names for itself.
    """
    name = source.name if isinstance(source, Record) else os.fspath(source)
    text = text_of(os.path.basename(name))  # noqa: PTH119 - also of bytes
    return f"./{text}" if text.startswith("$") else text


def new_name(name: str, names: dict[str, str]) -> str:
    """Return a file's name, with a number if one from another folder is there already."""
    again = (f"{name} ({number})" for number in itertools.count(2))
    return name if name not in names else next(n for n in again if n not in names)


def _common_steps(runs: Sequence[Reduced]) -> npt.NDArray[np.int64]:
    """Find the steps recorded by all runs that get so far.

    A run that ends early takes no step away from the others; one that skips steps does.
    """
    counts = Counter(int(step) for run in runs for step in run.steps)
    lasts = np.sort([run.steps[-1] for run in runs])
    reach = {step: len(lasts) - int(np.searchsorted(lasts, step)) for step in counts}
    return np.array(sorted(s for s, n in counts.items() if n == reach[s]), np.int64)
