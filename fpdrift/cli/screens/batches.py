"""Batches, conditions and memory addresses: which rows and functions keep their bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift.cli.screens.blocks import (
    Blocks,
    columns,
    detail,
    heading,
    headline,
    paragraph,
    skipped,
    table,
)
from fpdrift.cli.screens.screen import layout
from fpdrift.reduction.batch import (
    AlignmentRun,
    AlignmentTable,
    BatchClasses,
    BatchRun,
    ConditionMatrix,
    ConditionReport,
    ConditionRun,
    Equality,
)
from fpdrift.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence


@layout.register
def _batches(result: BatchClasses) -> Blocks:
    yield headline(_batch_answer(result.runs))
    yield detail(
        f"Batch sizes: {_sizes(result.batches)}. Sizes in the same parentheses gave the same bits."
    )
    if result.runs:
        yield ""
        yield from _batch_runs(result.runs)
    yield from skipped(result.skipped)


@layout.register
def _batch(run: BatchRun) -> Blocks:
    yield headline(_batch_answer([run]))
    yield from _batch_runs([run])


def _batch_answer(runs: Sequence[BatchRun]) -> str:
    """Say in how many operations the bits of a row depend on its batch."""
    if not runs:
        return "No operation could be computed."
    changed, of = sum(run.cause is not None for run in runs), plural(len(runs), "operation")
    if changed:
        return f"The bits of one row change with its batch in {changed} of {of}."
    return f"No drift seen: one row has the same bits in every batch, in {of}."


def _batch_runs(runs: Sequence[BatchRun]) -> Blocks:
    """Return a table of operations, and below it what else changes their bits."""
    rows = []
    for run in runs:
        classes = " ".join(f"({' '.join(map(str, sizes))})" for sizes in run.sizes)
        what = "nondeterministic" if run.unsteady else classes
        rows.append((f"{run.library} {run.operation}", what, f"{run.equality.most_ulps:,}"))
    yield table(("operation", "batch sizes with the same bits", ">spread, ulps"), rows)
    for run in runs:
        text = _cause(run)
        if text:
            yield paragraph(f"{run.library} {run.operation}: {text}.")


def _cause(run: BatchRun) -> str:
    """Describe what changes the bits, where it is not the size of the batch alone."""
    if run.unsteady:
        return (
            f"repeating the same batch changed the row's bits at batch size {_sizes(run.unsteady)},"
            " so neither batch size, place nor neighbours can be blamed"
        )
    if run.neighbours_matter:
        return (
            "the values of the other rows enter this row's result at batch size "
            f"{_sizes(run.neighbours_matter)}; the operation works on the whole batch, so neither "
            "its size nor the row's place can be blamed, and the difference is not rounding alone"
        )
    if run.place_matters:
        return f"the row's place in the batch matters at batch size {_sizes(run.place_matters)}"
    return ""


def _sizes(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes))


@layout.register
def _equality(result: Equality) -> Blocks:
    results = plural(len(result.labels), "result")
    if len(result.groups) == 1:
        yield headline(f"No drift seen: {results} have the same bits.")
    else:
        classes = f"{len(result.groups)} classes of equal bits"
        yield headline(f"{results} fall into {classes}{_spread_of(result)}.")
    yield from _groups(result)


def _groups(result: Equality) -> Blocks:
    rows = [(f"{number}", ", ".join(group)) for number, group in enumerate(result.groups, 1)]
    yield columns((">result", "conditions"), rows, wrap=True)


@layout.register
def _matrix(result: ConditionMatrix) -> Blocks:
    changed = sum(len(run.equality.groups) > 1 for run in result.runs)
    if not result.runs:
        yield headline("No operation could be computed.")
    elif changed:
        yield headline(
            f"The bits of one row depend on the condition in {changed} of "
            f"{plural(len(result.runs), 'operation')}."
        )
    else:
        yield headline(
            "No drift seen: one row has the same bits under every condition, in "
            f"{plural(len(result.runs), 'operation')}."
        )
    yield detail(f"Batch sizes: {_sizes(result.batches)}.")
    for run in result.runs:
        yield ""
        yield from layout(run)
    yield from skipped(result.skipped)


@layout.register
def _conditions(run: ConditionRun) -> Blocks:
    groups = run.equality.groups
    seen = "the same bits under all conditions"
    if len(groups) > 1:
        seen = f"{plural(len(groups), 'result')}{_spread_of(run.equality)}"
    yield heading(f"{run.library} {run.operation} gave {seen}.")
    yield from _groups(run.equality)
    if any(within.unsteady for within in run.within):
        yield paragraph("Repeating the same batch changed the bits: no condition can be blamed.")


def _spread_of(equality: Equality) -> str:
    most = equality.most_ulps
    return f", up to {plural(most, 'ulp')} apart" if most else ""


@layout.register
def _alignment(result: AlignmentTable) -> Blocks:
    functions = plural(len({run.operation for run in result.runs}), "function")
    depend = {run.operation for run in result.dependent}
    if not result.runs:
        yield headline("No function could be computed.")
    elif depend:
        verb = "depend" if len(depend) > 1 else "depends"
        yield headline(f"{len(depend)} of {functions} {verb} on the address of the input.")
    else:
        yield headline(f"No drift seen: the same bits at every address, in {functions}.")
    if result.runs:
        yield detail(
            f"The inputs begin at {len(result.runs[0].offsets)} addresses: each is one element "
            "further from a multiple of 64 bytes."
        )
    for core in {report.found["core"] for report in result.reports if _plain_core(report)}:
        yield detail(f"By default, OpenBLAS uses its kernels for {core} here.")
    for library in dict.fromkeys(run.library for run in result.runs):
        yield ""
        yield from _aligned([run for run in result.runs if run.library == library])
    if any(report.found.get("addresses reached", "").startswith("0 ") for report in result.reports):
        yield paragraph(
            "TensorFlow copies its inputs to aligned memory: its kernels saw one address only."
        )
    yield from skipped(result.skipped, "Not tested")


def _plain_core(report: ConditionReport) -> bool:
    return report.condition.name == "default" and "core" in report.found


@layout.register
def _alignment_run(run: AlignmentRun) -> Blocks:
    yield headline(
        f"{run.operation} ({run.dtype}) gave {plural(max(run.distinct), 'result')} at "
        f"{plural(len(run.offsets), 'address')}."
    )
    yield from _aligned([run])


def _aligned(runs: Sequence[AlignmentRun]) -> Blocks:
    """Return a table of the functions of one library whose bits change, and name the others."""
    changed = {run.operation for run in runs if max(run.distinct) > 1}
    letters = [chr(ord("A") + place) for place in range(len(runs[0].conditions))]
    if changed:
        rows = [
            (f"{run.operation} {run.dtype}", *map(_results_of, run.distinct, run.ulps))
            for run in runs
            if run.operation in changed
        ]
        yield table(("function", *(f">{letter}" for letter in letters)), rows)
        yield detail("Cells: distinct results (largest distance in ulps); -: the same bits.")
    named = zip(letters, runs[0].conditions, strict=True)
    yield paragraph(f"Kernel sets: {'; '.join(f'{letter} {name}' for letter, name in named)}.")
    same: dict[str, dict[str, None]] = {}
    for run in runs:
        if run.operation not in changed:
            home, _, name = run.operation.partition(":")
            same.setdefault(home, {})[name] = None
    if same:
        names = "; ".join(f"{home}: {', '.join(names)}" for home, names in same.items())
        yield paragraph(f"The same bits at every address, under every kernel set: {names}.")
    if unsteady := ", ".join(f"{run.operation} {run.dtype}" for run in runs if any(run.unsteady)):
        yield paragraph(
            f"Repeating one call changed the bits, so the address cannot be blamed: {unsteady}."
        )


def _results_of(distinct: int, ulps: int) -> str:
    return f"{distinct} ({ulps:,})" if distinct > 1 else "-"
