"""Draw which results of a computation are bit-identical, and the distances between the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap

from fpdrift._kinds import pictures
from fpdrift.plotting._style import many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from fpdrift.reduction.batch import (
        AlignmentRun,
        AlignmentTable,
        BatchClasses,
        BatchRun,
        ConditionMatrix,
        ConditionRun,
        Equality,
    )

#: Most results in a matrix or batches in a row for which cells contain text.
_MOST_TEXTS = 14
#: From equal bits to large distances; distinguishable in grey, too.
_EQUAL, _NEAR, _FAR = "#0072B2", "#FBE3C0", "#D55E00"
#: Classes of equal bits, in the order in which they appear.
_CLASSES = ("#0072B2", "#F0C27A", "#CFE8F7", "#009E73", "#F4D6E6", "#D55E00", "#DDDDDD", "#CC79A7")
#: The class whose colour, a light grey, stands for what was not tested.
_UNTESTED = 6
#: Most functions side by side in one picture.
_MOST_FUNCTIONS = 4
_DARK = ("#0072B2", "#009E73", "#D55E00", "#CC79A7")


@pictures.register
def draw_equality(result: Equality, ax: Axes) -> None:
    """Draw a matrix of result against result, classes of equal bits side by side."""
    _draw_matrix(result, ax)
    ax.set_title(f"{many(len(result.labels), 'result')}: {_classes(result)}")


@pictures.register
def draw_condition_run(run: ConditionRun, ax: Axes) -> None:
    """Draw the matrix of condition against condition for one operation."""
    _draw_matrix(run.equality, ax)
    ax.set_title(f"{run.library} {run.operation}: {_classes(run.equality)}")


@pictures.register
def draw_condition_matrix(result: ConditionMatrix, ax: Axes) -> None:
    """Draw the operation in which the conditions differ most."""
    if not result.runs:
        _draw_nothing("No condition could be tried on this machine", ax)
        return
    draw_condition_run(max(result.runs, key=lambda run: len(set(run.equality.classes))), ax)
    if len(result.runs) > 1:
        title = f"{ax.get_title('left')}\n(the most of {len(result.runs)} operations)"
        ax.set_title(title)


@pictures.register
def draw_batch_run(run: BatchRun, ax: Axes) -> None:
    """Draw the matrix of batch against batch for one operation."""
    _draw_matrix(run.equality, ax)
    ax.set_title(f"{run.library} {run.operation}, by batch: {_classes(run.equality)}")


@pictures.register
def draw_batch_classes(result: BatchClasses, ax: Axes) -> None:
    """Draw a row of cells for each operation; cells of one colour and letter have equal bits."""
    if not result.runs:
        _draw_nothing("No operation could be tried on this machine", ax)
        return
    for y, run in enumerate(reversed(result.runs)):
        _draw_cells(run, y, ax)
    names = [f"{run.library}\n{run.operation}" for run in reversed(result.runs)]
    _frame(_wrapped(result.runs[0].equality.labels), names, ax)
    ax.set_xlabel("rows in the batch, and the row's position; same letter: equal bits")
    changed = sum(len(set(run.equality.classes)) > 1 for run in result.runs)
    tried = many(len(result.runs), "operation")
    ax.set_title(f"The batch changes the bits of a row in {changed} of {tried}")


@pictures.register
def draw_alignment_run(run: AlignmentRun, ax: Axes) -> None:
    """Draw a row of cells for each kernel set; cells of one letter have equal bits."""
    for y, classes in enumerate(reversed(run.classes)):
        for x, its in enumerate(classes):
            _draw_cell(x, y, its, _letter(its), ax)
    _frame(run.offsets, list(reversed(run.conditions)), ax)
    ax.set_xlabel("offset of the input from a multiple of 64, in bytes; same letter: equal bits")
    ax.set_title(
        f"{run.operation} ({run.dtype}): {many(max(run.distinct), 'result')} at "
        f"{len(run.offsets)} addresses"
    )


@pictures.register
def draw_alignment_table(result: AlignmentTable, ax: Axes) -> None:
    """Draw the number of distinct results, by kernel set and function that depends on addresses."""
    if not result.runs:
        _draw_nothing("No function could be computed on this machine", ax)
        return
    of = many(len({run.operation for run in result.runs}), "function")
    if not result.dependent:
        _draw_nothing(f"The same bits at every address, in {of}", ax)
        return
    depend = len({run.operation for run in result.dependent})
    shown = sorted(result.dependent, key=lambda run: -max(run.distinct))[:_MOST_FUNCTIONS]
    libraries = {run.library for run in shown}
    names = [r.condition.name for r in result.reports if r.condition.library in libraries]
    rows = list(dict.fromkeys(reversed(names)))
    for x, run in enumerate(shown):
        counts = dict(zip(run.conditions, run.distinct, strict=True))
        for y, name in enumerate(rows):
            count = counts.get(name)
            text = "not tested" if count is None else str(count)
            its = _UNTESTED if count is None else min(count, _UNTESTED) - 1
            _draw_cell(x, y, its, text, ax)
    _frame([f"{run.operation.replace(':', chr(10))}\n{run.dtype}" for run in shown], rows, ax)
    ax.set_xlabel(f"number in a cell: distinct results at {len(shown[0].offsets)} addresses")
    verb = "depend" if depend > 1 else "depends"
    ax.set_title(f"{depend} of {of} {verb} on the address of the input")


def _frame(columns: Sequence[object], rows: Sequence[str], ax: Axes) -> None:
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_ylim(-0.5, len(rows) - 0.5)
    _strip(ax)
    ax.set_xticks(range(len(columns)), [str(name) for name in columns])
    ax.set_yticks(range(len(rows)), rows)


def _draw_cell(x: int, y: int, its: int, text: str, ax: Axes) -> None:
    color = _CLASSES[its % len(_CLASSES)]
    ax.bar(x, 0.86, 0.94, bottom=y - 0.43, color=color, edgecolor="0.3", linewidth=0.8)
    ink = "white" if color in _DARK else "black"
    ax.text(x, y, text, ha="center", va="center", color=ink, weight="bold")


def _draw_cells(run: BatchRun, y: int, ax: Axes) -> None:
    for x, its in enumerate(run.equality.classes):
        _draw_cell(x, y, its, _letter(its), ax)


def _draw_matrix(result: Equality, ax: Axes) -> None:
    k = len(result.labels)
    order = np.argsort(result.classes, kind="stable")
    ulps = result.ulps[np.ix_(order, order)].astype(np.float64)
    classes = np.array(result.classes)[order]
    equal = classes[:, None] == classes
    shades = np.where(equal, 0, 1 + np.minimum(np.log2(np.maximum(ulps, 1)), 24))
    ax.pcolormesh(np.arange(k + 1), np.arange(k + 1), shades, cmap=_shades(), vmin=0, vmax=25)
    if k <= _MOST_TEXTS:
        for (i, j), apart in np.ndenumerate(ulps):
            text = "=" if equal[i, j] else _compact(apart)
            ink = "white" if equal[i, j] or shades[i, j] > 18 else "black"
            ax.text(j + 0.5, i + 0.5, text, ha="center", va="center", color=ink)
    for edge in (1 + np.flatnonzero(np.diff(classes))).tolist():
        ax.axhline(edge, color="black", linewidth=2)
        ax.axvline(edge, color="black", linewidth=2)
    letters = [_letter(its) for its in classes.tolist()]
    names = [f"{result.labels[i]}   {letter}" for i, letter in zip(order, letters, strict=True)]
    _strip(ax)
    ax.set_xticks(np.arange(k) + 0.5, letters)
    ax.set_yticks(np.arange(k) + 0.5, names)
    ax.set_xlim(0, k)
    ax.set_ylim(k, 0)
    ax.set_xlabel("=: equal bits; number: distance in ulps")


def _compact(apart: float) -> str:
    """Format a distance in at most four characters."""
    if apart < 1000:
        return f"{apart:.0f}"
    return f"{apart / 1000:.2g}k" if apart < 99_500 else f"{apart:.0e}".replace("e+0", "e")


def _letter(its: int) -> str:
    return chr(ord("A") + its) if its < 26 else str(its)


def _shades() -> ListedColormap:
    """Return one colour for equal bits, and shades for the logarithm of the distance."""
    pale, strong = (
        np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) / 255 for c in (_NEAR, _FAR)
    )
    steps = [tuple(pale + (strong - pale) * i / 24) for i in range(25)]
    return ListedColormap([_EQUAL, *steps])


def _strip(ax: Axes) -> None:
    ax.grid(visible=False)
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def _draw_nothing(why: str, ax: Axes) -> None:
    ax.axis("off")
    ax.set_title(why)


def _classes(result: Equality) -> str:
    classes = len(set(result.classes))
    if classes == 1:
        return "all bits equal"
    return f"{classes} classes of equal bits"


def _wrapped(names: tuple[str, ...] | list[str]) -> list[str]:
    return [name.replace(" ", "\n", 1) for name in names]
