"""Draw the ReLU gate behind a jump: its input in both runs, and the resulting distance by unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift._kinds import pictures
from fpdrift.experiments._study import at_most
from fpdrift.plotting._studies import draw_study
from fpdrift.plotting._style import sized

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import OneGate
    from fpdrift.step_debug import Gate, Gates

#: Most units to draw as bars, those with the largest shares.
_MOST_BARS = 12


@pictures.register
def draw_gates(result: Gates, ax: Axes) -> None:
    """Draw the gate at the kink of its ReLU, and the share of each unit in the squared distance."""
    ax.set_axis_off()
    ax.set_title(_title(result))
    left, right = ax.inset_axes((0.02, 0, 0.46, 0.86)), ax.inset_axes((0.62, 0, 0.38, 0.86))
    if result.gate is None:
        left.set_axis_off()
        left.text(0.5, 0.5, _nothing(result), transform=left.transAxes, ha="center", va="center")
    else:
        _draw_kink(result.gate, left)
    _draw_shares(result, right)


@pictures.register
def draw_one_gate(result: OneGate, ax: Axes) -> None:
    """Draw the gate of a study, or its runs if there is none."""
    if result.gates is None:
        draw_study(result.study, ax)
    else:
        draw_gates(result.gates, ax)
        size = sized(result.study.size, result.study.steps)
        ax.set_title(f"{ax.get_title('left')}\nRun A: 1 thread, run B: 2 threads ({size})")


def _title(result: Gates) -> str:
    where = "One batch" if result.step is None else f"Step {result.step}"
    total = sum(layer.gates for layer in result.layers)
    count = f"({result.changed:,} of {total:,} changed)"
    if result.gate is None:
        return f"{where}: no gate of the unit that diverged changed {count}"
    return f"{where}: a ReLU is open only in run {result.gate.open_in.upper()} {count}"


def _nothing(result: Gates) -> str:
    if result.unit is None:
        return "no weights diverged"
    return f"{result.layer}, unit {result.unit}:\nopen for the same\nsamples in both runs"


def _draw_kink(gate: Gate, ax: Axes) -> None:
    """Draw the ReLU around zero, with the input of each run."""
    reach = 2.4 * gate.from_zero or 1.0
    ax.plot([-reach, 0, reach], [0, 0, reach], color="0.6", linewidth=5, solid_capstyle="butt")
    ax.axvline(0, color="black", linewidth=1)
    for number, (run, value) in enumerate((("A", gate.value_a), ("B", gate.value_b))):
        x = -reach / 2 if value is None else value
        state = "open" if x > 0 else "closed"
        filled = "none" if value is None else "full"  # an unknown input on this side
        ax.plot(x, max(x, 0), "o", color=f"C{number}", markersize=14, fillstyle=filled)
        ax.annotate(
            f"run {run}: {state}\n" + ("unknown" if value is None else f"{value:.1e}"),
            (x, max(x, 0)),
            xytext=(14, -2) if x > 0 else (12, -14),
            textcoords="offset points",
            ha="left" if x > 0 else "right",
            va="top",
            color=f"C{number}",
        )
    pixel = f", pixel {gate.pixel}" if gate.pixel else ""
    ax.set_title(f"{gate.layer}, unit {gate.unit}\nsample {gate.sample}{pixel}")
    times = gate.from_zero / gate.spread if gate.spread else np.inf
    ax.set(
        xlabel=f"input (within {at_most(times)} standard deviations of 0)",
        ylabel="output",
        xlim=(-reach, reach),
        ylim=(-0.4 * reach, 1.1 * reach),
    )
    ax.set_xticks([0])
    ax.set_yticks([0])


def _draw_shares(result: Gates, ax: Axes) -> None:
    """Draw the largest shares as bars, with the unit's own in a different colour."""
    most = np.argsort(-result.shares, kind="stable")[:_MOST_BARS]
    colours = ["C2" if unit == result.unit else "0.7" for unit in most]
    ax.bar(range(len(most)), 100 * result.shares[most], color=colours)
    ax.set_xticks(range(len(most)), [str(unit) for unit in most], rotation=90)
    if result.unit is not None and result.share is not None:
        ax.annotate(
            f"unit {result.unit}: {_percent(result.share)}",
            (list(most).index(result.unit), 100 * result.share),
            xytext=(18, -6),
            textcoords="offset points",
            va="top",
            color="C2",
        )
    rest = len(result.shares) - len(most)
    more = f" ({rest} smaller ones omitted)" if rest else ""
    ax.set(xlabel=f"unit{more}", ylabel="% of the layer's squared distance", ylim=(0, 105))
    ax.set_title("after the step")


def _percent(share: float) -> str:
    """Format a share as a percentage; a share just below 1 is not printed as 100 %."""
    return "over 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.3g} %"
