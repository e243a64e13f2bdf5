"""The program of a fresh process: what rounding does to one step of a run, and the step in float64.

It is started by `fpdrift.training.mathematics` and reads its task from there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fpdrift.process import Message, Report, serve
from fpdrift.training import worker
from fpdrift.training.condition import Condition
from fpdrift.training.dumps import load
from fpdrift.training.instrumented import Step
from fpdrift.training.kinds import write
from fpdrift.training.networks import build
from fpdrift.training.sides import side, side64
from fpdrift.training.widening import wide_step


def work(task: Message, _: Report) -> Message:
    """Do as the task says; see `fpdrift.training.mathematics` for what is in it."""
    condition = Condition.from_dict(task["condition"])
    worker.configure(condition)

    def make() -> Any:
        model = build(task["network"], condition.seed_for("dropout"))
        worker.prepare(model, task["network"], jit=condition.jit)
        return model

    return both(make, task)


def both(make: Callable[[], Any], task: Message) -> Message:
    """Nudge a run's step, and do in float64 what has the common start; write that down."""
    step = Step(make())
    names = [tensor.name for tensor in step.state.tensors]
    low = side(step, *_start(task["own"], task["own"], names))
    start, batch = _start(task["state"], task["batch"], names)
    high = side64(wide_step(make, batch), start, batch)
    write(Path(task["low"]), low)
    if high is not None:
        write(Path(task["high"]), high)
    return {"wide": high is not None}


def _start(state: str, batch: str, names: list[str]) -> tuple[list[Any], list[Any]]:
    """Read what a step starts from: its state in the order of the names, and its batch."""
    before = {item.name: item.values for item in load(Path(state)) if item.stage == "before"}
    given = {item.name: item.values for item in load(Path(batch)) if item.stage == "before"}
    return [before[name] for name in names], [given["batch/0"], given["batch/1"]]


if __name__ == "__main__":
    serve(work)
