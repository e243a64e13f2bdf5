"""The doctor's report: causes first, each with its place, its remedy and its proof."""

from __future__ import annotations

from itertools import groupby

from fpdrift.cli.screens.blocks import Blocks, detail, headline, paragraph, table, terms
from fpdrift.cli.screens.screen import layout
from fpdrift.doctor import Cause, ScriptDiagnosis

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


def _causes(causes: list[Cause]) -> Blocks:
    first = causes[0]
    yield ""
    places = [(cause.place, f"{cause.subject}{_also(cause)}") for cause in causes]
    rows = [*places, ("why", first.explanation), ("remedy", first.remedy), ("proof", first.proof)]
    yield paragraph(f"{first.kind.capitalize()}:", style="bold")
    yield terms(rows)


def _also(cause: Cause) -> str:
    """Name the first other places of a cause."""
    more = f" and {len(cause.also) - _MOST} more" if len(cause.also) > _MOST else ""
    return f"; also {', '.join(cause.also[:_MOST])}{more}" if cause.also else ""


def _suspects(result: ScriptDiagnosis) -> Blocks:
    yield paragraph("Found by reading the script, as by fpdrift lint:")
    yield terms([(f"{s.file}:{s.line}", f"{s.code} {s.message}") for s in result.suspects])
