"""A pair's growth as it was understood: its jumps, the law between them, floor and plateau."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift.plotting.growth import mark_first_difference

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.drift import Growth, Jump, Level

#: Jumps whose place is written out; the others are marked.
_MOST_WRITTEN = 4


def draw_course(result: Growth, ax: Axes) -> None:
    """Draw a distance over the steps with its first difference, its jumps and its law."""
    seen = np.isfinite(result.distance) & (result.distance > 0)
    if not seen.any():
        text = str(result).replace("; ", "\n")
        ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=18)
        ax.set_title("Nothing grows")
        ax.set_axis_off()
        return
    ax.plot(result.steps, np.where(seen, result.distance, np.nan), "o-", color="C0", markersize=5)
    if result.trend.rate is not None or result.kind == "flat":
        ax.plot(result.steps, result.fitted, "--", color="black", linewidth=1.6)
    weights = " with a gradient" if result.without_zero_gradient else ""
    ax.set(xlabel="training step", ylabel=f"relative distance of weights{weights}", yscale="log")
    ax.margins(y=0.1)
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top)
    if result.first_difference is not None:
        distance = dict(zip(result.steps[seen], result.distance[seen], strict=True))
        mark_first_difference(ax, result.first_difference, distance.get(result.first_difference))
    for word, level, below in (("floor", result.floor, True), ("plateau", result.plateau, False)):
        if level is not None:
            _draw_level(word, level, ax, below=below)
    if result.kind == "bends":
        _write_slopes(result, ax)
    written = sorted(result.jumps, key=lambda jump: -jump.factor)[:_MOST_WRITTEN]
    for jump in result.jumps:
        _draw_jump(result, jump, ax, written=jump in written)
    ax.set_title(_title(result))


def _title(result: Growth) -> str:
    count = len(result.jumps)
    jumps = f"{count} jump{'' if count == 1 else 's'}" if count else "no jump"
    law = (
        f"law between: {result.kind}"
        if result.kind == "cannot tell"
        else f"{result.trend}{': it bends' * result.bend_seen}"
    )
    return f"Growth: {jumps}; {law}"


def _write_slopes(result: Growth, ax: Axes) -> None:
    """List the slope of each decade where a rising curve leaves room, at the bottom right."""
    lines = [f"{part.first} to {part.last}: {part}" for part in result.slopes]
    text = "\n".join(["exponent at steps", *lines])
    ax.text(0.97, 0.05, text, transform=ax.transAxes, ha="right", va="bottom")


def _draw_level(word: str, level: Level, ax: Axes, *, below: bool) -> None:
    """Lay a band over a level; the curve leaves room below a floor and above a plateau."""
    ax.plot([level.first, level.last], [level.distance] * 2, color="C2", linewidth=7, alpha=0.4)
    ax.annotate(
        f"{word} {level.distance:.1e}",
        (level.last, level.distance),
        xytext=(0, -12 if below else 12),
        textcoords="offset points",
        ha="left" if below else "right",
        va="top" if below else "bottom",
        color="C2",
    )


def _draw_jump(result: Growth, jump: Jump, ax: Axes, *, written: bool) -> None:
    """Draw the rise of a jump, and write beside it what jumped."""
    rows = np.searchsorted(result.steps, [jump.previous, jump.step])
    before, after = result.distance[rows]
    ax.plot([jump.previous, jump.step], [before, after], color="C1", linewidth=5)
    if not written:
        return
    lines = [f"×{jump.factor:.3g} at step {jump.step}"]
    if jump.tensor is not None:
        lines.append(jump.tensor if jump.unit is None else f"{jump.tensor}, unit {jump.unit}")
    ax.annotate(
        "\n".join(lines),
        (jump.step, np.sqrt(before * after)),
        xytext=(10, 0),
        textcoords="offset points",
        va="center",
        color="C1",
        bbox={"color": "white", "alpha": 0.8, "pad": 1},
    )
