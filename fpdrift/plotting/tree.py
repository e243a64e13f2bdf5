"""Draw the tree in which numbers are added: inputs at the bottom, the sum at the top."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from fpdrift.errors import FpdriftError
from fpdrift.plotting.layout import Layout, branches, lay_out

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.reduction import Plan

#: Up to here each addition is a dot; up to the next each input has its number.
_MOST_DOTS = 64
_MOST_LABELS = 36
#: More than this is a grey block on any screen.
_MOST_INPUTS = 2**14
#: Names of branches that fit side by side.
_MOST_BRANCHES = 8


def draw_tree(plan: Plan, ax: Axes) -> None:
    """Draw a plan."""
    draw_branches(plan, ax)
    ax.set_title(f"{plan.n:,} numbers, {in_a_row(plan)}" if plan.n > 1 else "1 number, no addition")


def draw_branches(
    plan: Plan,
    ax: Axes,
    *,
    left: float = 0,
    width: float | None = None,
    other: npt.NDArray[np.bool_] | None = None,
    room: float = 1,
) -> None:
    """Draw a plan's lines, dots and numbers, and say what the axes mean.

    Parameters
    ----------
    plan : Plan
    ax : matplotlib.axes.Axes
    left, width : float
        Where its inputs stand; n - 1 wide by default.
    other : numpy.ndarray of bool, optional
        (nodes,) additions to draw in the second colour.
    room : float, default 1
        The share of the axes that this tree has, which decides what can be labelled.
    """
    if plan.n > _MOST_INPUTS:
        message = f"a tree of {plan.n:,} inputs cannot be drawn; draw one of {_MOST_INPUTS:,}"
        raise FpdriftError(message)
    layout = lay_out(plan)
    scale = 1.0 if width is None else width / max(plan.n - 1, 1)
    x = left + scale * layout.x
    marked = np.zeros(plan.nodes, np.bool_) if other is None else other
    small = plan.n <= _MOST_DOTS * room
    _draw_lines(layout, x, marked, ax, small=small)
    if small:
        _draw_dots(plan, layout, x, marked, ax)
    _name_inputs(layout, left, scale, room, ax)
    _dress(plan, ax)


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
            face = "white" if flag else color
            if len(nodes):
                look = {"marker": marker, "c": face, "edgecolors": color, "label": name}
                ax.scatter(x[nodes], layout.y[nodes], 60, zorder=3, **look)
    if many.any() or plan.aligned.any():
        ax.legend(loc="best")


def _name_inputs(layout: Layout, left: float, scale: float, room: float, ax: Axes) -> None:
    """Write the inputs' numbers, or which the branches hold, under them."""
    n = len(layout.inputs)
    if n <= _MOST_LABELS * room:
        names = [(float(place), str(i)) for place, i in enumerate(layout.inputs)]
    else:
        names = branches(layout, max(1, int(_MOST_BRANCHES * room)))
    size = 11 if n > 12 * room else 14
    for place, name in names:
        ax.annotate(
            name,
            (left + scale * place, 0),
            xytext=(0, -6),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=size,
        )


def _dress(plan: Plan, ax: Axes) -> None:
    ax.grid(visible=False, axis="x")
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.set_xlabel("the inputs, by number", labelpad=22)
    ax.set_ylabel("additions in a row")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.autoscale_view()
    ax.set_ylim(0, max(plan.depth * 1.06, 1))


def in_a_row(plan: Plan) -> str:
    """Say how many additions wait for one another."""
    return "1 addition" if plan.depth == 1 else f"at most {plan.depth:,} additions in a row"
