"""The doctor's report: causes first, each with its place, its remedy and its proof."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from fpdrift.cli.screens.blocks import Blocks, detail, headline, paragraph, table, terms
from fpdrift.cli.screens.screen import layout
from fpdrift.doctor import ProvenCause, ResumeCheck, ScriptDiagnosis, TwiceCheck

#: Other places of a cause that are listed.
_MOST = 3


@layout.register
def _diagnosis(result: ScriptDiagnosis) -> Blocks:
    yield headline(result.finding)
    for _, causes in groupby(result.causes, key=lambda cause: (cause.kind, cause.proof)):
        yield from _causes(list(causes))
    if result.remarks:
        yield ""
        yield paragraph(" ".join(result.remarks))
    if result.suspects:
        yield ""
        yield from _suspects(result)
    yield ""
    yield table(
        ("run", "changed from outside", "ended", ">seconds", ">steps", "result"),
        [
            (
                str(run.number),
                run.changes,
                run.ended,
                f"{run.seconds:.1f}",
                f"{run.steps:,}",
                run.digest[:6],
            )
            for run in result.runs
        ],
    )
    yield ""
    yield detail(result.tested)


def _causes(causes: list[ProvenCause]) -> Blocks:
    first = causes[0]
    yield ""
    places = [(cause.place, f"{cause.subject}{_also(cause)}") for cause in causes]
    rows = [*places, ("why", first.explanation), ("remedy", first.remedy), ("proof", first.proof)]
    yield paragraph(f"{first.kind.capitalize()}:", style="bold")
    yield terms(rows)


def _also(cause: ProvenCause) -> str:
    """Name the first other places of a cause."""
    more = f" and {len(cause.also) - _MOST} more" if len(cause.also) > _MOST else ""
    return f"; also {', '.join(cause.also[:_MOST])}{more}" if cause.also else ""


def _suspects(result: ScriptDiagnosis) -> Blocks:
    yield paragraph("Found by reading the script, as by fpdrift lint:")
    yield terms([(f"{s.file}:{s.line}", f"{s.code} {s.message}") for s in result.suspects])


@layout.register
def _resumed(result: ResumeCheck) -> Blocks:
    yield headline(result.finding)
    for state in result.lost:
        yield paragraph(f"{state.kind[0].upper()}{state.kind[1:]}:", style="bold")
        restored = "restored from the first run, the second half ends with the same bits"
        rows = [("differs", _few(state.parts)), ("why", state.explanation)]
        rows.append(("remedy", state.remedy))
        yield terms([*rows, ("proof", restored)] if state.proven else rows)
    if result.without_effect:
        yield paragraph(f"Lost without effect on the result: {', '.join(result.without_effect)}.")
    yield table(
        ("run", "part of the training", "ended", ">seconds", ">steps", "result"),
        [
            (
                str(run.number),
                part,
                run.ended,
                f"{run.seconds:.1f}",
                f"{run.steps:,}",
                run.digest[:6],
            )
            for run, part in zip(result.runs, _PARTS, strict=False)
        ],
    )
    how = {"model": "model.save", "weights": "model.save_weights"}[result.save]
    where = f"Cut in two: the call of fit at {result.place}. " if result.place else ""
    yield detail(
        f"{where}Saved with {how}. Results: the bits of all variables of the model and its "
        "optimizer. What the script does after that call was not run."
    )


_PARTS = ("all", "first half", "second half", "second half, lost state restored")
#: Parts of a state that are named on the screen.
_NAMED = 3


def _few(names: Sequence[str]) -> str:
    more = f", and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


@layout.register
def _twice(result: TwiceCheck) -> Blocks:
    yield headline(result.finding)
    for leftover in result.leftovers:
        yield paragraph(f"{leftover.kind[0].upper()}{leftover.kind[1:]}:", style="bold")
        rows = [("left", _few(leftover.parts))] if leftover.parts else []
        proof = "with these taken away, the second run ends with the bits of the first"
        why = ("why", leftover.explanation), ("remedy", leftover.remedy), ("proof", proof)
        yield terms([*rows, *why])
    if result.first_draw:
        yield paragraph(f"First different draw: {result.first_draw}")
    yield table(
        ("process", "taken away before run 2", "ended", ">seconds", "run 1", "run 2"),
        [
            (
                str(run.number),
                ", ".join(away) or "nothing",
                run.ended,
                f"{run.seconds:.1f}",
                run.digest[:6],
                second[:6],
            )
            for run, second, away in zip(result.runs, result.second, result.taken_away, strict=True)
        ],
    )
    yield detail(
        "Each process ran the script twice, process 2 once. Equal results: the same bits in all "
        "trained variables. Files that the first run left in its folder stay for the second."
    )
