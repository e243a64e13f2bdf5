"""Nudged runs over the steps, in 80 columns."""

from __future__ import annotations

from fpdrift.cli.screens.screen import count, measured_on, screen, wrapped
from fpdrift.experiments import Courses


@screen.register
def _courses(result: Courses) -> list[str]:
    size = "The source's size" if result.size == "full" else "Quick, not the source's size"
    heads = [f"step {result.steps[column]}" for column in (0, *result.told)]
    rows = []
    for label, distances in zip(result.labels, result.distance, strict=True):
        figures = (distances[column] for column in (0, *result.told))
        rows.append(f"  {label:20}" + "".join(f"{_number(figure):>12}" for figure in figures))
    return [
        *wrapped(
            f"{size}: {result.title}; {count(result.last, 'step')} on {result.data}, seed "
            f"{result.seed}, 1 thread; relative distance of the weights from the run without "
            "(equal: all weights have the same bits)."
        ),
        "",
        f"  {result.what:20}" + "".join(f"{head:>12}" for head in heads),
        *rows,
        "",
        *wrapped(f"Asked: {result.claim}"),
        *wrapped(f"Here: {result.finding}"),
        *measured_on(result),
    ]


def _number(value: float) -> str:
    return f"{value:.1e}" if value else "equal"
