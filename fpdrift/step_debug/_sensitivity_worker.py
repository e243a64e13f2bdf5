"""The program of a fresh process: what rounding does to one step of a run, and the step in float64.

It is started by `fpdrift.step_debug._diagnose` and reads its task from there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fpdrift.step_debug._float64_step import wide_step
from fpdrift.step_debug._quantities import write
from fpdrift.step_debug._sensitivity import side, side64
from fpdrift.step_debug._trace import Step
from fpdrift.step_debug._trace_file import load
from fpdrift.subprocesses import Message, Report, serve
from fpdrift.training import Condition, _worker
from fpdrift.training._networks import build


def work(task: Message, _: Report) -> Message:
    """Do as the task says; see `fpdrift.step_debug._diagnose` for what is in it."""
    condition = Condition.from_dict(task["condition"])
    _worker.configure(condition)

    def make() -> Any:
        model = build(task["network"], condition.seed_for("dropout"))
        _worker.prepare(model, task["network"], jit=condition.jit)
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
