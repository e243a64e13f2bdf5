"""Compare the bits of one row across batch sizes and conditions, one process per condition."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import format_of
from fpdrift.reduction.batch._addresses import draw_inputs, runs_in
from fpdrift.reduction.batch._conditions import (
    default,
    environment,
    known_conditions,
    reason_against,
)
from fpdrift.reduction.batch._operations import (
    LIBRARIES,
    OPERATIONS,
    RowResults,
    check_libraries,
    check_operations,
    draw,
    how,
    placements,
)
from fpdrift.reduction.batch._results import (
    BatchClasses,
    BatchCondition,
    BatchRun,
    ConditionMatrix,
    ConditionReport,
    ConditionRun,
    equality,
)
from fpdrift.subprocesses import Message, check_timeout, run_module
from fpdrift.validation import check_callable, check_int

#: Called with the number of conditions done, their total, and the name of the next.
Progress = Callable[[int, int, str], None]

_WORKER = "fpdrift.reduction.batch._worker"


@dataclass(frozen=True, slots=True)
class Task:
    """The task of every process."""

    operations: tuple[str, ...]
    batches: tuple[int, ...]
    seed: int
    timeout: float | None
    #: whether operations are functions with their dtypes, to be computed at several addresses
    aligned: bool = False

    def draw(self, name: str) -> tuple[npt.NDArray[Any], ...]:
        """Draw the numbers of an operation."""
        if self.aligned:
            return draw_inputs(name, self.seed)
        return draw(name, self.seed, max(self.batches))

    def operations_in(self, library: str) -> list[str]:
        """Return the operations that a library's process computes."""
        return [
            name
            for name in self.operations
            if not self.aligned or runs_in(name.partition(" ")[0], library)
        ]


@dataclass(frozen=True, slots=True)
class Answer:
    """The results of one process."""

    report: ConditionReport
    #: operation -> the row's results; empty if the report has a reason
    results: dict[str, RowResults]


