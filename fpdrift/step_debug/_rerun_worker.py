"""Worker program: rerun a run, check it against its record, and trace or split some of its steps.

`fpdrift.step_debug._rerun` starts it and passes its task; see `fpdrift.subprocesses`.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import keras  # noqa: TID253 - only the worker program gets here
import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.recorder._state import Arrays, hashes, sync
from fpdrift.step_debug._trace import Step
from fpdrift.step_debug._trace_file import TracedTensor, save
from fpdrift.step_debug._trace_file import load as read
from fpdrift.subprocesses import Message, Report, serve
from fpdrift.training import Condition, _worker
from fpdrift.training._datasets import Data, load
from fpdrift.training._networks import build
from fpdrift.training._protocol import BATCH

Hashes = npt.NDArray[np.uint64]


class Rerun(keras.callbacks.Callback):  # type: ignore[misc] # Keras ships no types
    """Check a rerun against the recorded hashes, and keep its state at some steps.

    Parameters
    ----------
    step : Step
    expected : dict of int to array
        The record's hashes at its steps.
    keep : set of int
        Steps at which to keep the state.
    last : int
        Step at which to stop.
    report : callable
        Called with the number of each finished step.
    """

    def __init__(
        self, step: Step, expected: dict[int, Hashes], keep: set[int], last: int, report: Report
    ) -> None:
        super().__init__()
        self._step, self._expected, self._keep, self._last = step, expected, keep, last
        self._report = report
        self.done = 0
        self.states: dict[int, Arrays] = {}
        self.hashes: dict[int, Hashes] = {}
        self.checked = 0
        self.mismatch: tuple[int, list[str]] | None = None
        self._check_state()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' own
        """Check the state after each step."""
        sync(self.model)
        self.done += 1
        self._check_state()
        self._report({"step": self.done})
        self.model.stop_training = self.done >= self._last

    def _check_state(self) -> None:
        arrays = self._step.state.read()
        found = self.hashes[self.done] = hashes(arrays)
        if self.done in self._expected:
            self.checked += 1
            unlike = differing_names(self._step, found, self._expected[self.done])
            if unlike and self.mismatch is None:
                self.mismatch = self.done, unlike
        if self.done in self._keep:
            self.states[self.done] = [np.array(values) for values in arrays]


def work(task: Message, report: Report) -> Message:
    """Run a task; see `fpdrift.step_debug._rerun` for its contents."""
    condition = Condition.from_dict(task["condition"])
    _worker.configure(condition)
    data = load(task["data"], task["labels"], validation=1)
    model = build(task["network"], condition.seed_for("dropout"))
    _worker.start(model, task["network"], condition)
    _worker.prepare(model, task["network"], jit=condition.jit)
    step = Step(model)
    folder, steps = Path(task["folder"]), task["steps"]
    expected = _expected(folder / "hashes.npz", step)
    rerun = Rerun(step, expected, set(steps), max(steps) + 1, report)
    repeat(model, data, condition.seed_for("order"), rerun, max(steps) + 1)
    answer: Message = {
        "checked": rerun.checked,
        "mismatch": rerun.mismatch,
        "exact": [],
        "unfaithful": [],
        "relus": step.relus,
    }
    for before in steps:
        after = expected.get(before + 1, rerun.hashes[before + 1])
        batch = batch_of(data, condition.seed_for("order"), before)
        if task["trace"]:
            step.restore(rerun.states[before])
            save(folder / f"traced{before}.npz", step.trace(batch))
            answer["unfaithful"] += differing_names(step, hashes(step.state.read()), after)
            continue
        save_state(folder / f"state{before}.npz", step, rerun.states[before], batch)
        step.restore(rerun.states.pop(before))
        step.advance(batch)
        answer["exact"].append(not differing_names(step, hashes(step.state.read()), after))
        save_state(folder / f"own{before}.npz", step, step.state.read(), ())
        if task["other"]:
            cross(step, Path(task["other"]) / f"state{before}.npz")
            save_state(folder / f"cross{before}.npz", step, step.state.read(), ())
    return answer


def repeat(model: Any, data: Data, seed: int, rerun: Rerun, steps: int) -> None:
    """Train as `fpdrift.training._worker` does, without writing a record."""
    an_epoch = math.ceil(len(data.train_images) / BATCH)
    model.fit(
        _worker.batches(data, seed),
        steps_per_epoch=min(steps, an_epoch),
        epochs=math.ceil(steps / an_epoch),
        callbacks=[rerun],
        shuffle=False,
        verbose=0,
    )


def batch_of(data: Data, seed: int, before: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the batch of the step after `before` updates."""
    return next(itertools.islice(_worker.batches(data, seed), before, None))


def differing_names(step: Step, found: Hashes, wanted: Hashes) -> list[str]:
    """Name the tensors whose hashes differ."""
    return [step.state.tensors[i].name for i in np.flatnonzero(found != wanted)]


def save_state(path: Path, step: Step, arrays: Arrays, batch: Any) -> None:
    """Write every variable of a state, and the next batch."""
    pairs = zip(step.state.tensors, arrays, strict=True)
    seen = [TracedTensor(tensor.role, tensor.name, "", values) for tensor, values in pairs]
    save(path, seen + [TracedTensor("batch", str(i), "", values) for i, values in enumerate(batch)])


def cross(step: Step, path: Path) -> None:
    """Do the other run's next update, from its state and with its batch."""
    arrays, batch = _read_state(path, step)
    step.restore(arrays)
    step.advance(batch)


def _read_state(path: Path, step: Step) -> tuple[Arrays, Arrays]:
    seen = list(read(path))
    size = len(step.state.tensors)
    for tensor, item in zip(step.state.tensors, seen, strict=False):
        if item.values.dtype.name != tensor.dtype:
            message = (
                f"{tensor.name} is {tensor.dtype} in one run and {item.values.dtype.name} in the "
                "other, so one run's step cannot start from the other's state; choose runs with "
                "the same weight dtype"
            )
            raise FpdriftError(message)
    return [item.values for item in seen[:size]], [item.values for item in seen[size:]]


def _expected(path: Path, step: Step) -> dict[int, Hashes]:
    """Read the record's hashes, checking that its tensors are those of the model."""
    with np.load(path, allow_pickle=False) as file:
        names, steps, table = [str(n) for n in file["names"]], file["steps"], file["hashes"]
    ours = [tensor.name for tensor in step.state.tensors]
    if names != ours:
        odd = next(iter(set(names) ^ set(ours)), "their order")
        message = f"the record's tensors are not those of the network that it names: {odd!r}"
        raise FpdriftError(message)
    return {int(at): row for at, row in zip(steps, table, strict=True)}


if __name__ == "__main__":
    serve(work)
