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
from fpdrift.training.dumps import load, save
from fpdrift.training.instrumented import Step
from fpdrift.training.kinds import Side
from fpdrift.training.networks import build
from fpdrift.training.sides import side, side64


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
    high = side64(make, *_start(task["state"], task["batch"], names))
    if high is not None:
        save(Path(task["wide"]), high.seen)
    return {"low": _told(low), "high": high and _told(high)}


def _start(state: str, batch: str, names: list[str]) -> tuple[list[Any], list[Any]]:
    """Read what a step starts from: its state in the order of the names, and its batch."""
    before = {item.name: item.values for item in load(Path(state)) if item.stage == "before"}
    given = {item.name: item.values for item in load(Path(batch)) if item.stage == "before"}
    return [before[name] for name in names], [given["batch/0"], given["batch/1"]]


def _told(of: Side) -> Message:
    # as text: what is infinite has no number in JSON
    return {"spread": {n: repr(far) for n, far in of.spread.items()}, "spacing": of.spacing}


if __name__ == "__main__":
    serve(work)
