"""Tensors by steps: grey where two runs have the same bits, else a colour for how far apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from fpdrift.plotting.powers import write_powers

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.drift import TensorMatrix

#: Equal bits, and bits that differ by an unknown distance.
_EQUAL, _UNKNOWN = "0.87", "#CC79A7"
#: Height of a row: weights are looked at first.
_HEIGHTS = {"weight": 1.0, "statistic": 0.6, "slot": 0.3, "seed": 0.6}
#: Rows' heights that a line of text takes, as a part of all of them.
_LINE = 1 / 20
_LONGEST = 24


def draw_tensor_matrix(result: TensorMatrix, ax: Axes) -> None:
    """Draw every tensor as a row and every step as a column; rings mark the first difference."""
    tops = np.concatenate([[0.0], np.cumsum([_HEIGHTS[role] for role in result.roles])])
    steps = result.steps.astype(np.float64)
    # a column reaches from behind the one before it up to its own step
    edges = np.concatenate([[steps[0] - 1], steps]) + 0.5
    flat = ListedColormap([_EQUAL, _UNKNOWN])
    ax.pcolormesh(edges, tops, result.differs, cmap=flat, vmin=0, vmax=1, rasterized=True)
    shades = np.ma.masked_invalid(np.where(result.distance > 0, result.distance, np.nan))
    if shades.count():
        low, high = shades.min(), shades.max()
        norm = LogNorm(low, high if high > low else 10 * low)
        mesh = ax.pcolormesh(edges, tops, shades, cmap="cividis", norm=norm, rasterized=True)
        bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02)
        write_powers(bar.ax.yaxis)
        bar.set_label("relative distance of the tensor")
    ax.set_ylim(tops[-1], 0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=False)
    pair = f"{_short(result.name_b)} against {_short(result.name_a)}"
    ax.set_xlabel(f"training step ({pair})", parse_math=False)
    _name_rows(result, tops, ax)
    _mark_first(result, tops, ax)
    _explain_colours(result, ax)
    ax.set_title(_title(result))


def _title(result: TensorMatrix) -> str:
    """Write a sentence a line: beside the tensors' names there is room for some 50 letters."""
    count = len(result.tensors)
    if result.first_step is None:
        return f"{count} tensors at {result.recorded} steps: not one bit differs"
    when = f"at step {result.first_step}" if result.first_step else "before step 1"
    first, last = len(result.first_tensors), int(result.differs[:, -1].sum())
    return (
        f"Bits first differ {when}, in {first} of {count} tensors\nAt the end they differ in {last}"
    )


def _name_rows(result: TensorMatrix, tops: npt.NDArray[np.float64], ax: Axes) -> None:
    """Write the weights' names as far as there is room, and one name for each group of others."""
    middles = (tops[1:] + tops[:-1]) / 2
    room = _LINE * tops[-1]
    places: list[float] = []
    names: list[str] = []
    for role in _HEIGHTS:
        rows = [i for i, found in enumerate(result.roles) if found == role]
        if not rows:
            continue
        ax.axhline(tops[rows[0]], color="white", linewidth=3)
        if role != "weight":
            places.append((tops[rows[0]] + tops[rows[-1] + 1]) / 2)
            names.append(f"{len(rows)} {role}{'s' if len(rows) > 1 else ''}")
            continue
        for row in rows:
            if not places or middles[row] - places[-1] >= room:
                places.append(float(middles[row]))
                names.append(_short(result.tensors[row]))
    ax.set_yticks(places, names, parse_math=False)
    ax.tick_params(axis="y", length=0)


def _mark_first(result: TensorMatrix, tops: npt.NDArray[np.float64], ax: Axes) -> None:
    """Ring the tensors that differ first."""
    if result.first_step is None:
        return
    rows = [i for i, name in enumerate(result.tensors) if name in result.first_tensors]
    ax.plot(
        [result.first_step] * len(rows),
        [(tops[row] + tops[row + 1]) / 2 for row in rows],
        "o",
        markersize=10,
        markerfacecolor="none",
        markeredgecolor="#D55E00",
        markeredgewidth=2.4,
        clip_on=False,
        label="first to differ",
    )


def _explain_colours(result: TensorMatrix, ax: Axes) -> None:
    handles = [Patch(color=_EQUAL, label="same bits")]
    if (result.differs & ~(result.distance > 0)).any():
        handles.append(Patch(color=_UNKNOWN, label="other bits, distance not known"))
    rings = ax.get_legend_handles_labels()[0]
    ax.legend(
        handles=[*handles, *rings],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.14),
        ncols=3,
    )


def _short(text: str) -> str:
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= _LONGEST else f"…{text[1 - _LONGEST :]}"
