"""Draw the rounding ledger of two orders: the last bits of every step, and the bits lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from fpdrift._kinds import pictures
from fpdrift.floats import anatomy

if TYPE_CHECKING:
    from fractions import Fraction

    from matplotlib.axes import Axes

    from fpdrift.arithmetic import Order, Orders, Rounding

#: Number of bits drawn before and after the end of the significand.
_KEPT, _FALLEN = 8, 5
#: Start of the columns, in widths of a cell; the steps are left of the bits.
_TAIL, _VALUE, _ROUNDING, _RIGHT = 16.0, 22.2, 35.0, 41.7
#: Most characters of a step and of an order; longer texts are cut at the front.
_STEP, _ORDER = 12, 34
_ONE, _ZERO, _FELL, _DARK = "#0072B2", "#FFFFFF", "#E69F00", "#000000"


@pictures.register
def draw_orders(result: Orders, ax: Axes) -> None:
    """Draw the ledgers of the user's order and of the order whose result differs most from it.

    Each step is a row: the last bits of the rounded significand, then the first bits of the exact
    value that were lost. Bits in which the two results differ are framed.
    """
    chosen = _contrast(result)
    ax.set_axis_off()
    count, results = len(result.orders), len(result.groups)
    ax.set_title(
        f"{_short(result.expression, _ORDER)} in {result.dtype}: {_number(count, 'order')}, "
        f"{_number(results, 'result')}"
    )
    _headings(ax)
    y = 1.0
    differ = _differing(chosen)
    for order in chosen:
        same = sum(order.value.tobytes() == other.value.tobytes() for other in result.orders)
        ax.text(
            _RIGHT,
            y,
            f"{same:,} of {_number(count, 'order')}",
            ha="right",
            va="center",
        )
        y = _block(ax, order, y, differ)
    ax.text(0, y + 0.2, _note(chosen, differ), va="center")
    ax.set(xlim=(0, _RIGHT), ylim=(y + 0.6, -0.5))


def _contrast(result: Orders) -> list[Order]:
    """Return the user's order, and the simplest order with the most different result."""
    own, *others = (group[0] for group in result.groups)
    if others:
        return [own, max(others, key=lambda order: _distance(order, own))]
    return list(result.orders[:2])


def _distance(order: Order, own: Order) -> float:
    """Return the distance between two results; infinite for NaN."""
    gap = abs(float(order.value) - float(own.value))
    return gap if gap == gap else float("inf")


def _differing(chosen: list[Order]) -> set[int]:
    """Return the bit positions, from the last, in which two results of equal exponent differ."""
    found = [anatomy(order.value, order.value.dtype) for order in chosen]
    if len({(a.sign, a.biased_exponent) for a in found}) > 1:
        return set()
    bits = zip(*(a.significand_bits[::-1] for a in found), strict=True)
    return {i for i, column in enumerate(bits) if len(set(column)) > 1}


def _note(chosen: list[Order], differ: set[int]) -> str:
    if len({order.bits for order in chosen}) == 1:
        return ""
    if not differ:
        return "These two results differ in more than their significand."
    if min(differ) >= _KEPT:
        return "These two results differ in earlier bits."
    return "framed: where these two results differ"


def _headings(ax: Axes) -> None:
    ends = _TAIL - 0.5
    for x, text, side in (
        (0, "step", "left"),
        (ends, "last bits kept", "right"),
        (_TAIL, "lost", "left"),
        (_VALUE, "result", "left"),
        (_ROUNDING, "rounded", "left"),
    ):
        ax.text(x, 0, text, ha=side, va="center", color="0.3")


def _block(ax: Axes, order: Order, y: float, differ: set[int]) -> float:
    """Draw one order from `y` on, and return the next free height."""
    ax.axhline(y - 0.5, color="0.6", linewidth=1)
    heading = f"{_short(order.text, _ORDER)} = {order.value!s}"
    ax.text(0, y, heading, va="center", fontsize=15, fontweight="bold", family="monospace")
    steps = order.ledger
    for i, step in enumerate(steps):
        y += 1
        _step(ax, step, y, differ if i + 1 == len(steps) else set())
    return y + 1.1


def _step(ax: Axes, step: Rounding, y: float, framed: set[int]) -> None:
    ax.text(0.3, y, _short(step.text, _STEP), va="center", family="monospace")
    ax.text(_VALUE, y, str(step.rounded), va="center", family="monospace")
    parts = anatomy(step.rounded, step.rounded.dtype)
    if step.exact is None or step.lost is None or parts.ulp is None:
        ax.text(_ROUNDING, y, "not finite", va="center")
        return
    kept = format(parts.significand, f"0{len(parts.significand_bits) + 1}b")
    _cells(ax, kept[-_KEPT:], y, framed)
    if len(kept) > _KEPT:
        ax.text(_TAIL - 0.6 - _KEPT, y, "…", va="center", ha="right")
    if step.lost:
        _fallen(ax, abs(step.exact) / parts.ulp, y)
    ax.text(_ROUNDING, y, _describe_loss(step.lost / parts.ulp), va="center")


def _cells(ax: Axes, bits: str, y: float, framed: set[int]) -> None:
    for i, bit in enumerate(reversed(bits)):
        frame = 3.0 if i in framed else 0.8
        _cell(ax, _TAIL - 1.5 - i, y, bit, _ONE if bit == "1" else _ZERO, frame)


def _fallen(ax: Axes, exact_ulps: Fraction, y: float) -> None:
    """Draw the first bits after the last one kept."""
    behind, rest = divmod(exact_ulps % 1 * 2**_FALLEN, 1)
    for i, bit in enumerate(format(behind, f"0{_FALLEN}b")):
        _cell(ax, _TAIL + i, y, bit, _FELL, 0.8)
    if rest:
        ax.text(_TAIL + _FALLEN, y, "…", va="center")


def _cell(ax: Axes, x: float, y: float, bit: str, colour: str, frame: float) -> None:
    style = "--" if colour == _FELL else "-"
    ax.add_patch(
        Rectangle(
            (x + 0.04, y - 0.4),
            0.92,
            0.8,
            facecolor=colour,
            edgecolor=_DARK,
            linewidth=frame,
            linestyle=style,
            zorder=2 + frame,
        )
    )
    ink = "white" if colour == _ONE else _DARK
    ax.text(x + 0.5, y, bit, ha="center", va="center", color=ink, zorder=9)


def _describe_loss(lost_ulps: Fraction) -> str:
    if not lost_ulps:
        return "nothing lost"
    return f"{'down' if lost_ulps > 0 else 'up'} {abs(float(lost_ulps)):.2f} ulp"


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"…{text[1 - longest :]}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
