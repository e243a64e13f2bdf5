"""Worker program: measure the sensitivity of one step of a run, and repeat the step in float64.

`fpdrift.step_debug._diagnose` starts it and passes its task; see `fpdrift.subprocesses`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fpdrift.step_debug._float64_step import float64_step
from fpdrift.step_debug._quantities import write
from fpdrift.step_debug._sensitivity import measure_float64_side, measure_side
from fpdrift.step_debug._trace import Step
from fpdrift.step_debug._trace_file import load
from fpdrift.subprocesses import Message, Report, serve
from fpdrift.training import Condition, _worker
from fpdrift.training._networks import build


def work(task: Message, _: Report) -> Message:
    """Run a task; see `fpdrift.step_debug._diagnose` for its contents."""
    condition = Condition.from_dict(task["condition"])
    _worker.configure(condition)

    def make() -> Any:
        model = build(task["network"], condition.seed_for("dropout"))
        _worker.prepare(model, task["network"], jit=condition.jit)
        return model

    return measure_both(make, task)


def measure_both(make: Callable[[], Any], task: Message) -> Message:
    """Measure a run's own step, and the float64 step from the common start; write both."""
    step = Step(make())
    names = [tensor.name for tensor in step.state.tensors]
    low = measure_side(step, *_start(task["own"], task["own"], names))
    start, batch = _start(task["state"], task["batch"], names)
    high = measure_float64_side(float64_step(make, batch), start, batch)
    write(Path(task["low"]), low)
    if high is not None:
        write(Path(task["high"]), high)
    return {"wide": high is not None}


def _start(state: str, batch: str, names: list[str]) -> tuple[list[Any], list[Any]]:
    """Read the starting state, in the order of the names, and the batch of a step."""
    before = {item.name: item.values for item in load(Path(state)) if item.stage == "before"}
    given = {item.name: item.values for item in load(Path(batch)) if item.stage == "before"}
    return [before[name] for name in names], [given["batch/0"], given["batch/1"]]


if __name__ == "__main__":
    serve(work)
