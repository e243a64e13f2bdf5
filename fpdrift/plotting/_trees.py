"""Draw summation trees, one alone or two side by side, with the inputs below and the sum on top."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from fpdrift._kinds import pictures
from fpdrift.errors import FpdriftError
from fpdrift.plotting._style import many

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.reduction import Plan
    from fpdrift.reduction._reveal import Revealed, SameOrder

#: A branch with less than this share of all inputs gets no label.
_SMALLEST_BRANCH = 1 / 16


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions of inputs (0 to n - 1) and additions (from n on), without crossing lines."""

    #: (n + nodes,) 0 to n - 1 from left to right; an addition is centred above its terms
    x: npt.NDArray[np.float64]
    #: (n + nodes,) 0 for an input, else the number of additions on the longest path up to here
    y: npt.NDArray[np.int64]
    #: (n,) the inputs from left to right
    inputs: npt.NDArray[np.int64]
    #: (n + nodes,) first position of the inputs below, and their number
    first: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    #: the terms of each addition, from left to right
    terms: tuple[list[int], ...]


def lay_out(plan: Plan) -> Layout:
    """Arrange a plan so that the inputs of each branch are next to each other."""
    n, total = plan.n, plan.n + plan.nodes
    kids = plan.children.tolist()
    terms = tuple(kids[begin:end] for begin, end in pairwise(plan.starts.tolist()))
    size = [1] * n
    for mine in terms:
        size.append(sum(size[kid] for kid in mine))
    first = [0] * total
    for node in range(total - 1, n - 1, -1):
        place = first[node]
        for kid in terms[node - n]:
            first[kid] = place
            place += size[kid]
    x: list[float] = [float(place) for place in first[:n]]
    for mine in terms:
        x.append((x[mine[0]] + x[mine[-1]]) / 2)
    heights = np.repeat(np.arange(1, len(plan.levels)), np.diff(plan.levels))
    return Layout(
        x=np.array(x),
        y=np.concatenate([np.zeros(n, np.int64), heights]),
        inputs=np.argsort(first[:n]),
        first=np.array(first),
        size=np.array(size),
        terms=terms,
    )


def branches(layout: Layout, most: int) -> list[tuple[float, str]]:
    """Return labels for the largest branches: (middle position, such as ``"0 ... 127"``)."""
    n = len(layout.inputs)
    whole: list[int] = [n + len(layout.terms) - 1]
    while (splittable := _largest_fork(layout, whole, most)) is not None:
        node, large = splittable
        place = whole.index(node)
        whole[place : place + 1] = large
    named = (_branch(layout, node) for node in whole)
    return [(place, name) for place, name in named if name]


def _largest_fork(layout: Layout, nodes: list[int], most: int) -> tuple[int, list[int]] | None:
    """Return the largest node that adds two or more large branches, and these branches."""
    n = len(layout.inputs)
    for node in sorted(nodes, key=lambda k: -layout.size[k]):
        large = _large_below(layout, node)
        if len(large) > 1 and len(nodes) + len(large) - 1 <= most:
            return node, large
        if layout.size[node] < 2 * n * _SMALLEST_BRANCH:
            break
    return None


def _large_below(layout: Layout, node: int) -> list[int]:
    """Return the large terms of a node, skipping additions of one large branch and few inputs."""
    n = len(layout.inputs)
    while node >= n:
        large = [k for k in layout.terms[node - n] if layout.size[k] >= n * _SMALLEST_BRANCH]
        if len(large) != 1:
            return large
        node = large[0]
    return []


def _branch(layout: Layout, node: int) -> tuple[float, str]:
    start, size = int(layout.first[node]), int(layout.size[node])
    return start + (size - 1) / 2, _named(np.sort(layout.inputs[start : start + size]))


def _named(inputs: npt.NDArray[Any]) -> str:
    """Return evenly spaced inputs as a range, and an empty text for others."""
    steps = np.unique(np.diff(inputs))
    if len(steps) > 1:
        return ""
    if len(inputs) < 3:
        return ", ".join(str(i) for i in inputs)
    start = str(inputs[0]) if steps[0] == 1 else f"{inputs[0]}, {inputs[1]}"
    return f"{start} … {inputs[-1]}"


#: Most inputs for which each addition is a dot.
MOST_DOTS = 72
#: Most input numbers and branch labels that fit side by side.
_MOST_NUMBERS = 28
_MOST_BRANCHES = 8
#: Rows of numbers, and their distance in points.
_ROWS, _ROW = 3, 17
#: Most inputs to draw; more would be a grey block on any screen.
MOST_INPUTS = 2**14


