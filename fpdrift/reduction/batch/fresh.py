"""Compute rows in fresh processes, one a condition."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from fpdrift.errors import FpdriftError
from fpdrift.floats import format_of
from fpdrift.process import Message, run_module
from fpdrift.reduction.batch.conditions import environment
from fpdrift.reduction.batch.operations import draw
from fpdrift.reduction.batch.outcomes import ConditionReport
from fpdrift.reduction.batch.rows import RowResults

#: Called with the conditions done, all of them, and the name of the one that comes next.
Progress = Callable[[int, int, str], None]

_WORKER = "fpdrift.reduction.batch.worker"


@dataclass(frozen=True, slots=True)
class Task:
    """What every process is asked for."""

    operations: tuple[str, ...]
    batches: tuple[int, ...]
    seed: int
    timeout: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one process gave."""

    report: ConditionReport
    #: operation -> the row's results; nothing where the report has a reason
    results: dict[str, RowResults]


def answers(
    task: Task, reports: Sequence[ConditionReport], progress: Progress | None
) -> tuple[Answer, ...]:
    """Run a process for each condition that has no reason against it.

    A process that fails, dies or hangs becomes its condition's reason. Numbers are drawn once.
    """
    done: list[Answer] = []
    with _stored(task) as data:
        for number, report in enumerate(reports):
            if progress is not None:
                progress(number, len(reports), report.condition.name)
            done.append(Answer(report, {}) if report.reason else _answer(task, report, data))
    if progress is not None:
        progress(len(reports), len(reports), "")
    return tuple(done)


@contextmanager
def _stored(task: Task) -> Iterator[Path]:
    """Draw all numbers into a file that the processes read."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "numbers.npz"
        arrays = {
            f"{name} {i}": array
            for name in task.operations
            for i, array in enumerate(draw(name, task.seed, max(task.batches)))
        }
        try:
            np.savez(path, **arrays)  # type: ignore[arg-type]  # its stub mixes up the keywords
        except OSError as error:
            message = f"cannot write the rows to the folder for temporary files: {error}"
            raise FpdriftError(message) from None
        yield path


def _answer(task: Task, report: ConditionReport, data: Path) -> Answer:
    condition = report.condition
    payload: Message = {
        "library": condition.library,
        "threads": condition.threads,
        "operations": list(task.operations),
        "batches": list(task.batches),
        "data": str(data),
    }
    try:
        given = run_module(_WORKER, payload, env=environment(condition), timeout=task.timeout)
        results = {name: _results(value) for name, value in given["outcomes"].items()}
    except FpdriftError as error:
        return Answer(ConditionReport(condition=condition, reason=str(error)), {})
    return Answer(ConditionReport(condition=condition, found=given["found"]), results)


def _results(value: Message) -> RowResults:
    flat = np.frombuffer(base64.b64decode(value["bytes"]), format_of(value["dtype"]).dtype)
    return RowResults(
        values=flat.reshape(value["shape"]),
        repeats=value["repeats"],
        unsteady=tuple(value["unsteady"]),
        neighbours=tuple(value["neighbours"]),
    )
