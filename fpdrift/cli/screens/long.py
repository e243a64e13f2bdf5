"""A long training in 80 columns."""

from __future__ import annotations

from fpdrift.cli.screens.screen import count, measured_on, screen, wrapped
from fpdrift.experiments import Epoch, Long


@screen.register
def _long(result: Long) -> list[str]:
    size = "The source's size" if result.steps >= result.source_steps else "Not the source's size"
    return [
        *wrapped(
            f"{size}: {count(result.steps, 'step')} (the source: {result.source_steps:,}) of the "
            f"{result.network}'s network on {result.data}, seed {result.seed}; "
            f"{result.labels[1]} (b) against {result.labels[0]} (a)."
        ),
        "",
        f"  {'epoch':>5}{'step':>9}{'distance':>11}{'loss a':>10}{'loss b':>10}{'churn':>9}"
        f"{'weights <= 1e-8':>18}",
        *map(_row, result.epochs),
        *_kept(result),
        "",
        *wrapped(f"The source: {result.claim}."),
        *wrapped(f"Here: {result.finding}"),
        *measured_on(result),
    ]


def _kept(result: Long) -> list[str]:
    """Say of which steps the distances are, where weights were not kept at every epoch's end."""
    earlier = [epoch for epoch in result.epochs if result.kept_at(epoch) < epoch.step]
    if not earlier:
        return []
    first = earlier[0]
    return wrapped(
        "Each distance is of the last step up to there at which weights were kept "
        f"({result.kept_at(first):,} for {first.step:,})."
    )


def _row(epoch: Epoch) -> str:
    loss_a, loss_b = epoch.losses
    return (
        f"  {epoch.epoch:5}{epoch.step:9,}{epoch.distance:11.1e}{loss_a:10.4f}{loss_b:10.4f}"
        f"{100 * epoch.churn:7.1f} %{100 * epoch.small[0]:16.2g} %"
    )
