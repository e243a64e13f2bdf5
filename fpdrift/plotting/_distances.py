"""Draw distances over the steps: pairs of runs, the growth of one pair, and survival of nudges."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.ticker import MaxNLocator

from fpdrift._kinds import pictures
from fpdrift.comparison import Comparison, Comparisons
from fpdrift.plotting._style import many, sized
from fpdrift.text import percent

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.comparison import Growth, Jump, Level, Survival
    from fpdrift.experiments import CnnDrift, UlpSurvival

#: Each curve has its own dash and marker, so that the picture works in grey.
_LOOKS = (("-", "o"), ("--", "s"), ("-.", "^"), (":", "D"), ("-", "v"), ("--", "P"), ("-.", "X"))
#: Distance between markers, relative to the axes' diagonal; closer markers would hide the dashes.
_MARK_EVERY = 0.1
#: Longest line of text that fits beside the picture.
_LONGEST = 27


class _Label(NamedTuple):
    """A label beside a point of a curve, or at the bottom if it has no point."""

    text: str
    colour: str = "black"
    step: float | None = None
    #: height of the point, relative to the axes
    height: float = 0.0


@pictures.register
def draw_growth(result: Comparison | Comparisons, ax: Axes) -> None:
    """Draw the relative distance of one or more pairs of runs over the steps, at best up to five.

    A ring marks the first difference, or a triangle at the bottom if the weights have no distance
    at that step. The band is 1.96 standard errors to each side. A pair that never differs does not
    fit on a logarithmic axis and is listed instead.
    """
    if isinstance(result, Comparison):
        label = f"{result.name_b} against {result.name_a}"
        result = Comparisons(labels=(label,), comparisons=(result,))
    curves: list[tuple[str, Comparison]] = []
    listed: list[_Label] = []
    for label, pair in zip(result.labels, result.comparisons, strict=True):
        if _seen(pair).any():
            _curve(ax, pair, len(curves))
            curves.append((label, pair))
        else:
            listed.append(_Label(f"{_short(label)}\n{_without_distance(pair)}"))
    if not curves:
        _write_alone(ax, listed, equal=all(p.first_difference is None for p in result.comparisons))
        return
    ax.set(xlabel="training step", ylabel="relative distance of the weights", yscale="log")
    ax.set_title(_growth_title([pair for _, pair in curves], len(result.labels)))
    # heights are final from here on, since all curves are drawn
    starts = [_start(ax, pair, f"C{i}") for i, (_, pair) in enumerate(curves)]
    ends = [_end(ax, label, pair, f"C{i}") for i, (label, pair) in enumerate(curves)]
    _write(ax, starts, (20, "offset points"), room=0.08)
    _write(ax, ends + listed, (1.04, "axes fraction"), room=min(0.24, 1 / len(result.labels)))


@pictures.register
def _draw_cnn(result: CnnDrift, ax: Axes) -> None:
    draw_growth(result.pairs, ax)


def _growth_title(drifting: list[Comparison], pairs: int) -> str:
    """Return a title: how many pairs diverge, how far at the end, and of one pair, why."""
    farthest = max(pair.distance[_seen(pair)][-1] for pair in drifting)
    if pairs == 1:
        why = drifting[0].verdict.kind
        return f"The weights diverge, by up to {farthest:.1e} at the end\nVerdict: {why}"
    return f"{len(drifting)} of {pairs} pairs diverge, by up to {farthest:.1e} at the end"


def _seen(pair: Comparison) -> npt.NDArray[np.bool_]:
    """Return a mask of the distances that fit on a logarithmic axis (m,)."""
    return np.isfinite(pair.distance) & (pair.distance > 0)


def _curve(ax: Axes, pair: Comparison, number: int) -> None:
    """Draw the distances of one pair with their band, and gaps where the weights are equal."""
    line, mark = _LOOKS[number % len(_LOOKS)]
    colour = f"C{number}"
    distance = np.where(_seen(pair), pair.distance, np.nan)
    margin = 1.96 * pair.standard_error
    low = np.maximum(distance - margin, distance / 10)
    ax.plot(pair.steps, distance, line, marker=mark, markevery=_MARK_EVERY, color=colour)
    ax.fill_between(pair.steps, low, distance + margin, color=colour, alpha=0.3, linewidth=0)


def _start(ax: Axes, pair: Comparison, colour: str) -> _Label:
    """Mark the first difference, and return its label."""
    first = pair.first_difference
    assert first is not None  # noqa: S101 - weights with a distance differ
    at = np.flatnonzero(_seen(pair) & (pair.steps == first.step))
    distance = pair.distance[at[0]] if len(at) else None
    height = mark_first_difference(ax, first.step, distance, colour)
    return _Label(f"differs {first}", colour, first.step, height)


def mark_first_difference(
    ax: Axes, step: int, distance: float | None = None, colour: str = "C0"
) -> float:
    """Mark the first difference with a ring, or a triangle at the bottom; return its height."""
    height = 0.0 if distance is None else _height(ax, distance)
    ax.plot(
        step,
        height,
        "^" if distance is None else "o",
        transform=ax.get_xaxis_transform(),
        clip_on=False,
        markersize=15,
        markerfacecolor="none",
        markeredgewidth=2.4,
        color=colour,
    )
    return height


def _end(ax: Axes, label: str, pair: Comparison, colour: str) -> _Label:
    """Return the label of the end of a curve: its name, distance and churn."""
    last = int(np.flatnonzero(_seen(pair))[-1])
    step, distance = pair.steps[last], pair.distance[last]
    lines = [label, f"{distance:.1e} at step {step}"]
    if pair.churn is not None:
        lines.append(f"churn: {percent(pair.churn)} %")
    return _Label("\n".join(map(_short, lines)), colour, step, _height(ax, distance))


def _without_distance(pair: Comparison) -> str:
    if pair.first_difference is None:
        return f"same bits up to step {pair.recorded_steps[-1]}"
    return _short(f"differs {pair.first_difference}")


def _height(ax: Axes, distance: float) -> float:
    """Return the height of a distance on the logarithmic axis, relative to the axes."""
    bottom, top = np.log(ax.get_ylim())
    return float((np.log(distance) - bottom) / (top - bottom))


def _write(ax: Axes, words: list[_Label], x: tuple[float, str], *, room: float) -> None:
    """Write all labels at `x`, as close to their points as possible without overlapping."""
    words = sorted(words, key=lambda item: item.height)
    heights: list[float] = []
    lowest = room / 2
    for item in words:
        heights.append(max(item.height, lowest))
        lowest = heights[-1] + room
    highest = 1 - room / 2
    for i in reversed(range(len(words))):
        heights[i] = min(heights[i], highest)
        highest = heights[i] - room
    for item, height in zip(words, heights, strict=True):
        line = {"arrowstyle": "-", "color": item.colour, "relpos": (0, 0.5), "shrinkB": 9}
        ax.annotate(
            item.text,
            xy=(0 if item.step is None else item.step, item.height),
            xycoords=("data", "axes fraction"),
            xytext=(x[0], height),
            textcoords=(x[1], "axes fraction"),
            color=item.colour,
            va="center",
            bbox={"color": "white", "alpha": 0.8, "pad": 1},
            arrowprops=None if item.step is None else line,
        )


def _write_alone(ax: Axes, listed: list[_Label], *, equal: bool) -> None:
    """Write the labels in the middle if no pair has a curve."""
    text = "\n\n".join(words.text for words in listed)
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=18)
    ax.set_title("No bit differs" if equal else "No distance is known")
    ax.set_axis_off()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


#: Most jumps with a label; further ones are only marked.
_MOST_WRITTEN = 4


@pictures.register
def draw_course(result: Growth, ax: Axes) -> None:
    """Draw a distance over the steps with its first difference, its jumps and its law."""
    seen = np.isfinite(result.distance) & (result.distance > 0)
    if not seen.any():
        text = str(result).replace("; ", "\n")
        ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=18)
        ax.set_title("The distance does not grow")
        ax.set_axis_off()
        return
    ax.plot(result.steps, np.where(seen, result.distance, np.nan), "o-", color="C0", markersize=5)
    if result.trend.rate is not None or result.kind == "flat":
        ax.plot(result.steps, result.fitted, "--", color="black", linewidth=1.6)
    weights = " with a gradient" if result.without_zero_gradient else ""
    ax.set(xlabel="training step", ylabel=f"relative distance of weights{weights}", yscale="log")
    ax.margins(y=0.1)
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top)
    if result.first_difference is not None:
        distance = dict(zip(result.steps[seen], result.distance[seen], strict=True))
        mark_first_difference(ax, result.first_difference, distance.get(result.first_difference))
    for word, level, below in (("floor", result.floor, True), ("plateau", result.plateau, False)):
        if level is not None:
            _draw_level(word, level, ax, below=below)
    if result.kind == "bends":
        _write_slopes(result, ax)
    written = sorted(result.jumps, key=lambda jump: -jump.factor)[:_MOST_WRITTEN]
    for jump in result.jumps:
        _draw_jump(result, jump, ax, written=jump in written)
    ax.set_title(_course_title(result))


def _course_title(result: Growth) -> str:
    count = len(result.jumps)
    jumps = f"{count} jump{'' if count == 1 else 's'}" if count else "no jump"
    law = (
        f"law between: {result.kind}"
        if result.kind == "cannot tell"
        else f"{result.trend}{': it bends' * result.bend_seen}"
    )
    return f"Growth: {jumps}; {law}"


def _write_slopes(result: Growth, ax: Axes) -> None:
    """List the slope of each decade at the bottom right, where a rising curve leaves room."""
    lines = [f"{part.first} to {part.last}: {part}" for part in result.slopes]
    text = "\n".join(["exponent at steps", *lines])
    ax.text(0.97, 0.05, text, transform=ax.transAxes, ha="right", va="bottom")


def _draw_level(word: str, level: Level, ax: Axes, *, below: bool) -> None:
    """Mark a level with a band; the curve leaves room below a floor and above a plateau."""
    ax.plot([level.first, level.last], [level.distance] * 2, color="C2", linewidth=7, alpha=0.4)
    ax.annotate(
        f"{word} {level.distance:.1e}",
        (level.last, level.distance),
        xytext=(0, -12 if below else 12),
        textcoords="offset points",
        ha="left" if below else "right",
        va="top" if below else "bottom",
        color="C2",
    )


def _draw_jump(result: Growth, jump: Jump, ax: Axes, *, written: bool) -> None:
    """Draw the rise of a jump, and label it with its size and location."""
    rows = np.searchsorted(result.steps, [jump.previous, jump.step])
    before, after = result.distance[rows]
    ax.plot([jump.previous, jump.step], [before, after], color="C1", linewidth=5)
    if not written:
        return
    lines = [f"×{jump.factor:.3g} at step {jump.step}"]
    if jump.tensor is not None:
        lines.append(jump.tensor if jump.unit is None else f"{jump.tensor}, unit {jump.unit}")
    ax.annotate(
        "\n".join(lines),
        (jump.step, np.sqrt(before * after)),
        xytext=(10, 0),
        textcoords="offset points",
        va="center",
        color="C1",
        bbox={"color": "white", "alpha": 0.8, "pad": 1},
    )


@pictures.register
def draw_survival(result: Survival, ax: Axes) -> None:
    """Draw the surviving share as steps, with ticks for censored nudges and a band from 6 on."""
    ends = [*result.steps[-1:], *result.censored[-1:]]
    last = max(1, *ends)
    steps = np.array([0, *result.steps, last])
    # each share holds from its step up to the next one
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
    key += ["tick: survived to the end of its run"] * bool(len(result.censored))
    more = f" ({'; '.join(key)})" if key else ""
    ax.set(xlabel=f"steps after the nudge{more}", ylabel="share of surviving nudges")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    ax.set_xlim(0, 1.02 * last)
    ax.set_ylim(0, 1.05)
    within = "within" if len({*result.censored.tolist()}) < 2 else "within up to"
    its = result.absorbed_interval
    between = f" (95 %: {100 * its.low:.0f} to {100 * its.high:.0f} %)" if its else ""
    count = f"{result.events} of {many(result.n, 'nudge')} absorbed {within}"
    ax.set_title(f"{count} {many(max(ends), 'step')}{between}")


@pictures.register
def draw_ulp_survival(result: UlpSurvival, ax: Axes) -> None:
    """Draw the survival of the nudges, with the size of the study in the title."""
    draw_survival(result.survival, ax)
    size = sized(result.study.size, result.study.steps)
    ax.set_title(f"{ax.get_title('left')}\nEach nudge: one ulp in one weight ({size})")
