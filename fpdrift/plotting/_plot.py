"""Draw any result, and save it as a picture."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fpdrift import atomic
from fpdrift.arithmetic import Chain, Orders
from fpdrift.comparison import (
    Comparison,
    Comparisons,
    Growth,
    ManyRuns,
    RunCurves,
    Survival,
    TensorMatrix,
)
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.experiments import (
    CnnDrift,
    Determinism,
    DistanceCurves,
    FiveRuns,
    HashSeed,
    Long,
    Metric,
    NoSeeds,
    OneGate,
    Question,
    Sources,
    Study,
    ThreadsAndTree,
    Trap,
    TwoLoops,
    UlpSurvival,
)
from fpdrift.floats import Anatomy
from fpdrift.perturbation import NudgeAccount
from fpdrift.plotting._batch import (
    draw_batch_classes,
    draw_batch_run,
    draw_condition_matrix,
    draw_condition_run,
    draw_equality,
)
from fpdrift.plotting._chain import draw_chain, draw_two_loops
from fpdrift.plotting._distances import draw_course, draw_growth, draw_survival, draw_ulp_survival
from fpdrift.plotting._expressions import draw_orders
from fpdrift.plotting._floats import draw_anatomy
from fpdrift.plotting._gates import draw_gates, draw_one_gate
from fpdrift.plotting._gpu import draw_gpu_recording, draw_gpu_sums, draw_gpu_tree
from fpdrift.plotting._nudges import draw_courses, draw_nudge
from fpdrift.plotting._runs import draw_many_runs, draw_run_curves, draw_tensor_matrix
from fpdrift.plotting._studies import (
    draw_determinism,
    draw_five_runs,
    draw_hash_seed,
    draw_long,
    draw_metric,
    draw_no_seeds,
    draw_question,
    draw_sources,
    draw_study,
    draw_trap,
)
from fpdrift.plotting._style import fix_colours, write_plainly
from fpdrift.plotting._sums import draw_sum_growth, draw_sum_table
from fpdrift.plotting._threads import (
    draw_order_spread,
    draw_spread_growth,
    draw_strategies,
    draw_thread_operation,
    draw_threads,
)
from fpdrift.plotting._trees import draw_plan, draw_revealed, draw_same_order
from fpdrift.reduction import (
    OrderSpread,
    Plan,
    Revealed,
    SameOrder,
    SpreadGrowth,
    Strategies,
    SumGrowth,
    SumTable,
    ThreadOperation,
    ThreadSums,
)
from fpdrift.reduction.batch import BatchClasses, BatchRun, ConditionMatrix, ConditionRun, Equality
from fpdrift.reduction.gpu import GpuRecording, GpuSums, GpuTree
from fpdrift.step_debug import Gates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from fpdrift.serialization import Result

#: Metadata without dates, so that files are reproducible.
METADATA: dict[str, dict[str, Any]] = {
    ".pdf": {"CreationDate": None, "Creator": "fpdrift"},
    ".png": {"Software": "fpdrift"},
    ".svg": {"Date": None, "Creator": "fpdrift"},
}

_STYLE = str(files("fpdrift.plotting").joinpath("fpdrift.mplstyle"))


def _draw_cnn(result: CnnDrift, ax: Axes) -> None:
    draw_growth(result.pairs, ax)


def _draw_threads_and_tree(result: ThreadsAndTree, ax: Axes) -> None:
    draw_threads(result.sums, ax)


#: Type of result -> function that draws it.
_DRAW: dict[type[Result], Callable[[Any, Axes], None]] = {
    Anatomy: draw_anatomy,
    BatchClasses: draw_batch_classes,
    BatchRun: draw_batch_run,
    Chain: draw_chain,
    Comparison: draw_growth,
    Comparisons: draw_growth,
    ConditionMatrix: draw_condition_matrix,
    ConditionRun: draw_condition_run,
    DistanceCurves: draw_courses,
    CnnDrift: _draw_cnn,
    Equality: draw_equality,
    FiveRuns: draw_five_runs,
    Gates: draw_gates,
    GpuRecording: draw_gpu_recording,
    GpuSums: draw_gpu_sums,
    GpuTree: draw_gpu_tree,
    Growth: draw_course,
    Long: draw_long,
    ManyRuns: draw_many_runs,
    NudgeAccount: draw_nudge,
    OneGate: draw_one_gate,
    OrderSpread: draw_order_spread,
    Orders: draw_orders,
    Plan: draw_plan,
    Question: draw_question,
    Revealed: draw_revealed,
    RunCurves: draw_run_curves,
    SameOrder: draw_same_order,
    Sources: draw_sources,
    SpreadGrowth: draw_spread_growth,
    Strategies: draw_strategies,
    SumGrowth: draw_sum_growth,
    SumTable: draw_sum_table,
    Survival: draw_survival,
    TensorMatrix: draw_tensor_matrix,
    ThreadOperation: draw_thread_operation,
    ThreadSums: draw_threads,
    ThreadsAndTree: _draw_threads_and_tree,
    Trap: draw_trap,
    TwoLoops: draw_two_loops,
    UlpSurvival: draw_ulp_survival,
    Study: draw_study,
    Determinism: draw_determinism,
    HashSeed: draw_hash_seed,
    Metric: draw_metric,
    NoSeeds: draw_no_seeds,
}


def plot(result: Result, *, ax: Axes | None = None) -> Axes:
    """Draw a result.

    Parameters
    ----------
    result : Result
        Result of a function such as `orders`, `chain`, `thread_sums`, `compare` or `nudge`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure in fpdrift's style.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    FpdriftError
        If there is no picture for this kind of result, or `ax` is not an Axes.
    """
    if type(result) not in _DRAW:
        known = ", ".join(kind.__name__ for kind in _DRAW)
        kind = type(result).__name__
        message = f"no picture for results of type {kind}; choose one of: {known}"
        raise FpdriftError(message)
    if not isinstance(ax, Axes | None):
        message = f"ax is {short_repr(ax)}; pass a Matplotlib Axes or None"
        raise FpdriftError(message)
    if ax is None:
        import matplotlib.pyplot as plt

        # load the backend first: a notebook's backend changes settings that must outlast our style
        plt.draw_if_interactive()  # type: ignore[no-untyped-call]
        with look():
            figure, ax = plt.subplots()
            _draw(result, ax)
            fix_colours(figure)
    else:
        with look():
            _draw(result, ax)
    return ax


def _draw(result: Result, ax: Axes) -> None:
    _DRAW[type(result)](result, ax)
    write_plainly(ax)


def save(result: Result, stem: str | Path) -> tuple[Path, Path]:
    """Draw a result into ``stem.png`` and ``stem.svg``; the same result gives the same bytes.

    Raises
    ------
    OSError
        If the files cannot be written.
    """
    png, svg = (Path(f"{stem}.{kind}") for kind in ("png", "svg"))
    save_picture(result, png, svg)
    return png, svg


def save_picture(result: Result, *paths: str | Path, alt: str | None = None) -> str:
    """Draw a result once, write it to files in the formats of their suffixes, return its title.

    Parameters
    ----------
    result : Result
    *paths : str or pathlib.Path
    alt : str, optional
        Alternative text, which is stored with the title in a PNG or SVG.

    Raises
    ------
    OSError
        If the files cannot be written.
    """
    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        ax = plot(result, ax=figure.add_subplot())
        title = ax.get_title("left")
        described = {} if alt is None else {"Title": title, "Description": alt}
        for path in paths:
            kind = Path(path).suffix
            with atomic.writing(path) as file:
                figure.savefig(file, format=kind[1:], metadata=METADATA[kind] | described)
        return title


@contextmanager
def look() -> Iterator[None]:
    """Use fpdrift's style inside the block."""
    with style.context(["default", _STYLE]):
        yield
