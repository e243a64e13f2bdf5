"""Nudged runs over the steps, in 80 columns."""

from __future__ import annotations

from fpdrift.cli.screens.screen import count, measured_on, screen, wrapped
from fpdrift.experiments import Courses


@screen.register
def _courses(result: Courses) -> list[str]:
    size = "The source's size" if result.size == "full" else "Quick, not the source's size"
    both = result.with_noise
    but = ", but for biases whose true gradient is zero," if both else ""
    more = ["", "  All weights, with those biases, which rounding alone moves:"] if both else []
    return [
        *wrapped(
            f"{size}: {result.title}; {count(result.last, 'step')} on {result.data}, seed "
            f"{result.seed}, 1 thread; relative distance of the weights{but} from the run without "
            "(equal: all have the same bits)."
        ),
        "",
        *_table(result),
        *more,
        *(_table(both) if both else []),
        "",
        *wrapped(f"Asked: {result.claim}"),
        *wrapped(f"Here: {result.finding}"),
        *measured_on(result),
    ]


def _table(result: Courses) -> list[str]:
    columns = (0, *result.told)
    lines = [f"  {result.what:20}" + "".join(f"{f'step {result.steps[c]}':>12}" for c in columns)]
    for label, distances in zip(result.labels, result.distance, strict=True):
        lines.append(f"  {label:20}" + "".join(f"{_number(distances[c]):>12}" for c in columns))
    return lines


def _number(value: float) -> str:
    return f"{value:.1e}" if value else "equal"
