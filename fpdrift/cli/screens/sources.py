"""Sources of difference in 80 columns."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from fpdrift.cli.screens.screen import count, measured_on, screen, wrapped
from fpdrift.drift.intervals import FEWEST, median_interval
from fpdrift.experiments import Source, Sources

if TYPE_CHECKING:
    from fpdrift.experiments.sources import Figures


@screen.register
def _sources(result: Sources) -> list[str]:
    size = "The source's size" if result.size == "full" else "Quick, not the source's size"
    pairs = result.rows[0].runs
    what = (
        "Medians, and in brackets their 95 % intervals by order statistics."
        if pairs >= FEWEST
        else f"The smallest and the largest: an interval needs {FEWEST} pairs."
    )
    return [
        *wrapped(
            f"{size}: {count(result.steps, 'step')} of the {result.network}'s network on "
            f"{result.data}, from seed {result.seed} on; {count(pairs, 'run')} of each, every one "
            f"against the run of its seed with 1 thread. {what} Distance of the weights, but for "
            "biases whose true gradient is zero; all: with those."
        ),
        "",
        f"  {'source':25}{'distance of the weights':27}all",
        *map(_row, result.rows),
        "",
        f"  {'source':25}{'loss':27}accuracy",
        *(_line(row.name, _figures(row.loss), _figures(row.accuracy)) for row in result.rows),
        "",
        f"  {'source':25}predictions of another class, in %",
        *(_line(row.name, _figures(_percent(row.churn), ".1f")) for row in result.rows),
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
    if row.equal == row.runs:
        return _line(row.name, "same bits")
    return _line(row.name, _figures(row.distance), _figures(row.of_all))


def _line(name: str, *columns: str) -> str:
    return f"  {name:25}{''.join(f'{column:27}' for column in columns)}".rstrip()


def _percent(shares: Figures) -> Figures:
    return tuple(100 * share for share in shares)


def _figures(values: Figures, kind: str = ".1e") -> str:
    """Write a median with its interval, or the smallest and the largest."""
    if not values:
        return "not kept"
    its = median_interval(values)
    if its:
        return f"{median(values):{kind}} ({its.low:{kind}}..{its.high:{kind}})"
    ends = dict.fromkeys(f"{end:{kind}}" if end else "0" for end in (min(values), max(values)))
    return "..".join(ends)
