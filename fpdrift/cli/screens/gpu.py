"""A GPU's sums in 80 columns; the first line says where they come from."""

from __future__ import annotations

from fpdrift.cli.screens.screen import count, screen, wrapped
from fpdrift.cli.screens.trees import words
from fpdrift.drift.intervals import FEWEST
from fpdrift.reduction.gpu import LIMITS, GpuRecording, GpuRun, GpuSums, GpuTree


@screen.register
def _sums(result: GpuSums) -> list[str]:
    lines = wrapped(f"{result.label}; {result.dtype}, {result.distribution} numbers.")
    if result.runs:
        lines += ["", f"  {'':26} {'numbers':>12} {'results':>12} {'max |V_s|':>10} {'max V_c':>8}"]
        lines += [_row(run) for run in result.runs]
        lines += ["", "  V_s: 1 - sum / reference. V_c: share of the output that differs from it."]
    for name in result.operations:
        lines += _growth(result, name)
    for cost in result.costs:
        lines += wrapped(
            f"The same bits each time for {cost.operation} of {cost.n:,} ({cost.switch}): "
            f"{cost.ratio:.2f} times the time (median of {count(len(cost.ratios), 'pair')}, "
            f"{cost.ratios.min():.2f} to {cost.ratios.max():.2f})."
        )
    for name, why in result.skipped.items():
        lines += wrapped(f"Left out, {name}: {why}")
    if result.validation is not None:
        lines += wrapped(result.validation)
    if result.origin == "simulated":
        lines += ["", *(line for limit in LIMITS for line in wrapped(limit))]
    return lines


def _row(run: GpuRun) -> str:
    name = f"{run.operation}{', same bits' if run.deterministic else ''}"
    results = f"{run.distinct:,} of {run.tries:,}"
    v_s = "-" if run.largest_v_s is None else f"{run.largest_v_s:.1e}"
    v_c = "-" if run.outputs == 1 else f"{100 * float(run.v_c.max()):.1f} %"
    return f"  {name:26} {run.n:>12,} {results:>12} {v_s:>10} {v_c:>8}"


def _growth(result: GpuSums, name: str) -> list[str]:
    runs = [run for run in result.runs if (run.operation, run.deterministic) == (name, False)]
    if len(runs) < FEWEST:  # a line through a few points is no law
        return []
    fit = result.growth(name)
    return (
        []
        if fit is None
        else [f"  {name}: the largest |V_s| grows as n to the power {fit[0]:.2f}."]
    )


@screen.register
def _tree(result: GpuTree) -> list[str]:
    found = result.revealed
    lines = wrapped(
        f"{result.origin}: {result.precision}, {count(found.n, 'term')}: {found.verdict}."
    )
    return lines if found.plan is None else [*lines, *words(found.plan)]


@screen.register
def _recording(result: GpuRecording) -> list[str]:
    lines = screen(result.sums)
    for tree in result.trees:
        lines += screen(tree)
    for name, why in result.skipped.items():
        lines += wrapped(f"Left out, {name}: {why}")
    return lines
