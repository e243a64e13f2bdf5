"""Two gradients of one loss, in 80 columns."""

from __future__ import annotations

from fpdrift.cli.screens.screen import count, measured_on, screen, wrapped
from fpdrift.experiments import Trap


@screen.register
def _trap(result: Trap) -> list[str]:
    size = "The source's size" if result.size == "full" else "Quick, not the source's size"
    return [
        *wrapped(
            f"{size}: {count(result.steps, 'step')} of the {result.network}'s network on "
            f"{result.data}, seed {result.seed}, 1 thread: TensorFlow's fused gradient against op "
            "determinism's, which is the loss's own."
        ),
        "",
        f"  {'labels':10}{'after step 1':>13}{'at the end':>12}{'loss, fused':>13}{'own':>9}"
        "  it is",
        *(
            f"  {path.labels:10}{path.first:13.1e}{path.last:12.1e}{path.losses[0]:13.4f}"
            f"{path.losses[1]:9.4f}  {path.kind}"
            for path in result.paths
        ),
        "",
        *wrapped(f"The source: {result.claim}"),
        *wrapped(f"Here: {result.finding}"),
        *measured_on(result),
    ]
