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
            f"{result.data}, from seed {result.seed} on; every run against the one of its seed "
            f"with 1 thread. Means of {count(result.rows[0].runs, 'pair')} of runs and 95 % "
            "bootstrap intervals, too narrow for so few (of two pairs, just these two). Distance "
            "of the weights, but for biases whose true gradient is zero; all: with those."
        ),
        "",
        f"  {'source':25}{'distance of the weights':26}{'all':7}{'other classes':>20}",
        *map(_row, result.rows),
        "",
        f"  {'source':25}{'loss':26}accuracy",
        *map(_metrics, result.rows),
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
    head = f"  {row.name:25}"
    if row.equal == row.runs:
        return f"{head}same bits"
    low, high = 100 * row.churn.low, 100 * row.churn.high
    between = "" if math.isnan(low) else f" ({low:.1f}-{high:.1f})"
    churn = f"{100 * row.churn.mean:.1f} %{between}"
    return f"{head}{_interval(row.distance):26}{row.of_all.mean:7.1e}{churn:>20}"


def _metrics(row: Source) -> str:
    return f"  {row.name:25}{_interval(row.loss):26}{_interval(row.accuracy)}"


def _interval(interval: Interval) -> str:
    if not interval.mean:
        return "0"
    if math.isnan(interval.low):
        return f"{interval.mean:.1e}"
    return f"{interval.mean:.1e} ({interval.low:.1e}-{interval.high:.1e})"
