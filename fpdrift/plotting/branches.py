"""Runs as a tree: one line for all whose bits are equal, which forks where they come apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift.drift.splits import letter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.drift import ManyRuns
    from fpdrift.drift.splits import Branch

#: Classes that are drawn; more would be a hatching.
_MOST = 24
_LONGEST = 24


def draw_many_runs(result: ManyRuns, ax: Axes) -> None:
    """Draw each class of equal bits as a line, as wide as it has runs."""
    branches = result.branches
    order = [i for i in _in_order(branches) if i < _MOST]
    place = {number: y for y, number in enumerate(order)}
    last = max(result.last_steps)
    for number, y in place.items():
        branch = branches[number]
        start = -0.5 if branch.step is None else branch.step
        width = 1.5 + 6 * len(branch.runs) / len(result.names)
        colour = f"C{number % 10}"
        end = max(result.last_steps[run] for run in branch.runs)
        ax.plot([start, end], [y, y], color=colour, linewidth=width, solid_capstyle="butt")
        if branch.parent in place:
            ax.plot([start, start], [place[branch.parent], y], color=colour, linewidth=1.5)
        ax.annotate(
            f"{letter(number)}  {_label(result, branch)}",
            (1.01, y),
            xycoords=("axes fraction", "data"),
            va="center",
            color=colour,
            parse_math=False,
        )
    ax.set_xscale("symlog", linthresh=1)
    ax.set(xlim=(-0.5, max(last, 1)), ylim=(len(order) - 0.4, -0.6), yticks=[])
    ax.set_xticks(_ticks(last), [f"{tick:,}" for tick in _ticks(last)])
    ax.set_xlabel("training step")
    ax.set_title(_title(result))


def _in_order(branches: tuple[Branch, ...]) -> list[int]:
    """Place every branch below what it left; the one that left last is next to it."""

    def below(number: int) -> list[int]:
        own = [i for i, branch in enumerate(branches) if branch.parent == number]
        own.sort(key=lambda i: -(branches[i].step or 0))
        return [number, *(deeper for i in own for deeper in below(i))]

    return below(next(i for i, branch in enumerate(branches) if branch.parent is None))


def _label(result: ManyRuns, branch: Branch) -> str:
    names = [result.names[run].removesuffix(".fpdrift") for run in branch.runs]
    first = "".join(c if c.isprintable() else "?" for c in names[0])
    first = first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1]}…"
    return first if len(names) == 1 else f"{len(names)} runs: {first}, …"


def _title(result: ManyRuns) -> str:
    count, classes = len(result.names), len(result.classes)
    if classes == 1:
        return f"{count} runs, and not one bit differs in {max(result.last_steps):,} steps"
    more = f" ({_MOST} drawn)" if classes > _MOST else ""
    return f"{count} runs come apart into {classes} classes of equal bits{more}"


def _ticks(last: int) -> list[int]:
    decades = [int(tick) for tick in 10.0 ** np.arange(0, np.log10(max(last, 1)))]
    return [0, *decades, last] if last else [0]
