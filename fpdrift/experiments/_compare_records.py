"""Several records held against the first one: all that `fpdrift compare` shows."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from fpdrift.comparison import (
    Comparison,
    Comparisons,
    Growth,
    RunCurves,
    TensorMatrix,
    compare,
    growth,
    run_curves,
    tensor_matrix,
)
from fpdrift.comparison._many import file_name, new_name
from fpdrift.errors import FpdriftError
from fpdrift.records import Record, opener
from fpdrift.serialization import Result
from fpdrift.step_debug import Diagnosis, Gates, StepExplained
from fpdrift.step_debug._diagnose import diagnose_traced
from fpdrift.step_debug._relu_gates import gates_in, window_of
from fpdrift.step_debug._rerun import apart, explained, first_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fpdrift.step_debug._rerun import Progress


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ComparedPair(Result):
    """One record against the first."""

    _renamed = MappingProxyType({"judged": "diagnosis"})

    label: str
    comparison: Comparison
    growth: Growth
    matrix: TensorMatrix
    #: the first differing step, repeated and taken apart; None where that was not asked for or
    #: nothing differs
    inside: StepExplained | None
    #: whether rounding can explain it; None likewise
    diagnosis: Diagnosis | None
    #: the ReLUs in the step of the largest jump; None likewise, or without a jump, or where the two
    #: runs see other batches there
    gates: Gates | None

    def __repr__(self) -> str:
        return f"ComparedPair({self.label}: {self.comparison!r})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ComparedRecords(Result):
    """Records, each against the first in the tensors that both have."""

    #: the first record
    baseline: str
    pairs: tuple[ComparedPair, ...]
    #: of all records, the first one first
    curves: RunCurves
    #: files that were given and are not in here -> why
    left_out: dict[str, str]

    @property
    def comparisons(self) -> Comparisons:
        """The pairs' comparisons alone."""
        return Comparisons(
            labels=tuple(pair.label for pair in self.pairs),
            comparisons=tuple(pair.comparison for pair in self.pairs),
        )

    def __repr__(self) -> str:
        return f"ComparedRecords(against {self.baseline}: {self.comparisons!r})"


def compare_records(
    sources: Sequence[Record | str | os.PathLike[str]],
    *,
    inside: bool = False,
    progress: Progress | None = None,
) -> ComparedRecords:
    """Compare records with the first of them.

    One of many that cannot be read, or shares no weight with the first, is left out and named.

    Parameters
    ----------
    sources : sequence of Record, str or os.PathLike
        Two records or more, or their files.
    inside : bool, default False
        Repeat both runs of each pair up to the step at which they part, take it apart, and judge
        whether rounding can explain it; go on to their largest jump, if there is one, and look at
        its ReLUs. See `fpdrift.step_debug.explain_step`, `judge_runs` and `find_gates`.
    progress : callable, optional
        Called with (what is going on, steps done, steps to do) while a run is repeated.

    Raises
    ------
    FpdriftError
        If there are fewer than two, the first cannot be read, no other one can be compared with it,
        or, with `inside`, one is no record of `fpdrift.train`.
    ChildError
        If a run cannot be repeated.
    """
    (first, *others), left_out = read_records(sources)
    records, found = [first], []
    for record in others:
        try:
            found.append(compare(first, record))
        except FpdriftError as error:
            if len(others) == 1:
                raise
            left_out[new_name(record.name, left_out)] = str(error)
            continue
        records.append(record)
    _check_any(records, left_out)
    labels = _labels(records)
    return ComparedRecords(
        baseline=labels[0],
        pairs=tuple(
            _pair(label, first, record, pair, inside=inside, progress=progress)
            for label, record, pair in zip(labels[1:], records[1:], found, strict=True)
        ),
        curves=run_curves(records, labels),
        left_out=left_out,
    )


def _pair(
    label: str, a: Record, b: Record, pair: Comparison, *, inside: bool, progress: Progress | None
) -> ComparedPair:
    grown = growth(pair, (a, b))
    look = inside and pair.first_difference is not None
    step, verdict, gates = _look(a, b, pair, grown, progress) if look else (None, None, None)
    return ComparedPair(
        label=label,
        comparison=pair,
        growth=grown,
        matrix=tensor_matrix(a, b),
        inside=step,
        diagnosis=verdict,
        gates=gates,
    )


def _look(
    a: Record, b: Record, pair: Comparison, grown: Growth, progress: Progress | None
) -> tuple[StepExplained, Diagnosis, Gates | None]:
    """Look into the step in which two runs part, and at the ReLUs where they jump apart."""
    step, window = first_step(pair), window_of(grown.jumps)
    with apart(a, b, sorted({step, *window}), None, progress) as steps:
        gates = None
        if window:
            with suppress(FpdriftError):  # runs that see other batches have no gates in common
                gates = gates_in(steps, window, a.tensors)
        return explained(steps, step), diagnose_traced(a, b, steps, step), gates


def read_records(
    sources: Sequence[Record | str | os.PathLike[str]], *, trust: bool = False
) -> tuple[list[Record], dict[str, str]]:
    """Open records; one of many, but not the first, may be bad.

    With `trust` they are not a stranger's: see `fpdrift.records.open_own`.

    Returns
    -------
    list of Record
        Two or more.
    dict of str to str
        Name of a file that cannot be read -> why.

    Raises
    ------
    FpdriftError
        If there are fewer than two, or the first cannot be read.
    """
    if len(sources) < 2:
        message = f"{len(sources)} records; give two or more, the one to compare with first"
        raise FpdriftError(message)
    read = opener(trust=trust)
    records: list[Record] = []
    left_out: dict[str, str] = {}
    for source in sources:
        try:
            records.append(source if isinstance(source, Record) else read(source))
        except FpdriftError as error:
            if not records or len(sources) == 2:
                raise
            left_out[new_name(file_name(source), left_out)] = str(error)
    _check_any(records, left_out)
    return records, left_out


def _check_any(records: Sequence[Record], left_out: dict[str, str]) -> None:
    if len(records) < 2:
        why = next(iter(left_out.values()))
        message = f"none of {len(left_out)} records can be compared with the first: {why}"
        raise FpdriftError(message)


def _labels(records: Sequence[Record]) -> tuple[str, ...]:
    """Name each record by its file, and by its number too where two files have one name."""
    names = [
        "".join(c if c.isprintable() else "?" for c in record.name.removesuffix(".fpdrift"))
        for record in records
    ]
    return tuple(
        name if names.count(name) == 1 else f"{number} {name}"
        for number, name in enumerate(names, 1)
    )
