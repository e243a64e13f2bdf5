"""Classes of equal bits in 80 columns."""

from __future__ import annotations

from collections.abc import Mapping

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
    classes = " ".join(f"({' '.join(map(str, sizes))})" for sizes in run.sizes)
    lines = [f"    {f'{run.library} {run.operation}':24} {classes}{_apart(run.equality)}"]
    if run.place_matters:
        sizes = ", ".join(map(str, run.place_matters))
        lines += wrapped(f"the row's place in the batch matters at {sizes}", 6)
    return lines


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
