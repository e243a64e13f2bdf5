"""Draw how many elements of a threaded operation's result change from try to try, and how far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift.plotting.words import many

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.reduction.threads import OperationRun, ThreadOperation

#: Larger spreads share the last bar.
_MOST = 12


def draw_thread_operation(result: ThreadOperation, ax: Axes) -> None:
    """Draw bars: so many elements whose lowest and highest results are so many ulps apart."""
    width = 0.84 / len(result.runs)
    most = min(_MOST, max(run.spread for run in result.runs))
    for i, run in enumerate(result.runs):
        spreads = np.minimum(np.atleast_1d(run.spreads).ravel(), most).astype(np.int64)
        counts = np.bincount(spreads, minlength=most + 1)
        x = np.arange(most + 1) + width * (i - (len(result.runs) - 1) / 2)
        ax.bar(x, counts, width, color=f"C{i % 6}", label=_told(run))
        for place, count in zip(x, counts, strict=True):
            if count and len(result.runs) <= 2:
                ax.text(place, count, f"{count:,}", ha="center", va="bottom")
    beyond = max(run.spread for run in result.runs) > most
    names = [str(k) for k in range(most + 1)]
    ax.set_xticks(range(most + 1), [*names[:-1], f"{most}+"] if beyond else names)
    if most < 2:  # one bar must not fill the picture
        ax.set_xlim(-1.5, most + 1.5)
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("ulps between an element's lowest and highest result")
    ax.set_ylabel(f"of {many(result.exact.size, 'element')}")
    ax.set_title(f"{result.operation} of {result.n:,} {result.dtype}, {result.tries:,} tries each")
    ax.legend(loc="best")


def _told(run: OperationRun) -> str:
    return f"{many(run.threads, 'thread')}: {many(run.distinct, 'result')}"