@dataclass(frozen=True, slots=True)
class Place:
    """The part of the picture that a tree occupies."""

    left: float
    #: from the first input to the last
    width: float
    #: share of the width of the picture
    share: float = 1


@pictures.register
def draw_plan(plan: Plan, ax: Axes) -> None:
    """Draw a plan."""
    draw_tree(plan, ax)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="best")
    ax.set_title(f"{many(plan.n, 'number')}, at most {many(plan.depth, 'addition')} in a row")


@pictures.register
def draw_revealed(result: Revealed, ax: Axes) -> None:
    """Draw the tree of a black box, or the reason why there is none."""
    if result.plan is None:
        say_no_tree(result, ax)
    else:
        draw_plan(result.plan, ax)
        row = f"at most {result.plan.depth} in a row"
        ax.set_title(f"{result.name} adds {named(result)}, {row}: {result.verdict}")


def named(result: Revealed) -> str:
    """Describe the inputs and the accumulator of a black box."""
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
    """Draw the lines, dots and numbers of a plan, and label the axes.

    Parameters
    ----------
    plan : Plan
    ax : matplotlib.axes.Axes
    place : Place, optional
        By default, the whole picture.
    other : numpy.ndarray of bool, optional
        (nodes,) additions to draw in the second colour.

    Raises
    ------
    FpdriftError
        If the plan has too many inputs.
    """
    if plan.n > MOST_INPUTS:
        message = f"a tree of {plan.n:,} inputs is too large; draw at most {MOST_INPUTS:,} inputs"
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
    """Connect each addition to its terms: by slanted lines in a small tree, else right angles."""
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
        # the stems of many inputs would form a block of colour that hides the tree
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
    """Label the inputs or the branches, and return the number of rows of labels."""
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
    ax.set_xlabel("inputs, by index", labelpad=6 + _ROW * rows)
    ax.set_ylabel("additions in a row")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.autoscale_view()
    ax.set_ylim(0, max(plan.depth * 1.06, ax.get_ylim()[1], 1))


#: Width of a tree, start of the second one, and share of the picture.
_WIDTH, _SECOND, _SHARE = 1.0, 1.15, 0.45
#: Height of the axis label in points.
_LABEL = 22
#: Most inputs of a tree with dots.
_MOST_DOTS = int(MOST_DOTS * _SHARE)


@pictures.register
def draw_same_order(result: SameOrder, ax: Axes) -> None:
    """Draw both trees: partial sums in both filled and blue, in only one open and orange."""
    plans = [box.plan for box in (result.first, result.second) if box.plan is not None]
    if len(plans) < 2:
        say_no_tree(result.first if result.first.plan is None else result.second, ax)
        return
    sets = [_input_sets(plan) for plan in plans]
    for i, (plan, found) in enumerate(zip(plans, (result.first, result.second), strict=True)):
        alone = ~np.isin(sets[i], sets[1 - i])
        draw_tree(plan, ax, Place(i * _SECOND, _WIDTH, _SHARE), alone)
        ax.text(
            *(i * _SECOND + _WIDTH / 2, 1.0, found.name),
            transform=ax.get_xaxis_transform(),
            ha="center",
            va="bottom",
            weight="bold",
        )
    ax.set_ylim(0, 1.06 * max(plans[0].depth, plans[1].depth, 1))
    same = {
        True: "the same order",
        False: "different orders",
        None: "the orders are not both confirmed",
    }
    ax.set_title(f"{result.n:,} {result.dtype} numbers: {same[result.same]}", pad=30)
    _explain(result, ax)


def _input_sets(plan: Plan) -> npt.NDArray[np.uint64]:
    """Return a number for each addition that identifies the set of inputs below it, (nodes,)."""
    layout = lay_out(plan)
    codes = np.random.default_rng(0).integers(2**64, size=plan.n, dtype=np.uint64)
    before = np.concatenate([[np.uint64(0)], np.cumsum(codes[layout.inputs], dtype=np.uint64)])
    first, size = layout.first[plan.n :], layout.size[plan.n :]
    sets: npt.NDArray[np.uint64] = before[first + size] - before[first]
    return sets


def _explain(result: SameOrder, ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    if result.only_first or result.only_second:
        dot = "o" if result.n <= _MOST_DOTS else ""
        shown["partial sums in both"] = Line2D([], [], color="C0", marker=dot)
        shown["only in this one"] = Line2D([], [], color="C1", marker=dot, markerfacecolor="white")
    below = ScaledTranslation(0, -(ax.xaxis.labelpad + _LABEL) / 72, ax.figure.dpi_scale_trans)
    if shown:
        ax.legend(
            *([*shown.values()], [*shown]),
            ncols=len(shown),
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            bbox_transform=ax.transAxes + below,
        )
