"""Draw the trees of two black boxes side by side, with the additions that only one makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from fpdrift.plotting.layout import lay_out
from fpdrift.plotting.tree import MOST_DOTS, Place, draw_tree, say_no_tree

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.reduction import Plan
    from fpdrift.reduction.revealing import SameOrder

#: Width of a tree, where the second begins, and a tree's share of the picture.
_WIDTH, _SECOND, _SHARE = 1.0, 1.15, 0.45
#: Points that the label of the axis takes.
_LABEL = 22
#: Larger trees have no dots.
_MOST_DOTS = int(MOST_DOTS * _SHARE)


def draw_same_order(result: SameOrder, ax: Axes) -> None:
    """Draw both trees; filled and blue is what both add up, open and orange what one of them."""
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
        None: "not both orders are confirmed",
    }
    ax.set_title(f"{result.n:,} {result.dtype} numbers: {same[result.same]}", pad=30)
    _explain(result, ax)


def _input_sets(plan: Plan) -> npt.NDArray[np.uint64]:
    """Give each addition a number that tells which inputs it has added up, (nodes,)."""
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
        shown["both add up these inputs"] = Line2D([], [], color="C0", marker=dot)
        shown["only this one does"] = Line2D(
            [], [], color="C1", marker=dot, markerfacecolor="white"
        )
    below = ScaledTranslation(0, -(ax.xaxis.labelpad + _LABEL) / 72, ax.figure.dpi_scale_trans)
    if shown:
        ax.legend(
            *([*shown.values()], [*shown]),
            ncols=len(shown),
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            bbox_transform=ax.transAxes + below,
        )
