"""Draw the tree in which numbers are added: inputs at the bottom, the sum at the top."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from fpdrift.errors import FpdriftError
from fpdrift.plotting.layout import Layout, branches, lay_out
from fpdrift.plotting.words import many

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.reduction import Plan
    from fpdrift.reduction.revealing import Revealed

#: Up to here each addition is a dot.
MOST_DOTS = 72
#: Numbers of inputs, and names of branches, that fit side by side.
_MOST_NUMBERS = 28
_MOST_BRANCHES = 8
#: Rows of numbers, and points from one to the next.
_ROWS, _ROW = 3, 17
#: More than this is a grey block on any screen.
MOST_INPUTS = 2**14


@dataclass(frozen=True, slots=True)
class Place:
    """The part of the picture that a tree has."""

    left: float
    #: from its first input to its last
    width: float
    #: its share of the picture's width
    share: float = 1


def draw_plan(plan: Plan, ax: Axes) -> None:
    """Draw a plan."""
    draw_tree(plan, ax)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="best")
    ax.set_title(f"{many(plan.n, 'number')}, at most {many(plan.depth, 'addition')} in a row")


def draw_revealed(result: Revealed, ax: Axes) -> None:
    """Draw the tree of a black box, or why there is none."""
    if result.plan is None:
        say_no_tree(result, ax)
    else:
        draw_plan(result.plan, ax)
        row = f"at most {result.plan.depth} in a row"
        ax.set_title(f"{result.name} adds {named(result)}, {row}: {result.verdict}")


def named(result: Revealed) -> str:
    """Say what was added, in what."""
    wider = f" in {result.accumulator}" if result.accumulator else ""
    return f"{result.n:,} {result.dtype}{wider}"


def say_no_tree(result: Revealed, ax: Axes) -> None:
    """Fill the axes with the reason why there is no tree."""
    ax.axis("off")
    ax.set_title(f"{result.name}, {result.n:,} {result.dtype}: {result.verdict}")
    why = result.evidence.why
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", wrap=True, fontsize=16)


def draw_tree(
    plan: Plan, ax: Axes, place: Place | None = None, other: npt.NDArray[np.bool_] | None = None
) -> None:
    """Draw a plan's lines, dots and numbers, and say what the axes mean.

    Parameters
    ----------
    plan : Plan
    ax : matplotlib.axes.Axes
    place : Place, optional
        By default all of the picture.
    other : numpy.ndarray of bool, optional
        (nodes,) additions to draw in the second colour.

    Raises
    ------
    FpdriftError
        If the plan has too many inputs.
    """
    if plan.n > MOST_INPUTS:
        message = f"a tree of {plan.n:,} inputs is too large; draw one of {MOST_INPUTS:,} at most"
        raise FpdriftError(message)
    place = place or Place(0, plan.n - 1)
    layout = lay_out(plan)
    x = place.left + place.width / max(plan.n - 1, 1) * layout.x
    marked = np.zeros(plan.nodes, np.bool_) if other is None else other
    small = plan.n <= MOST_DOTS * place.share
    _draw_lines(layout, x, marked, ax, small=small)
    if small:
        _draw_dots(plan, layout, x, marked, ax)
    rows = _name_inputs(layout, x, place.share, ax)
    _dress(plan, rows, ax)


def _draw_lines(
    layout: Layout,
    x: npt.NDArray[np.float64],
    marked: npt.NDArray[np.bool_],
    ax: Axes,
    *,
    small: bool,
) -> None:
    """Join each addition with its terms: slanting lines in a small tree, right angles else."""
    n = len(layout.inputs)
    lines: dict[tuple[bool, bool], list[list[tuple[float, float]]]] = defaultdict(list)
    for node, terms in enumerate(layout.terms, start=n):
        top = float(layout.y[node])
        mark = bool(marked[node - n])
        for kid in terms:
            start = (float(x[kid]), float(layout.y[kid]))
            corner = (float(x[node]) if small else start[0], top)
            lines[mark, kid < n].append([start, corner])
        if not small:
            lines[mark, False].append([(float(x[terms[0]]), top), (float(x[terms[-1]]), top)])
    thick = 1.6 if small else float(np.clip(300 / n, 0.8, 1.2))
    for (mark, stem), segments in lines.items():
        # The stems of many inputs would be a block of colour that hides how they are joined.
        faint = stem and not small
        width, alpha = (0.5, float(np.clip(60 / n, 0.35, 1))) if faint else (thick, 1.0)
        color = "C1" if mark else "C0"
        ax.add_collection(
            LineCollection(segments, colors=color, linewidths=width, alpha=alpha, zorder=2 - faint)
        )


def _draw_dots(
    plan: Plan,
    layout: Layout,
    x: npt.NDArray[np.float64],
    marked: npt.NDArray[np.bool_],
    ax: Axes,
) -> None:
    many = np.diff(plan.starts) > 2
    kinds = (
        ("o", ~many & ~plan.aligned, None),
        ("s", many & ~plan.aligned, "added exactly, rounded once"),
        ("D", plan.aligned, "aligned and truncated"),
    )
    for marker, which, name in kinds:
        for flag, color in ((False, "C0"), (True, "C1")):
            nodes = plan.n + np.flatnonzero(which & (marked == flag))
            if len(nodes):
                face = "white" if flag else color
                ax.plot(
                    *(x[nodes], layout.y[nodes], marker),
                    color=color,
                    markerfacecolor=face,
                    zorder=3,
                    label=None if flag else name,
                )


def _name_inputs(layout: Layout, x: npt.NDArray[np.float64], share: float, ax: Axes) -> int:
    """Write the inputs' numbers or which a branch holds; give the rows that this takes."""
    n = len(layout.inputs)
    left, scale = x.min(), (x[:n].max() - x.min()) / max(n - 1, 1)
    rows = math.ceil(n / (_MOST_NUMBERS * share))
    if rows <= _ROWS:
        names = [(float(place), str(i)) for place, i in enumerate(layout.inputs)]
    else:
        names = branches(layout, max(1, int(_MOST_BRANCHES * share)))
        rows = 2 if len(names) > 2 else 1
    for i, (place, name) in enumerate(names):
        ax.annotate(
            name,
            (left + scale * place, 0),
            xytext=(0, -6 - _ROW * (i % rows)),
            textcoords="offset points",
            ha="center",
            va="top",
        )
    return rows


def _dress(plan: Plan, rows: int, ax: Axes) -> None:
    ax.grid(visible=False, axis="x")
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.set_xlabel("the inputs, by number", labelpad=6 + _ROW * rows)
    ax.set_ylabel("additions in a row")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.autoscale_view()
    ax.set_ylim(0, max(plan.depth * 1.06, ax.get_ylim()[1], 1))
