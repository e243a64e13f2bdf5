"""Draw nudges: which weights changed, by their size, and the distances of nudged runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift._kinds import pictures
from fpdrift.perturbation import Binade
from fpdrift.plotting._style import many, short_power, sized

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.experiments import DistanceCurves
    from fpdrift.perturbation import NudgeAccount

#: Most binades with their own bar, from the largest weights down; the rest share one.
_MOST_BARS = 15


@pictures.register
def draw_nudge(account: NudgeAccount, ax: Axes) -> None:
    """Draw a bar per binade: the number of selected weights, and the share that changed."""
    bars, names = _bars(account)
    x = [bar.exponent + 0.5 for bar in bars]
    shares = np.array([100 * bar.changed / bar.meant for bar in bars])
    ax.bar(x, shares, 0.86, color="C0", label="changed")
    ax.bar(
        x,
        100 - shares,
        0.86,
        bottom=shares,
        color="0.9",
        edgecolor="0.45",
        hatch="//",
        linewidth=0,
        label="absorbed: nudge below half an ulp",
    )
    for place, bar in zip(x, bars, strict=True):
        ax.text(place, 102, f"{bar.meant:,}", ha="center", va="bottom", rotation=90)
    middle = (min(x, default=0) + max(x, default=0)) / 2
    if max(x, default=0) < middle + 2:  # one bar must not fill the picture
        ax.set_xlim(middle - 2.5, middle + 2.5)
    ax.set_ylim(0, 155)
    ax.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
    ax.set_ylabel("share of the selected weights")
    ax.set_xticks(list(names), list(names.values()))
    ax.grid(axis="x", visible=False)
    how = account.perturbation
    what = f"largest nudge {how.size:g}" if how.kind == "noise" else how.label
    ax.set_xlabel(f"size of the weight ({what})")
    ax.set_title(_title(account), pad=36)
    if bars:
        _mark_limits(account, ax)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)


def _bars(account: NudgeAccount) -> tuple[list[Binade], dict[float, str]]:
    """Return the bars, with small binades pooled, and the labels of their edges by position."""
    last = max((b.exponent for b in account.binades), default=0)
    bars = [b for b in account.binades if b.exponent > last - _MOST_BARS]
    rest = [b for b in account.binades if b.exponent <= last - _MOST_BARS]
    first = bars[0].exponent if bars else 1
    every = 3 if last - first > 7 else 1
    # if the rest has a bar, its label needs the room of the edge beside it
    edges = range(min(last + 1, 1023), first + bool(rest) - 1, -every)
    names = {float(e): f"{2.0**e:.2g}" for e in edges}
    smaller = Binade(
        exponent=first - 1, meant=sum(b.meant for b in rest), changed=sum(b.changed for b in rest)
    )
    zero = Binade(
        exponent=first - 1 - bool(rest), meant=account.zeros_meant, changed=account.zeros_changed
    )
    for name, bar in (("less", smaller), ("0", zero)):
        if bar.meant:
            bars.append(bar)
            names[bar.exponent + 0.5] = name
    return bars, names


def _mark_limits(account: NudgeAccount, ax: Axes) -> None:
    """Mark the size from which half an ulp exceeds every nudge, if it is within the limits."""
    left, right = ax.get_xlim()
    several = len(account.half_ulp_exponents) > 1
    for i, (dtype, exponent) in enumerate(account.half_ulp_exponents.items()):
        if left < exponent < right:
            ax.axvline(exponent, color="C1", linestyle="--")
            note = f"half an ulp{f' of {dtype}' if several else ''} exceeds every nudge"
            late = exponent > (left + right) / 2
            ax.text(
                exponent + (-0.15 if late else 0.15),
                153 - 12 * i,
                f"{note} →" if late else f"→ {note}",
                ha="right" if late else "left",
                va="top",
                color="C1",
                weight="bold",
            )


def _title(account: NudgeAccount) -> str:
    meant, absorbed = account.meant, account.absorbed
    if not meant:
        return "No weight was selected"
    if meant == 1:
        return f"The one nudged weight {'did not change' if absorbed else 'changed'}"
    if not absorbed:
        return f"All {meant:,} nudged weights changed"
    if absorbed == meant:
        return f"None of {meant:,} nudged weights changed"
    return f"{absorbed:,} of {meant:,} nudged weights did not change"


_DASHES, _MARKS = ("-", "--", "-.", ":"), "osD^v*P"


@pictures.register
def draw_courses(result: DistanceCurves, ax: Axes) -> None:
    """Draw distance over steps on log axes, with step 0 left of step 1; zeros are omitted."""
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
    but = "\n(without biases of zero gradient)" if result.with_noise else ""
    ax.set(xlabel="training step", ylabel=f"relative distance of the weights{but}")
    # in the order in which the lines end, from the top
    last = np.nan_to_num(result.distance[:, -1], nan=np.inf)
    handles = [ax.lines[i] for i in np.argsort(-last, kind="stable")]
    ax.legend(handles=handles, title=result.what, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    ax.set_title(f"{_headline(result)}\n{result.title}\n({sized(result.size, result.last)})")


def _headline(result: DistanceCurves) -> str:
    """Return a title with the final distances; a single draw does not allow a ranking."""
    known = (np.isfinite(result.distance) & (result.distance > 0)).all(axis=1)
    if not known.any():
        return "No pair has a known distance at every step"
    ends = result.distance[known][:, [0, -1]]
    if result.name == "amplifiers":
        grown = _span(ends[:, 1] / ends[:, 0])
        return f"One nudge each in {many(known.sum(), 'network')} grew by a factor of {grown}"
    return f"One draw each: final distance from the plain run {_span(ends[:, 1])}"


def _span(values: npt.NDArray[np.float64]) -> str:
    return " to ".join(dict.fromkeys(map(short_power, (values.min(), values.max()))))
