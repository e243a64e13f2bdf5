"""Draw what each way to the same bits costs, and whether it gave them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift.plotting.words import many

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.reduction.threads import Strategies


def draw_strategies(result: Strategies, ax: Axes) -> None:
    """Draw a bar of time for each strategy, with what it gave beside it."""
    rows = list(reversed(result.rows))
    for y, row in enumerate(rows):
        ax.barh(y, row.times_arrival, 0.6, color="C0" if row.results == 1 else "C1")
        found = many(row.results, "result")
        if row.results == 1:
            found += ", by design" if row.same_bits else ", not promised"
        else:
            found += f", {many(row.spread, 'ulp')} wide"
        ax.annotate(
            f"{row.times_arrival:.2g} times: {found}",
            (row.times_arrival, y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    ax.set_yticks(range(len(rows)), [row.name.replace(" ", "\n", 1) for row in rows])
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.axvline(1, color="black", linestyle=":", linewidth=1.6)
    ax.set_xlim(0, 1.9 * max(row.times_arrival for row in rows))
    ax.set_xlabel("time, as a multiple of adding in order of arrival")
    times = [row.times_arrival for row in rows if row.same_bits]
    ax.set_title(
        f"The same bits in {min(times):.2g} to {max(times):.2g} times the time\n"
        f"({result.operation} of {result.n:,} {result.dtype})"
    )
