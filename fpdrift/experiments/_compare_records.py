"""Compare several records with the first one: everything that `fpdrift compare` shows."""

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
from fpdrift.step_debug._rerun import compare_traced, first_step, traced_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fpdrift.step_debug._rerun import Progress


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ComparedPair(Result):
    """Comparison of one record with the first."""

    _renamed = MappingProxyType({"judged": "diagnosis"})

    label: str
    comparison: Comparison
    growth: Growth
    matrix: TensorMatrix
    #: the first differing step, rerun and traced; None if not requested or nothing differs
    inside: StepExplained | None
    #: whether rounding can explain it; None likewise
    diagnosis: Diagnosis | None
    #: the ReLUs in the step of the largest jump; None likewise, without a jump, or if the two runs
    #: use different batches there
    gates: Gates | None

    def __repr__(self) -> str:
        return f"ComparedPair({self.label}: {self.comparison!r})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ComparedRecords(Result):
    """Comparisons of several records with the first, in the tensors that both have."""

    #: name of the first record
    baseline: str
    pairs: tuple[ComparedPair, ...]
    #: curves of all records, in their order
    curves: RunCurves
    #: files that were left out -> reason
    left_out: dict[str, str]

    @property
    def comparisons(self) -> Comparisons:
        """The comparisons of all pairs."""
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

    If there are several, a record that cannot be read or shares no weight with the first is left
    out and reported.

    Parameters
    ----------
    sources : sequence of Record, str or os.PathLike
        Two records or more, or their files.
    inside : bool, default False
        Rerun both runs of each pair up to the step at which they diverge, trace it, and diagnose
        whether rounding can explain it; also inspect the ReLUs at their largest jump, if there is
        one. See `explain_step`, `diagnose_runs` and `find_gates` of `fpdrift.step_debug`.
    progress : callable, optional
        Called with a description, the number of steps done and the total during a rerun.

    Raises
    ------
    FpdriftError
        If there are fewer than two records, the first cannot be read, none can be compared with it,
        or, with `inside`, one was not written by `fpdrift.train`.
    ChildError
        If a rerun fails.
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
    step = verdict = gates = None
    if inside and pair.first_difference is not None:
        step, verdict, gates = _inspect_step(a, b, pair, grown, progress)
    return ComparedPair(
        label=label,
        comparison=pair,
        growth=grown,
        matrix=tensor_matrix(a, b),
        inside=step,
        diagnosis=verdict,
        gates=gates,
    )


def _inspect_step(
    a: Record, b: Record, pair: Comparison, grown: Growth, progress: Progress | None
) -> tuple[StepExplained, Diagnosis, Gates | None]:
    """Trace and diagnose the step in which two runs diverge, and inspect their largest jump."""
    step, window = first_step(pair), window_of(grown.jumps)
    with traced_steps(a, b, sorted({step, *window}), None, progress) as steps:
        gates = None
        if window:
            with suppress(FpdriftError):  # runs with different batches have no gates in common
                gates = gates_in(steps, window, a.tensors)
        return compare_traced(steps, step), diagnose_traced(a, b, steps, step), gates


def read_records(
    sources: Sequence[Record | str | os.PathLike[str]], *, trust: bool = False
) -> tuple[list[Record], dict[str, str]]:
    """Open records; if there are several, any but the first may be unreadable.

    With `trust`, they are opened by `fpdrift.records.open_own`.

    Returns
    -------
    list of Record
        Two or more.
    dict of str to str
        Name of a file that cannot be read -> reason.

    Raises
    ------
    FpdriftError
        If there are fewer than two, or the first cannot be read.
    """
    if len(sources) < 2:
        message = f"{len(sources)} records; pass at least two, the one to compare with first"
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
    """Return a label for each record: its file name, with a number if the name is not unique."""
    names = [
        "".join(c if c.isprintable() else "?" for c in record.name.removesuffix(".fpdrift"))
        for record in records
    ]
    return tuple(
        name if names.count(name) == 1 else f"{number} {name}"
        for number, name in enumerate(names, 1)
    )
