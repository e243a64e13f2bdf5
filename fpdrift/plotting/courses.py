"""Draw nudged runs: each pair's distance over the steps, a line with a dash and a mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift.plotting.powers import short_power
from fpdrift.plotting.words import many, sized

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.experiments import Courses

_DASHES, _MARKS = ("-", "--", "-.", ":"), "osD^v*P"


def draw_courses(result: Courses, ax: Axes) -> None:
    """Draw distance over steps on log axes; step 0 stands left of step 1, equal weights nowhere."""
    for i, (label, distances) in enumerate(zip(result.labels, result.distance, strict=True)):
        seen = np.where(distances > 0, distances, np.nan)
        same = "" if np.isfinite(seen).any() else " (equal weights)"
        ax.plot(
            result.steps,
            seen,
            _DASHES[i % len(_DASHES)],
            color=f"C{i % 10}",
            linewidth=2,
            marker=_MARKS[i % len(_MARKS)],
            markevery=[-1],
            label=f"{label}{same}",
        )
    ax.set_xscale("symlog", linthresh=1)
    if (result.distance > 0).any():
        ax.set_yscale("log")
    ticks = [t for t in (0, 1, 10, 100) if t < result.last] + [result.last]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    but = "\n(biases of zero gradient left out)" if result.with_noise else ""
    ax.set(xlabel="training step", ylabel=f"relative distance of the weights{but}")
    # from the line that ends highest to the lowest, as they lie beside it
    last = np.nan_to_num(result.distance[:, -1], nan=np.inf)
    handles = [ax.lines[i] for i in np.argsort(-last, kind="stable")]
    ax.legend(handles=handles, title=result.what, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    ax.set_title(f"{_headline(result)}\n{result.title}\n({sized(result.size, result.last)})")


def _headline(result: Courses) -> str:
    """Say how far the pairs lie at the end, of those that can be told; one draw ranks none."""
    known = (np.isfinite(result.distance) & (result.distance > 0)).all(axis=1)
    if not known.any():
        return "No pair can be followed from the first step to the last"
    ends = result.distance[known][:, [0, -1]]
    if result.name == "amplifiers":
        grown = _span(ends[:, 1] / ends[:, 0])
        return f"One nudge each in {many(known.sum(), 'network')} grew {grown} times"
    return f"One draw each: they end {_span(ends[:, 1])} from the plain run"


def _span(values: npt.NDArray[np.float64]) -> str:
    return " to ".join(dict.fromkeys(map(short_power, (values.min(), values.max()))))
