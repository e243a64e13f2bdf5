"""Distance over the steps: where each pair of runs parts, and how far it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fpdrift.drift import Comparison, Comparisons

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

#: Each curve has a dash and a mark of its own, so that grey is enough.
_LOOKS = (("-", "o"), ("--", "s"), ("-.", "^"), (":", "D"), ("-", "v"), ("--", "P"), ("-.", "X"))
#: Room from one mark to the next, as a part of the axes' diagonal; closer would hide the dashes.
_MARK_EVERY = 0.1
#: Longest line of text that fits beside the picture.
_LONGEST = 27


class _Words(NamedTuple):
    """What is said beside a point of a curve, or at the bottom if it is about no point."""

    text: str
    colour: str = "black"
    step: float | None = None
    #: of the point, as a part of the axes' height
    height: float = 0.0


def draw_growth(result: Comparison | Comparisons, ax: Axes) -> None:
    """Draw the relative distance of one or more pairs of runs over the steps; five read well.

    A ring marks the first difference; where the weights have no distance at that step, a triangle
    at the bottom does. The band, where it is wide enough to be seen, is 1.96 standard errors to
    each side. A pair that never differs has no place on a logarithmic axis: it is listed.
    """
    if isinstance(result, Comparison):
        label = f"{result.name_b} against {result.name_a}"
        result = Comparisons(labels=(label,), comparisons=(result,))
    curves: list[tuple[str, Comparison]] = []
    listed: list[_Words] = []
    for label, pair in zip(result.labels, result.comparisons, strict=True):
        if _seen(pair).any():
            _curve(ax, pair, len(curves))
            curves.append((label, pair))
        else:
            listed.append(_Words(f"{_short(label)}\n{_without_distance(pair)}"))
    if not curves:
        _write_alone(ax, listed, equal=all(p.first_difference is None for p in result.comparisons))
        return
    ax.set(xlabel="training step", ylabel="relative distance of the weights", yscale="log")
    ax.set_title(_title([pair for _, pair in curves], len(result.labels)))
    # heights hold from here on, since all curves are there
    starts = [_start(ax, pair, f"C{i}") for i, (_, pair) in enumerate(curves)]
    ends = [_end(ax, label, pair, f"C{i}") for i, (label, pair) in enumerate(curves)]
    _write(ax, starts, (20, "offset points"), room=0.08)
    _write(ax, ends + listed, (1.04, "axes fraction"), room=min(0.24, 1 / len(result.labels)))


def _title(drifting: list[Comparison], pairs: int) -> str:
    """Say how many pairs have a distance, and how far the farthest is at its end."""
    farthest = max(pair.distance[_seen(pair)][-1] for pair in drifting)
    count = f"{len(drifting)} of {pairs} pairs drift" if pairs > 1 else "The weights drift"
    return f"{count} apart, up to {farthest:.1e} at the end"


def _seen(pair: Comparison) -> npt.NDArray[np.bool_]:
    """Which distances a logarithmic axis can show (m,)."""
    return np.isfinite(pair.distance) & (pair.distance > 0)


def _curve(ax: Axes, pair: Comparison, number: int) -> None:
    """Draw one pair's distances with their band; gaps where the weights are equal."""
    line, mark = _LOOKS[number % len(_LOOKS)]
    colour = f"C{number}"
    distance = np.where(_seen(pair), pair.distance, np.nan)
    margin = 1.96 * pair.standard_error
    low = np.maximum(distance - margin, distance / 10)
    ax.plot(pair.steps, distance, line, marker=mark, markevery=_MARK_EVERY, color=colour)
    ax.fill_between(pair.steps, low, distance + margin, color=colour, alpha=0.3, linewidth=0)


def _start(ax: Axes, pair: Comparison, colour: str) -> _Words:
    """Mark the first difference, and say where it is."""
    first = pair.first_difference
    assert first is not None  # noqa: S101 - weights with a distance differ
    at = np.flatnonzero(_seen(pair) & (pair.steps == first.step))
    distance = pair.distance[at[0]] if len(at) else None
    height = mark_first_difference(ax, first.step, distance, colour)
    return _Words(f"differs {first}", colour, first.step, height)


def mark_first_difference(
    ax: Axes, step: int, distance: float | None = None, colour: str = "C0"
) -> float:
    """Ring the first difference, or put a triangle at the bottom; give its height on the axes."""
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


def _end(ax: Axes, label: str, pair: Comparison, colour: str) -> _Words:
    """Say which curve it is that ends here, and what became of the answers."""
    last = int(np.flatnonzero(_seen(pair))[-1])
    step, distance = pair.steps[last], pair.distance[last]
    lines = [label, f"{distance:.1e} at step {step}"]
    if pair.churn is not None:
        lines.append(f"churn: {100 * pair.churn:.2g} % of answers")
    return _Words("\n".join(map(_short, lines)), colour, step, _height(ax, distance))


def _without_distance(pair: Comparison) -> str:
    if pair.first_difference is None:
        return f"same bits up to step {pair.recorded_steps[-1]}"
    return _short(f"differs {pair.first_difference}")


def _height(ax: Axes, distance: float) -> float:
    """Where a distance stands on the logarithmic axis, as a part of its height."""
    bottom, top = np.log(ax.get_ylim())
    return float((np.log(distance) - bottom) / (top - bottom))


def _write(ax: Axes, words: list[_Words], x: tuple[float, str], *, room: float) -> None:
    """Write everything at `x`, as close to its point as it can be without touching the next."""
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


def _write_alone(ax: Axes, listed: list[_Words], *, equal: bool) -> None:
    """Say what there is to say where no pair has a curve."""
    text = "\n\n".join(words.text for words in listed)
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=18)
    ax.set_title("Not one bit differs" if equal else "No distance to draw")
    ax.set_axis_off()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
