"""Many records at once: which runs have equal bits until when, and the distances between them.

Runs are grouped by their hashes, so that time and memory grow with runs times steps. Only the
distances, at one step, are taken from each pair.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.drift.circumstances import varying_facts
from fpdrift.drift.reduced import Reduced, distance_matrix, reduced
from fpdrift.drift.sharing import shared_by_all
from fpdrift.drift.splits import Branch, Split, branches, find_splits
from fpdrift.drift.spread import Spread, spread_of
from fpdrift.errors import FpdriftError, shown
from fpdrift.records import opener
from fpdrift.records.place import text_of
from fpdrift.records.record import Record
from fpdrift.results import Result, read_only

if TYPE_CHECKING:
    import numpy.typing as npt

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
        message = f"records are several records or their files, not {shown(records)}"
        raise FpdriftError(message)
    runs: list[Reduced] = []
    left_out: dict[str, str] = {}
    for source in records:
        if not isinstance(source, Record | str | os.PathLike):
            message = f"not a record or its path: {shown(source)}; open_record() gives one"
            raise FpdriftError(message)
        try:
            record = source if isinstance(source, Record) else read(source)
            if not len(record.steps):
                message = f"{shown(record.name)} holds no step"
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
        left_out[new_name(run.name, left_out)] = f"{OTHER_MODEL}: {role} {shown(name)} {shape}"
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
    """Give a file's name, with a number if one from another folder is there already."""
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
