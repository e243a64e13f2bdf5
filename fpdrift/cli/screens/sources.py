"""Sources of difference in 80 columns."""

from __future__ import annotations

import math

from fpdrift.cli.screens.screen import count, measured_on, screen, wrapped
from fpdrift.experiments import Interval, Source, Sources


@screen.register
def _sources(result: Sources) -> list[str]:
    size = "The source's size" if result.size == "full" else "Quick, not the source's size"
    return [
        *wrapped(
            f"{size}: {count(result.steps, 'step')} of the {result.network}'s network on "
            f"{result.data}, seed {result.seed}; every run against the first, with 1 thread. Means "
            "and, of several runs, 95 % bootstrap intervals (of two runs, just these two)."
        ),
        "",
        f"  {'source':28}{'runs':>5}  {'distance of the weights':26}{'churn':>8}{'loss':>9}",
        *map(_row, result.rows),
        "",
        *wrapped(f"The source: {result.claim}"),
        *wrapped(f"Here: {result.finding}"),
        *(
            line
            for name, why in result.skipped.items()
            for line in wrapped(f"Left out, {name}: {why}")
        ),
        *measured_on(result),
    ]


def _row(row: Source) -> str:
    head = f"  {row.name:28}{row.runs:5}  "
    if row.equal == row.runs:
        return f"{head}same bits"
    return f"{head}{_interval(row.distance):26}{100 * row.churn.mean:6.1f} %{row.loss.mean:9.1e}"


def _interval(interval: Interval) -> str:
    if math.isnan(interval.low):
        return f"{interval.mean:.1e}"
    return f"{interval.mean:.1e} ({interval.low:.1e}-{interval.high:.1e})"