def answers(
    task: Task, reports: Sequence[ConditionReport], progress: Progress | None
) -> tuple[Answer, ...]:
    """Run a process for each condition that is available.

    If a process fails, dies or hangs, its condition's reason says so. Numbers are drawn once.
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
    """Write all numbers to a file that the processes read."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "numbers.npz"
        arrays = {
            f"{name} {i}": array
            for name in task.operations
            for i, array in enumerate(task.draw(name))
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
        "operations": task.operations_in(condition.library),
        "batches": list(task.batches),
        "aligned": task.aligned,
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


BATCHES = (1, 2, 3, 8, 64, 1000)
_LARGEST_BATCH = 4096


def batch_classes(
    operations: Sequence[str] = OPERATIONS,
    *,
    batches: Sequence[int] = BATCHES,
    libraries: Sequence[str] = LIBRARIES,
    seed: int = 1,
    timeout: float | None = 300,
    progress: Progress | None = None,
) -> BatchClasses:
    """Compute the same row in batches of several sizes, and compare the bits of the results.

    Libraries choose their blocking, and therefore the order of their additions, by the shape of
    their input: a row's result may depend on the number of rows computed with it, and on its
    position among them. Each batch is repeated, and computed again with the neighbours' values
    replaced, which distinguishes these causes from nondeterminism and from operations on the whole
    batch. Each library runs in a fresh process on numbers drawn once by NumPy; settings of the
    user's shell (threads, instruction sets) are removed.

    Parameters
    ----------
    operations : sequence of str
        "matmul" (4096 to 128), "convolution" (32 kernels of 3x3 over 28x28x1; in NumPy sliding
        windows and one matmul), "softmax" (of 1000), or your own functions as "module:function":
        they take a float32 batch (b, 512) and return (b, ...), in a fresh process.
    batches : sequence of int
        Batch sizes, 1 to 4096; the row is first and then last in each batch.
    libraries : sequence of {"numpy", "tensorflow"}
    seed : int, default 1
        Seed of the numbers, which are float32 and standard normal.
    timeout : float, optional
        Time limit of a process in seconds; None for no limit.
    progress : callable, optional
        Called with the number of processes done, their total, and the name of the next.

    Returns
    -------
    BatchClasses
        A run for each operation of each library; `skipped` says why a library has none.

    Raises
    ------
    FpdriftError
        If an argument is out of its range or unknown.
    """
    task = _task(operations, batches, seed, timeout, progress)
    reports = [_report(default(library)) for library in check_libraries(libraries)]
    done = answers(task, reports, progress)
    return BatchClasses(
        seed=task.seed,
        batches=task.batches,
        runs=tuple(_batch_run(task, name, answer) for answer in done for name in answer.results),
        reports=tuple(answer.report for answer in done),
    )


def condition_matrix(
    operations: Sequence[str] = OPERATIONS,
    *,
    conditions: Sequence[BatchCondition] | None = None,
    batches: Sequence[int] = BATCHES,
    libraries: Sequence[str] = LIBRARIES,
    seed: int = 1,
    timeout: float | None = 300,
    progress: Progress | None = None,
) -> ConditionMatrix:
    """Compute the same row under several conditions, and compare the results pairwise.

    Every condition gets a fresh process, because libraries choose instructions and threads when
    they start. If a process dies or takes too long, only its own condition is lost.

    Parameters
    ----------
    operations, batches, seed, timeout
        As in `batch_classes`.
    conditions : sequence of BatchCondition, optional
        All of `known_conditions` by default.
    libraries : sequence of {"numpy", "tensorflow"}
        Libraries whose known conditions to try; ignored if `conditions` are given.
    progress : callable, optional
        Called with the number of conditions done, their total, and the name of the next.

    Returns
    -------
    ConditionMatrix
        For each operation of each library, the conditions in classes of equal bits, the distances
        between them in ulps, and the effect of the batch sizes under each; `skipped` says why a
        condition has no results.

    Raises
    ------
    FpdriftError
        If an argument is out of its range or unknown.
    """
    task = _task(operations, batches, seed, timeout, progress)
    reports = known_conditions(libraries) if conditions is None else reports_of(conditions)
    done = answers(task, reports, progress)
    groups = {
        library: [a for a in done if a.results and a.report.condition.library == library]
        for library in LIBRARIES
    }
    return ConditionMatrix(
        seed=task.seed,
        batches=task.batches,
        runs=tuple(
            _condition_run(task, name, group)
            for group in groups.values()
            if group
            for name in task.operations
        ),
        reports=tuple(answer.report for answer in done),
    )


def _task(
    operations: Sequence[str],
    batches: Sequence[int],
    seed: int,
    timeout: float | None,
    progress: Progress | None,
) -> Task:
    check_callable("progress", progress)
    check_timeout(timeout)
    if not isinstance(batches, Sequence) or isinstance(batches, str) or not batches:
        message = f"batches is {short_repr(batches)}; pass several sizes, such as (1, 8, 64)"
        raise FpdriftError(message)
    sizes = (check_int("batches", size, 1, _LARGEST_BATCH) for size in batches)
    return Task(
        operations=check_operations(operations),
        batches=tuple(dict.fromkeys(sizes)),
        seed=check_int("seed", seed, 0, 2**64 - 1),
        timeout=timeout,
    )


def reports_of(conditions: Sequence[BatchCondition]) -> tuple[ConditionReport, ...]:
    """Return a report on each of the given conditions; raise FpdriftError if one is bad."""
    if not isinstance(conditions, Sequence) or not conditions:
        message = f"conditions is {short_repr(conditions)}; pass several BatchConditions"
        raise FpdriftError(message)
    for condition in conditions:
        if not isinstance(condition, BatchCondition):
            message = f"{short_repr(condition)} is not a condition; pass a BatchCondition"
            raise FpdriftError(message)
    names = [(condition.library, condition.name) for condition in conditions]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        message = f"two {twice[0]} conditions are named {short_repr(twice[1])}; use different names"
        raise FpdriftError(message)
    return tuple(map(_report, conditions))


def _report(condition: BatchCondition) -> ConditionReport:
    return ConditionReport(condition=condition, reason=reason_against(condition))


def _batch_run(task: Task, name: str, answer: Answer) -> BatchRun:
    library = answer.report.condition.library
    places = placements(task.batches)
    labels = [str(size) if place == "alone" else f"{size} {place}" for size, place in places]
    found = answer.results[name]
    return BatchRun(
        operation=name,
        library=library,
        how=how(library, name),
        batches=tuple(size for size, _ in places),
        places=tuple(place for _, place in places),
        equality=equality(labels, [*found.values]),
        repeats=found.repeats,
        unsteady=_sizes(places, found.unsteady),
        # If a repeat differs, a call with other neighbours says nothing about them.
        neighbours_matter=() if any(found.unsteady) else _sizes(places, found.neighbours),
    )


def _sizes(places: Sequence[tuple[int, str]], flags: Sequence[bool]) -> tuple[int, ...]:
    """Return the batch sizes with a flag at any position of the row."""
    return tuple(dict.fromkeys(size for (size, _), flag in zip(places, flags, strict=True) if flag))


def _condition_run(task: Task, name: str, group: list[Answer]) -> ConditionRun:
    library = group[0].report.condition.library
    results: list[npt.NDArray[Any]] = [answer.results[name].values for answer in group]
    return ConditionRun(
        operation=name,
        library=library,
        how=how(library, name),
        equality=equality([answer.report.condition.name for answer in group], results),
        within=tuple(_batch_run(task, name, answer) for answer in group),
    )
