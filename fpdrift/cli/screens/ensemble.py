"""An ensemble in 80 columns: what was trained, and under which conditions."""

from __future__ import annotations

from collections import Counter

from fpdrift.cli.screens.screen import count, screen, wrapped
from fpdrift.training.ensemble import Ensemble

#: Conditions that are listed.
_MOST = 20


@screen.register
def _ensemble(result: Ensemble) -> list[str]:
    times = Counter(condition.name for condition in result.conditions)
    runs = f"{count(len(result.names), 'run')} of {count(result.steps, 'step')}"
    lines = wrapped(
        f"{runs} of the {result.network}'s network on {result.data}, {result.labels} labels, are "
        f"done, under {count(len(times), 'condition')}:"
    )
    for name, runs_of_it in list(times.items())[:_MOST]:
        again = f" ({count(runs_of_it, 'run')})" if runs_of_it > 1 else ""
        lines += wrapped(f"{name}{again}", 4)
    if len(times) > _MOST:
        lines += wrapped(f"and {len(times) - _MOST} more", 4)
    return lines
