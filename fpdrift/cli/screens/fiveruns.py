"""Five runs' table in 80 columns; its first line says in which size it was made."""

from __future__ import annotations

from fpdrift.cli.screens.screen import count, measured_on, screen, wrapped
from fpdrift.experiments import FiveRuns, GradientRuns, Study


@screen.register
def _five_runs(result: FiveRuns) -> list[str]:
    lines = wrapped(
        f"{size(result)}: {count(result.steps, 'step')} of the {result.network}'s network on "
        f"{result.data}, {result.labels} labels, seed {result.seed}; validated on "
        f"{result.validation_images} images."
    )
    for gradient in result.gradients:
        lines += ["", *screen(gradient)]
    if result.size == "full":
        source = f"The source's five runs differed from their first by {_percent(result.source)}."
        lines += ["", *wrapped(source)]
    for name, why in result.skipped.items():
        lines += wrapped(f"Left out, {name}: {why}")
    return [*lines, "", *measured_on(result)]


def size(result: FiveRuns | Study) -> str:
    """Say how large the study was, beside the source's."""
    full = "The source's size"
    return full if result.size == "full" else "Quick, not the source's size"


@screen.register
def _gradient(result: GradientRuns) -> list[str]:
    heads = ("loss", "accuracy", "val_loss", "val_acc")
    lines = [f"  {f'gradient: {result.gradient}':40}" + "".join(f"{head:>9}" for head in heads)]
    for run in result.runs:
        figures = (run.loss, run.accuracy, run.validation_loss, run.validation_accuracy)
        lines.append(f"    {run.condition[:38]:38}" + "".join(f"{f:9.4f}" for f in figures))
    if result.distinct == 1:
        return [
            *lines,
            *wrapped(
                f"No drift seen: all {len(result.runs)} runs ended with the same hash of all "
                "weights."
            ),
        ]
    return [
        *lines,
        *wrapped(
            f"{len(result.runs)} runs ended with {result.distinct} different sets of weights; the "
            f"losses differ from the first one by at most {_percent(result.figure)}."
        ),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
