"""Draw two gradients of one loss: how far one step takes them apart, for both kinds of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift.plotting.words import sized

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import Trap

#: What a float32 that is rounded once is off by at most, as a part of itself.
_ROUNDING = 2.0**-24


def draw_trap(result: Trap, ax: Axes) -> None:
    """Draw the distance after one step as bars from the unit roundoff on, on a log axis."""
    for y, path in enumerate(result.paths):
        ax.barh(y, max(path.first, _ROUNDING), 0.5, left=0, color=f"C{y}")
        words = f"{path.first:.1e}: {path.kind}" if path.first else path.kind
        ax.annotate(
            words,
            (max(path.first, _ROUNDING), y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
        )
    ax.axvline(_ROUNDING, color="black", linestyle=":", linewidth=1.6)
    ax.annotate(
        "one rounding of float32",
        (_ROUNDING, -0.45),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
    )
    sums = {"one-hot": "sum to one", "multi-hot": "do not sum to one"}
    labels = [f"labels that\n{sums.get(path.labels, path.labels)}" for path in result.paths]
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.7)
    ax.set_xscale("log")
    ax.set_xlim(_ROUNDING / 10, 1e3)  # room for the words
    ax.set_xticks([1e-8, 1e-6, 1e-4, 1e-2, 1])
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("relative distance of the weights after one step")
    told = "; ".join(f"{path.labels}: {path.kind}" for path in result.paths)
    ax.set_title(
        f"{told.capitalize()}\nOne loss, two gradients ({sized(result.size, result.steps)})"
    )
