"""The question's training in 80 columns."""

from __future__ import annotations

from fpdrift.cli.screens.screen import count, measured_on, screen, wrapped
from fpdrift.experiments import Question, RunDistance, Validated
from fpdrift.experiments.question import DATA


@screen.register
def _question(result: Question) -> list[str]:
    most = f"(the source: up to {result.source_epochs}"
    if result.an_epoch is None:
        done = f"{count(result.epochs, 'epoch')} {most}) of {count(result.steps, 'step')}"
    else:
        done = f"{result.steps} of the {result.an_epoch} steps of one epoch {most} epochs)"
    other = "" if result.data == DATA else f" in place of {DATA}"
    distances = {distance.label: distance for distance in result.distances}
    return [
        *wrapped(
            f"{'The source' if result.size == 'full' else 'Not the source'}'s size: "
            f"{done} of the question's network on "
            f"{result.data}{other}, seed {result.seed}; validated on "
            f"{count(result.validation_images, 'image')}."
        ),
        "",
        f"  {'run':16}{'best epoch':>11}{'val_loss':>10}{'val_acc':>9}{'differs':>12}"
        f"{'distance':>10}{'churn':>8}",
        *(_row(run, distances.get(run.label)) for run in result.runs),
        "",
        *wrapped(f"The question: {result.claim}"),
        *wrapped(f"Here: {result.finding}"),
        *measured_on(result),
    ]


def _row(run: Validated, away: RunDistance | None) -> str:
    line = f"  {run.label:16}{run.best:11}{run.losses[run.best - 1]:10.4f}{run.accuracy:9.4f}"
    if away is None:
        return line
    if away.first_step is None:
        return f"{line}{'never':>12}{0:10}{100 * away.churn:6.1f} %"
    return f"{line}{f'step {away.first_step}':>12}{away.distance:10.1e}{100 * away.churn:6.1f} %"
