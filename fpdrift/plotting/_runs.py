"""Draw runs: a matrix of tensors by steps, curves of loss and metric, and a tree of branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from fpdrift._kinds import pictures
from fpdrift.comparison._branches import letter
from fpdrift.plotting._style import write_powers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.comparison import ManyRuns, RunCurves, TensorMatrix
    from fpdrift.comparison._branches import Branch

#: Equal bits, and bits that differ by an unknown distance.
_EQUAL, _UNKNOWN = "0.87", "#CC79A7"
#: Height of a row; weights matter most.
_HEIGHTS = {"weight": 1.0, "statistic": 0.6, "slot": 0.3, "seed": 0.6}
#: Height of a line of text, relative to that of all rows.
_LINE = 1 / 20
_LONGEST_MATRIX = 24


@pictures.register
def draw_tensor_matrix(result: TensorMatrix, ax: Axes) -> None:
    """Draw every tensor as a row and every step as a column; rings mark the first difference."""
    tops = np.concatenate([[0.0], np.cumsum([_HEIGHTS[role] for role in result.roles])])
    steps = result.steps.astype(np.float64)
    # a column extends from after the previous step up to its own step
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
    pair = f"{_matrix_short(result.name_b)} against {_matrix_short(result.name_a)}"
    ax.set_xlabel(f"training step ({pair})", parse_math=False)
    _name_rows(result, tops, ax)
    _mark_first(result, tops, ax)
    _explain_colours(result, ax)
    ax.set_title(_matrix_title(result))


def _matrix_title(result: TensorMatrix) -> str:
    """Return a title with one sentence per line, since there is room for about 50 characters."""
    count = len(result.tensors)
    if result.first_step is None:
        return f"{count} tensors at {result.recorded} steps: no bit differs"
    when = f"at step {result.first_step}" if result.first_step else "before step 1"
    first, last = len(result.first_tensors), int(result.differs[:, -1].sum())
    return (
        f"Bits first differ {when}, in {first} of {count} tensors\nAt the end they differ in {last}"
    )


def _name_rows(result: TensorMatrix, tops: npt.NDArray[np.float64], ax: Axes) -> None:
    """Label the weights as far as there is room, and each other group of tensors as a whole."""
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
                names.append(_matrix_short(result.tensors[row]))
    ax.set_yticks(places, names, parse_math=False)
    ax.tick_params(axis="y", length=0)


def _mark_first(result: TensorMatrix, tops: npt.NDArray[np.float64], ax: Axes) -> None:
    """Mark the tensors that differ first with rings."""
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
        handles.append(Patch(color=_UNKNOWN, label="different bits, distance unknown"))
    rings = ax.get_legend_handles_labels()[0]
    ax.legend(
        handles=[*handles, *rings],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.14),
        ncols=3,
    )


def _matrix_short(text: str) -> str:
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= _LONGEST_MATRIX else f"…{text[1 - _LONGEST_MATRIX :]}"


#: Different dashes, so that coinciding lines are visible.
_DASHES = ("-", "--", "-.", ":")
#: With more runs than this, their labels would hide the lines.
_MOST_NAMED = 7
_LONGEST_LINES = 27


@pictures.register
def draw_run_curves(result: RunCurves, ax: Axes) -> None:
    """Draw the loss of all runs and, if all report one, a metric below it."""
    upper = lower = ax
    what = "Loss"
    if result.metric is not None:
        what = f"Loss and {result.metric}"
        ax.set_axis_off()
        upper = ax.inset_axes((0, 0.42, 1, 0.58))
        lower = ax.inset_axes((0, 0, 1, 0.36), sharex=upper)
        upper.tick_params(labelbottom=False)
        lower.set_ylabel(_lines_short(result.metric), parse_math=False)
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
    """Draw one thin line per run, and return whether there was anything to draw."""
    for number, (x, y, label) in enumerate(zip(steps, values, labels, strict=True)):
        known = np.isfinite(y)
        dash = _DASHES[number % len(_DASHES)]
        ax.plot(
            x[known], y[known], dash, linewidth=1.2, color=f"C{number}", label=_lines_short(label)
        )
    return any(np.isfinite(y).any() for y in values)


def _lines_short(text: str) -> str:
    return text if len(text) <= _LONGEST_LINES else f"{text[: _LONGEST_LINES - 1]}…"


#: Most classes to draw; more could not be distinguished.
_MOST = 24
_LONGEST_BRANCHES = 24


@pictures.register
def draw_many_runs(result: ManyRuns, ax: Axes) -> None:
    """Draw each class of bit-identical runs as a line whose width shows the number of runs."""
    branches = result.branches
    order = [i for i in _in_order(branches) if i < _MOST]
    place = {number: y for y, number in enumerate(order)}
    last = max(result.last_steps)
    for number, y in place.items():
        branch = branches[number]
        start = -0.5 if branch.step is None else branch.step
        width = 1.5 + 6 * len(branch.runs) / len(result.names)
        colour = f"C{number % 10}"
        end = max(result.last_steps[run] for run in branch.runs)
        ax.plot([start, end], [y, y], color=colour, linewidth=width, solid_capstyle="butt")
        if branch.parent in place:
            ax.plot([start, start], [place[branch.parent], y], color=colour, linewidth=1.5)
        ax.annotate(
            f"{letter(number)}  {_label(result, branch)}",
            (1.01, y),
            xycoords=("axes fraction", "data"),
            va="center",
            color=colour,
            parse_math=False,
        )
    ax.set_xscale("symlog", linthresh=1)
    ax.set(xlim=(-0.5, max(last, 1)), ylim=(len(order) - 0.4, -0.6), yticks=[])
    ax.set_xticks(_ticks(last), [f"{tick:,}" for tick in _ticks(last)])
    ax.set_xlabel("training step")
    ax.set_title(_branches_title(result))


def _in_order(branches: tuple[Branch, ...]) -> list[int]:
    """Order the branches below their parents; the one that diverged last comes first."""

    def below(number: int) -> list[int]:
        own = [i for i, branch in enumerate(branches) if branch.parent == number]
        own.sort(key=lambda i: -(branches[i].step or 0))
        return [number, *(deeper for i in own for deeper in below(i))]

    return below(next(i for i, branch in enumerate(branches) if branch.parent is None))


def _label(result: ManyRuns, branch: Branch) -> str:
    names = [result.names[run].removesuffix(".fpdrift") for run in branch.runs]
    first = "".join(c if c.isprintable() else "?" for c in names[0])
    first = first if len(first) <= _LONGEST_BRANCHES else f"{first[: _LONGEST_BRANCHES - 1]}…"
    return first if len(names) == 1 else f"{len(names)} runs: {first}, …"


def _branches_title(result: ManyRuns) -> str:
    count, classes = len(result.names), len(result.classes)
    if classes == 1:
        return f"{count} runs: no bit differs in {max(result.last_steps):,} steps"
    more = f" ({_MOST} drawn)" if classes > _MOST else ""
    return f"{count} runs diverge into {classes} classes of equal bits{more}"


def _ticks(last: int) -> list[int]:
    decades = [int(tick) for tick in 10.0 ** np.arange(0, np.log10(max(last, 1)))]
    return [0, *decades, last] if last else [0]
