"""One row in many batches, and under many conditions: which of its results have equal bits.

Compute rows in fresh processes, one a condition.
"""

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

#: Called with the conditions done, all of them, and the name of the one that comes next.
Progress = Callable[[int, int, str], None]

_WORKER = "fpdrift.reduction.batch._worker"


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
    """Compute the same row in batches of several sizes, and compare the bits of its results.

    Libraries choose their blocking, and so the order of their additions, by the shape of what they
    are given: a row's result may depend on how many others were computed beside it, and on its
    place among them. Each batch is repeated, and asked again with its neighbours' values replaced:
    that tells these causes from nondeterminism, and from operations on the whole batch. Each
    library runs in a fresh process on numbers drawn once by NumPy; what the user's shell sets
    (threads, instruction sets) is left out.

    Parameters
    ----------
    operations : sequence of str
        Of "matmul" (4096 to 128), "convolution" (32 kernels of 3x3 over 28x28x1; in NumPy sliding
        windows and one matmul), "softmax" (of 1000), or functions of your own as "module:function":
        given a float32 batch (b, 512), they return (b, ...). Their code runs in fresh processes.
    batches : sequence of int
        Sizes of the batch, 1 to 4096; in each, the row stands first and then last.
    libraries : sequence of {"numpy", "tensorflow"}
    seed : int, default 1
        Of the numbers; all are float32 and standard normal.
    timeout : float, optional
        Seconds that a process may take; None for no limit.
    progress : callable, optional
        Called with the processes done, all processes, and the next one's name.

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
    """Compute the same row under several conditions, and compare each with each.

    Every condition gets a fresh process, since libraries choose instructions and threads at their
    start; one that dies or takes too long costs its own condition only.

    Parameters
    ----------
    operations, batches, seed, timeout
        As in `batch_classes`.
    conditions : sequence of BatchCondition, optional
        By default all of `known_conditions`.
    libraries : sequence of {"numpy", "tensorflow"}
        Whose known conditions to try; not asked for where `conditions` are given.
    progress : callable, optional
        Called with the conditions done, all conditions, and the next one's name.

    Returns
    -------
    ConditionMatrix
        For each operation of each library the conditions in classes of equal bits and the ulps
        between them, and what the batch sizes do under each; `skipped` says why a condition has
        no results.

    Raises
    ------
    FpdriftError
        If an argument is out of its range or unknown.
    """
    task = _task(operations, batches, seed, timeout, progress)
    if conditions is None:
        reports = known_conditions(libraries)
    else:
        reports = tuple(_report(condition) for condition in _check_conditions(conditions))
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
        message = f"batches is {short_repr(batches)}; give several sizes, such as (1, 8, 64)"
        raise FpdriftError(message)
    sizes = (check_int("batches", size, 1, _LARGEST_BATCH) for size in batches)
    return Task(
        operations=check_operations(operations),
        batches=tuple(dict.fromkeys(sizes)),
        seed=check_int("seed", seed, 0, 2**64 - 1),
        timeout=timeout,
    )


def _check_conditions(conditions: Sequence[BatchCondition]) -> Sequence[BatchCondition]:
    if not isinstance(conditions, Sequence) or not conditions:
        message = (
            f"conditions is {short_repr(conditions)}; give several, of known_conditions or your own"
        )
        raise FpdriftError(message)
    for condition in conditions:
        if not isinstance(condition, BatchCondition):
            message = f"{short_repr(condition)} is no condition; give a BatchCondition"
            raise FpdriftError(message)
    names = [(condition.library, condition.name) for condition in conditions]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        message = f"two conditions of {twice[0]} are called {short_repr(twice[1])}; name them apart"
        raise FpdriftError(message)
    return conditions


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
        # Where a repeat differs, a call with other neighbours tells nothing of them.
        neighbours_matter=() if any(found.unsteady) else _sizes(places, found.neighbours),
    )


def _sizes(places: Sequence[tuple[int, str]], flags: Sequence[bool]) -> tuple[int, ...]:
    """Name the batch sizes that have a flag at any place of the row."""
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
