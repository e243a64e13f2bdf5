"""Two loops that are equal on paper, and how far each is from 1, beside exact arithmetic."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from fpdrift.experiments import TwoLoops


def draw_two_loops(result: TwoLoops, ax: Axes) -> None:
    """Draw 1 - x over the steps of both loops, and of the ratio that nothing rounded."""
    once, twice = result.quotient.curve(), result.pair.curve()
    start = Decimal(float(result.pair.start))
    steps = twice.steps.tolist()
    exact = [float(start - x) for x in twice.exact or ()]
    lost_once = [float(result.quotient.start) - float(x) for x in once.values]
    lost_twice = [float(result.pair.start) - float(x) for x in twice.values]
    ax.plot(once.steps, lost_once, color="C1")
    ax.plot(steps, lost_twice, color="C0", linewidth=5)
    ax.plot(steps[: len(exact)], exact, "--", color="black", linewidth=1.6)
    _name(ax, "x *= A / B", steps, lost_once, at=0.5, offset=(-40, 30), color="C1")
    _name(ax, "x *= A;  x /= B", steps, lost_twice, at=0.66, offset=(20, -70), color="C0")
    if exact:
        _name(ax, "exact arithmetic", steps, exact, at=0.42, offset=(20, -70), color="black")
    ax.set_xlim(0, result.pair.steps)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("steps")
    ax.set_ylabel(f"{result.pair.start!s} − x")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(
            FuncFormatter(lambda number, _: f"{number:.1e}" if number else "0")
        )
    title = "Equal on paper: one loop rounds once a step, the other twice"
    if exact and exact[-1]:
        once_off, twice_off = (
            100 * abs(end / exact[-1] - 1) for end in (lost_once[-1], lost_twice[-1])
        )
        title = f"{title}\n(off exact arithmetic by {once_off:.2g} % and by {twice_off:.2g} %)"
    ax.set_title(title)


def _name(
    ax: Axes,
    name: str,
    steps: Sequence[int],
    lost: Sequence[float],
    *,
    at: float,
    offset: tuple[int, int],
    color: str,
) -> None:
    """Write a line's name and its end beside the line."""
    point = round(at * (len(lost) - 1))
    ax.annotate(
        f"{name}\nends at {lost[-1]:.8e}",
        (steps[point], lost[point]),
        xytext=offset,
        textcoords="offset points",
        color=color,
        ha="right" if offset[0] < 0 else "left",
        arrowprops={"arrowstyle": "-", "color": color},
    )
