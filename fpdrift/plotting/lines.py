"""The loss and a metric of several runs as thin lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.drift import RunCurves

#: So that runs that lie on each other are seen to.
_DASHES = ("-", "--", "-.", ":")
#: With more runs than this, their names would hide the lines.
_MOST_NAMED = 7
_LONGEST = 27


def draw_run_curves(result: RunCurves, ax: Axes) -> None:
    """Draw the loss of all runs and, where all report one, a metric below it."""
    upper = lower = ax
    what = "Loss"
    if result.metric is not None:
        what = f"Loss and {result.metric}"
        ax.set_axis_off()
        upper = ax.inset_axes((0, 0.42, 1, 0.58))
        lower = ax.inset_axes((0, 0, 1, 0.36), sharex=upper)
        upper.tick_params(labelbottom=False)
        lower.set_ylabel(_short(result.metric), parse_math=False)
        _lines(lower, result.steps, result.values, result.labels)
    ax.set_title(f"{what} of {len(result.labels)} runs", parse_math=False)
    upper.set_ylabel(_loss_name(result))
    lower.set_xlabel("training step")
    if not _lines(upper, result.steps, result.loss, result.labels):
        upper.text(0.5, 0.5, "no loss was recorded", transform=upper.transAxes, ha="center")
    if len(result.labels) <= _MOST_NAMED:
        names = upper.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
        for text in names.get_texts():
            text.set_parse_math(False)


def _loss_name(result: RunCurves) -> str:
    kinds = {*result.loss_kinds}
    return "loss of the step" if kinds == {"step"} else f"loss ({', '.join(sorted(kinds))})"


def _lines(
    ax: Axes,
    steps: Sequence[npt.NDArray[np.int64]],
    values: Sequence[npt.NDArray[np.float64]],
    labels: Sequence[str],
) -> bool:
    """Draw one thin line a run; say whether there was anything to draw."""
    for number, (x, y, label) in enumerate(zip(steps, values, labels, strict=True)):
        known = np.isfinite(y)
        dash = _DASHES[number % len(_DASHES)]
        ax.plot(x[known], y[known], dash, linewidth=1.2, color=f"C{number}", label=_short(label))
    return any(np.isfinite(y).any() for y in values)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
