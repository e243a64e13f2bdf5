"""Classes of equal bits in 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fpdrift.cli.screens.screen import count, screen, wrapped
from fpdrift.reduction.batch import (
    BatchClasses,
    BatchRun,
    ConditionMatrix,
    ConditionRun,
    Equality,
)


@screen.register
def _batches(result: BatchClasses) -> list[str]:
    lines = wrapped(
        f"One row in batches of {', '.join(map(str, result.batches))}. Sizes in one pair of "
        "brackets gave the same bits."
    )
    for run in result.runs:
        lines += screen(run)
    return [*lines, *_skipped(result.skipped)]


@screen.register
def _batch(run: BatchRun) -> list[str]:
    name = f"{run.library} {run.operation}"
    if run.unsteady:
        lines = [f"    {name:24} nondeterministic{_apart(run.equality)}"]
        return lines + wrapped(
            f"repeating the same batch changed the row's bits at {_sizes(run.unsteady)}: neither "
            "batch size, place nor neighbours can be blamed",
            6,
        )
    classes = " ".join(f"({' '.join(map(str, sizes))})" for sizes in run.sizes)
    lines = [f"    {name:24} {classes}{_apart(run.equality)}"]
    if run.neighbours_matter:
        lines += wrapped(
            f"the values of the other rows enter this row's result at "
            f"{_sizes(run.neighbours_matter)}: the operation works on the whole batch, so its size "
            "or the row's place cannot be blamed, and the difference is not rounding alone",
            6,
        )
    if run.place_matters:
        lines += wrapped(f"the row's place in the batch matters at {_sizes(run.place_matters)}", 6)
    return lines


def _sizes(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes))


@screen.register
def _matrix(result: ConditionMatrix) -> list[str]:
    lines = wrapped(
        f"One row in batches of {', '.join(map(str, result.batches))} under several conditions. "
        "What stands behind one = gave the same bits."
    )
    for run in result.runs:
        lines += screen(run)
    return [*lines, *_skipped(result.skipped)]


@screen.register
def _conditions(run: ConditionRun) -> list[str]:
    groups = run.equality.groups
    seen = "all the same bits" if len(groups) == 1 else count(len(groups), "result")
    lines = [f"  {run.library} {run.operation}: {seen}{_apart(run.equality)}"]
    for group in groups:
        lines += wrapped(", ".join(group), 4, mark="= ")
    if any(within.unsteady for within in run.within):
        lines += wrapped(
            "Repeating the same batch changed the bits: no condition can be blamed.", 4
        )
    return lines


def _apart(equality: Equality) -> str:
    most = equality.most_ulps
    return f"  up to {count(most, 'ulp')} apart" if most else ""


def _skipped(skipped: Mapping[str, str]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for name, why in skipped.items():
        by_reason.setdefault(why, []).append(name)
    lines = []
    for why, names in by_reason.items():
        lines += wrapped(f"Left out, {', '.join(names)}: {why}")
    return lines
