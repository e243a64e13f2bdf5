"""Which share of differences is still there, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from fpdrift.plotting.words import many, sized

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.drift import Survival
    from fpdrift.experiments import UlpSurvival


def draw_survival(result: Survival, ax: Axes) -> None:
    """Draw the share left as stairs; a tick where the watching of one ended; a band from 6 on."""
    ends = [*result.steps[-1:], *result.censored[-1:]]
    last = max(1, *ends)
    steps = np.array([0, *result.steps, last])
    # a stair holds from its step up to the next one
    share = np.array([1.0, *result.share, *(result.share[-1:] if result.events else [1.0])])
    low, high = np.array([result.band(int(step)) for step in steps]).T
    banded = bool(np.isfinite(low).any())
    if banded:
        ax.fill_between(steps, low, high, step="post", color="C0", alpha=0.2, linewidth=0)
    ax.plot(steps, share, drawstyle="steps-post", color="C0")
    height = share[np.searchsorted(steps[:-1], result.censored, side="right") - 1]
    ax.plot(result.censored, height, "|", color="black", markersize=13, markeredgewidth=1.6)
    if result.median is not None:
        ax.plot([0, result.median], [0.5, 0.5], ":", color="black", linewidth=1.6)
        ax.annotate(
            f"half by step {result.median}",
            (result.median, 0.5),
            xytext=(10, 8),
            textcoords="offset points",
        )
    key = ["band: 95 %"] * banded
    key += ["tick: still there when its run ended"] * bool(len(result.censored))
    more = f" ({'; '.join(key)})" if key else ""
    ax.set(xlabel=f"steps after the nudge{more}", ylabel="share of nudges still there")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    ax.set_xlim(0, 1.02 * last)
    ax.set_ylim(0, 1.05)
    within = "within" if len({*result.censored.tolist()}) < 2 else "within at most"
    its = result.absorbed_interval
    between = f" (95 %: {100 * its.low:.0f} to {100 * its.high:.0f} %)" if its else ""
    told = f"{result.events} of {many(result.n, 'nudge')} absorbed {within}"
    ax.set_title(f"{told} {many(max(ends), 'step')}{between}")


def draw_ulp_survival(result: UlpSurvival, ax: Axes) -> None:
    """Draw the nudges' survival; say how large the study was."""
    draw_survival(result.survival, ax)
    size = sized(result.study.size, result.study.steps)
    ax.set_title(f"{ax.get_title('left')}\nEach of one ulp in one weight ({size})")
