"""Run a script in fresh processes, each in a scratch folder of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fpdrift.doctor._interventions import ENVIRONMENT
from fpdrift.doctor._remedies import changes
from fpdrift.doctor._workspace import copy_folder, files_in
from fpdrift.errors import ChildError
from fpdrift.subprocesses import Message, run_module
from fpdrift.text import plural

Event = dict[str, Any]


@dataclass(frozen=True)
class Trace:
    """What one run of a script did."""

    number: int  #: of the run, from 1
    interventions: tuple[str, ...]
    folder: Path  #: with ``records/`` and ``work/``
    seconds: float
    ended: str  #: "finished", or what happened instead
    line: int  #: of the error, or 0
    digest: str  #: of all trained variables; empty if nothing was trained
    steps: int
    draws: list[Event] = field(repr=False)
    keras: bool  #: whether it imported Keras
    cpu: float = 0.0  #: seconds of all cores for its trainings
    left: frozenset[Path] = frozenset()  #: files that the run left in its folder
    events: list[Event] = field(default_factory=list, repr=False)
    #: what `--resume` and `--twice` found in it
    resume: Message = field(default_factory=dict, repr=False)
    twice: Message = field(default_factory=dict, repr=False)

    @property
    def failed(self) -> bool:
        """Whether it ended early and without anything trained, or was killed."""
        return not self.digest and self.ended != "finished"

    @property
    def outcome(self) -> tuple[str, int]:
        """What two equal runs have in common: the bits of what was trained, and the steps."""
        return self.digest, self.steps

    def seeds(self) -> list[Any]:
        """Return the seeds that the script has set, in order."""
        found = []
        for event in self.draws:
            if event["event"] == "seed" and event["call"] in SEEDING_CALLS:
                with suppress(ValueError, TypeError):
                    found.append(int(event["value"]))
        return found


#: Calls that "pinned seeds" answers in order.
SEEDING_CALLS = {
    "random.seed",
    "numpy.random.seed",
    "np.random.seed",
    "np.random.default_rng",
    "numpy.random.default_rng",
    "tf.random.set_seed",
    "keras.utils.set_random_seed",
    "torch.manual_seed",
}


class Runner:
    """Run one script as often as needed.

    Parameters
    ----------
    script : Path
        A script or a notebook, absolute.
    arguments : sequence of str
        Its command line.
    scratch : Path
        Folder for everything that the runs write.
    steps : int, optional
        Steps after which each `fit` ends.
    timeout : float, optional
        Seconds after which a run is killed.
    progress : callable
        Called with a sentence about each run that begins.
    workers : int
        Runs at a time.
    """

    def __init__(
        self,
        script: Path,
        arguments: Sequence[str],
        scratch: Path,
        *,
        steps: int | None = None,
        timeout: float | None = None,
        progress: Callable[[str], None] = lambda _: None,
        workers: int = 2,
    ) -> None:
        self.script, self._arguments, self._scratch = script, list(arguments), scratch
        self._steps, self._timeout, self._workers = steps, timeout, workers
        self._progress = progress
        self.traces: list[Trace] = []

    def pair(self, interventions: Sequence[str], pinned: Sequence[Any] = ()) -> tuple[Trace, Trace]:
        """Run the script twice under the same interventions."""
        numbers = (len(self.traces) + 1, len(self.traces) + 2)
        what = f" with {changes(interventions)}" if interventions else " as it is"
        self._progress(f"runs {numbers[0]} and {numbers[1]}{what}")
        with ThreadPoolExecutor(self._workers) as pool:
            ours = list(pool.map(lambda n: self._run(n, interventions, pinned), numbers))
        self.traces += ours
        return ours[0], ours[1]

    def again(self, trace: Trace, pinned: Sequence[Any] = ()) -> Trace:
        """Run the script once more in the folder that an earlier run has left."""
        number = len(self.traces) + 1
        self._progress(f"run {number} in the folder that run {trace.number} left")
        found = self._run(number, trace.interventions, pinned, working=trace.folder / "work")
        self.traces.append(found)
        return found

    def phases(self, tasks: Sequence[Message], what: str) -> list[Trace]:
        """Run the script once for each task, with these additions to it."""
        numbers = range(len(self.traces) + 1, len(self.traces) + len(tasks) + 1)
        self._progress(f"{what} ({plural(len(tasks), 'run')})")
        with ThreadPoolExecutor(self._workers) as pool:
            found = [
                pool.submit(self._run, n, (), (), more=t)
                for n, t in zip(numbers, tasks, strict=True)
            ]
        self.traces += [task.result() for task in found]
        return self.traces[-len(tasks) :]

    def one(self, interventions: Sequence[str], pinned: Sequence[Any] = ()) -> Trace:
        """Run the script once."""
        number = len(self.traces) + 1
        self._progress(f"run {number} with {changes(interventions)}")
        found = self._run(number, interventions, pinned)
        self.traces.append(found)
        return found

    def _run(
        self,
        number: int,
        interventions: Sequence[str],
        pinned: Sequence[Any],
        working: Path | None = None,
        more: Message | None = None,
    ) -> Trace:
        folder = self._scratch / f"run-{number}"
        (folder / "records").mkdir(parents=True)
        here = Path.cwd()
        if working is None:
            working = folder / "work"
            copy_folder(here, working)
        before = files_in(working)
        inside = self.script.is_relative_to(here)
        script = working / self.script.relative_to(here) if inside else self.script
        task = {
            "script": str(script),
            "arguments": self._arguments,
            "folder": str(folder / "records"),
            "working": str(working),
            "interventions": list(interventions),
            "pinned": list(pinned),
            "steps": self._steps,
            **(more or {}),
        }
        begun = time.perf_counter()
        told = self._in_process(task, interventions)
        seconds = time.perf_counter() - begun
        left = frozenset(path.relative_to(working) for path in files_in(working) - before)
        return Trace(number, tuple(interventions), folder, seconds, left=left, **told)

    def _in_process(self, task: Message, interventions: Sequence[str]) -> Message:
        env = {name: v for i in interventions for name, v in ENVIRONMENT.get(i, {}).items()}
        group: list[int] = []
        try:
            return run_module(
                "fpdrift.doctor._worker",
                task,
                env=env,
                timeout=self._timeout,
                on_progress=lambda message: group.append(message["group"]),
            )
        except ChildError as error:
            how = str(error).removeprefix("fpdrift.doctor._worker ")
            nothing = {"digest": "", "steps": 0, "draws": [], "keras": False}
            return {"ended": how, "line": 0, **nothing}
        finally:
            for leader in group:  # what the script has started and not ended
                with suppress(OSError):
                    os.killpg(leader, signal.SIGKILL)
