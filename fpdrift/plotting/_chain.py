"""Draw chains of repeated operations, with and without rounding."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.ticker import FuncFormatter

from fpdrift._kinds import pictures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.arithmetic import Chain, ChainCurve
    from fpdrift.experiments import TwoLoops

_SIGNS = {"multiply": "×", "divide": "÷", "add": "+", "subtract": "−"}
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS = {3: "thousands", 6: "millions", 9: "billions"}
#: Differences are computed with 50 digits, so that they are not rounded to float64.
_DIGITS = Context(prec=50, traps=[])
#: Larger values overflow an axis.
_LARGEST = 1e300
#: Most characters of a step in the label.
_LONGEST = 48
#: Least distance between the two labels and from the edge, relative to the height of the axes.
_ROOM, _EDGE = 0.2, 0.08


class _Line(NamedTuple):
    """A line of the picture: start minus value at each point, NaN where there is none."""

    lost: npt.NDArray[np.float64]
    name: str
    look: dict[str, Any]

    @property
    def last(self) -> int:
        """Index of the last finite point."""
        return int(np.flatnonzero(np.isfinite(self.lost))[-1])

    @property
    def end(self) -> float:
        """Loss at the last finite point."""
        return float(self.lost[self.last])


@pictures.register
def draw_chain(result: Chain, ax: Axes) -> None:
    """Draw start minus value over the steps: every step rounded, and nothing rounded."""
    curve = result.curve()
    lines = _lines(result, curve)
    along = _exponent(curve.steps[-1:].astype(float)) // 3 * 3
    down = _exponent(np.array([np.nanmax(np.abs(line.lost)) for line in lines]))
    steps = curve.steps / 10.0**along
    for line in lines:
        ax.plot(steps, line.lost / 10.0**down, **line.look)
    ax.set_title(_finding(lines))
    ax.set_xlabel(f"steps of  x {_step(result)}{_unit(along)}")
    ax.set_ylabel(f"{_plain(result.start)} − x{_unit(down)}")
    ax.set_xlim(0, max(steps[-1], 1))
    _name_the_ends(ax, lines, steps, 10.0**down)


def _lines(result: Chain, curve: ChainCurve) -> list[_Line]:
    rounded = _lost(result, (Decimal(float(value)) for value in curve.values))
    exact = _lost(result, curve.exact or ())
    lines = [
        _Line(rounded, "every step rounded", {"color": "C0", "linewidth": 5}),
        # dashed and on top: visible even where both coincide
        _Line(exact, "nothing rounded", {"color": "C1", "linewidth": 2.6, "linestyle": "--"}),
    ]
    return [line for line in lines if np.isfinite(line.lost).any()]


def _lost(result: Chain, values: Iterable[Decimal]) -> npt.NDArray[np.float64]:
    start = _DIGITS.plus(Decimal(float(result.start)))
    lost = np.array([float(_DIGITS.subtract(start, _DIGITS.plus(x))) for x in values], np.float64)
    return np.where(np.abs(lost) < _LARGEST, lost, np.nan)


def _finding(lines: list[_Line]) -> str:
    """Return a title that states the effect of rounding."""
    if not lines:
        return "Nothing finite to draw"
    ends = {line.name: line.end for line in lines}
    exact, rounded = (ends.get(name, 0.0) for name in ("nothing rounded", "every step rounded"))
    if len(lines) < 2 or not exact or not 0 <= rounded / exact < 100:
        return "The effect of rounding every step"
    verb, share = "loses" if exact > 0 else "gains", rounded / exact - 1
    if abs(share) < 0.005:
        return "Rounding every step hardly matters here"
    return f"Rounding every step {verb} {abs(share) * 100:.0f} % {'more' if share > 0 else 'less'}"


def _exponent(values: npt.NDArray[np.float64]) -> int:
    """Return the power of ten to factor out of an axis; 0 for numbers of moderate size."""
    largest = float(values.max(initial=0.0))
    exponent = math.floor(math.log10(largest)) if largest else 0
    return 0 if -2 <= exponent <= 2 else exponent


def _unit(exponent: int) -> str:
    power = f"10{str(exponent).translate(_SUPERSCRIPT)}"
    return f"   (in {_UNITS.get(exponent, power)})" if exponent else ""


def _plain(number: object) -> str:
    return str(number).removesuffix(".0")


def _step(result: Chain) -> str:
    text = " ".join(f"{_SIGNS[name]} {_plain(factor)}" for name, factor in result.factors)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _name_the_ends(
    ax: Axes, lines: list[_Line], steps: npt.NDArray[np.float64], scale: float
) -> None:
    """Label the end of each line with its name and loss, the higher end above."""
    low, high = ax.get_ylim()
    ends = sorted(zip(lines, _amounts(lines), strict=True), key=lambda end: end[0].end)
    heights = [(line.end / scale - low) / (high - low) for line, _ in ends]
    if len(heights) == 2:
        apart = max(heights[1] - heights[0], _ROOM)
        bottom = min(max(sum(heights) / 2 - apart / 2, _EDGE), 1 - _EDGE - apart)
        heights = [bottom, bottom + apart]
    for (line, text), height in zip(ends, heights, strict=True):
        ax.annotate(
            f"{line.name}:\n{text}",
            xy=(steps[line.last], line.end / scale),
            xytext=(1.05, height),
            textcoords="axes fraction",
            color=line.look["color"],
            va="center",
            arrowprops={"arrowstyle": "-", "color": line.look["color"], "relpos": (0, 0.5)},
        )


def _amounts(lines: list[_Line]) -> list[str]:
    """Format the loss of each line with enough digits to distinguish them."""
    ends = [line.end for line in lines]
    digits = range(3, 18) if len(set(ends)) == len(ends) else (3,)
    texts: list[str] = []
    for count in digits:
        texts = [f"{end:.{count}g}" for end in ends]
        if len(set(texts)) == len(ends):
            break
    return texts


@pictures.register
def draw_two_loops(result: TwoLoops, ax: Axes) -> None:
    """Draw 1 - x over the steps of both loops, and of the loop in exact arithmetic."""
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
        title = f"{title}\n(errors: {once_off:.2g} % and {twice_off:.2g} %)"
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
    """Label a line with its name and final value."""
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
