"""Draw how much the results of a GPU vary between tries; the title states their origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from fpdrift._kinds import pictures
from fpdrift.comparison._intervals import FEWEST
from fpdrift.plotting._style import capital
from fpdrift.plotting._trees import draw_revealed

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.reduction.gpu import GpuRecording, GpuRun, GpuSums, GpuTree


@pictures.register
def draw_gpu_sums(result: GpuSums, ax: Axes) -> None:
    """Draw V_s of each sum against n, or V_c of the other operations if there are no sums."""
    ax.set_title(_title(result))
    if not result.runs:
        _draw_reasons(result.skipped, ax)
        return
    sums = [run for run in result.runs if run.v_s is not None]
    still: list[str] = []
    for i, (name, runs) in enumerate(_by_name(sums or list(result.runs)).items()):
        if any(_sizes(run).any() for run in runs):
            _draw_operation(result, name, runs, i, ax)
        else:
            still.append(name)
    _dress(result, still, bool(sums), ax)


def _title(result: GpuSums) -> str:
    """Return a title with the operation that varied most and the origin of the results."""
    if not result.runs:
        return result.label
    most = max(result.runs, key=lambda run: run.distinct)
    name = capital(most.operation)
    if result.origin == "simulated":
        orders = f"{name}: {most.distinct} results of {most.tries} random orders"
        return f"{orders}\n{result.label}: possible results, not their frequency on a GPU"
    return f"{name}: {most.distinct} results in {most.tries} tries\n{result.label}"


@pictures.register
def draw_gpu_recording(result: GpuRecording, ax: Axes) -> None:
    """Draw the sums of a recording."""
    draw_gpu_sums(result.sums, ax)


@pictures.register
def draw_gpu_tree(result: GpuTree, ax: Axes) -> None:
    """Draw the tree of a device's matrix product."""
    draw_revealed(result.revealed, ax)
    ax.set_title(f"{result.origin}: {ax.get_title('left')}")


def _by_name(runs: list[GpuRun]) -> dict[str, list[GpuRun]]:
    found: dict[str, list[GpuRun]] = {}
    for run in sorted(runs, key=lambda run: run.n):
        name = f"{run.operation}, deterministic" if run.deterministic else run.operation
        found.setdefault(name, []).append(run)
    return found


def _sizes(run: GpuRun) -> npt.NDArray[np.float64]:
    """Return the finite values of |V_s|, or of V_c."""
    sizes = np.abs((run.v_c if run.v_s is None else run.v_s).astype(np.float64))
    return sizes[np.isfinite(sizes)]


def _draw_operation(result: GpuSums, name: str, runs: list[GpuRun], i: int, ax: Axes) -> None:
    """Draw a faint dot for each try that varies, and a line through the largest value of each n."""
    color, marker = f"C{i % 6}", "osD^v*"[i % 6]
    for run in runs:
        seen = _sizes(run)
        seen = seen[seen > 0]
        ax.plot(np.full(len(seen), run.n), seen, ".", color=color, alpha=0.25)
    largest = [(run.n, _sizes(run).max()) for run in runs if _sizes(run).any()]
    label = name
    enough = len(largest) >= FEWEST and runs[0].v_s is not None and not runs[0].deterministic
    if enough and (fit := result.growth(name)) is not None:
        label += f":\ngrows as n^{fit[0]:.2f}"
    ax.plot(*zip(*largest, strict=True), marker, linestyle="-", color=color, label=label)


def _draw_reasons(skipped: dict[str, str], ax: Axes) -> None:
    ax.axis("off")
    reasons = "\n".join(f"{name}: {why}" for name, why in skipped.items()) or "nothing was selected"
    ax.text(0.5, 0.5, reasons, transform=ax.transAxes, ha="center", va="center", wrap=True)


def _dress(result: GpuSums, still: list[str], sums: bool, ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    for name in still:
        handles.append(Line2D([], [], linestyle="none"))
        labels.append(f"{name}:\nthe same bits each time".replace(", ", ",\n"))
    ax.set_xscale("log")
    ns = sorted({run.n for run in result.runs})
    ax.set_xlim(ns[0] / 2, ns[-1] * 2)
    if len(handles) > len(still):
        ax.set_yscale("log")
    else:
        ax.set_ylim(0, 1)
        ax.set_yticks([0])
    ax.set_xlabel("number of summands")
    what = "|1 - sum / reference|" if sums else "V_c: share of results that differ"
    ax.set_ylabel(what)
    ax.legend(handles, labels, loc="center left", bbox_to_anchor=(1, 0.5))
