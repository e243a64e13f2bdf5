"""One row in many batches, and under many conditions: which of its results have equal bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from fpdrift.checks import check_callable, whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.process import check_timeout
from fpdrift.reduction.batch.conditions import default, known_conditions, reason_against
from fpdrift.reduction.batch.equality import equality
from fpdrift.reduction.batch.fresh import Answer, Progress, Task, answers
from fpdrift.reduction.batch.operations import (
    LIBRARIES,
    OPERATIONS,
    check_libraries,
    check_operations,
    how,
)
from fpdrift.reduction.batch.outcomes import (
    BatchClasses,
    BatchCondition,
    BatchRun,
    ConditionMatrix,
    ConditionReport,
    ConditionRun,
)
from fpdrift.reduction.batch.rows import placements

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
        message = f"batches is {shown(batches)}; give several sizes, such as (1, 8, 64)"
        raise FpdriftError(message)
    sizes = (whole("batches", size, 1, _LARGEST_BATCH) for size in batches)
    return Task(
        operations=check_operations(operations),
        batches=tuple(dict.fromkeys(sizes)),
        seed=whole("seed", seed, 0, 2**64 - 1),
        timeout=timeout,
    )


def _check_conditions(conditions: Sequence[BatchCondition]) -> Sequence[BatchCondition]:
    if not isinstance(conditions, Sequence) or not conditions:
        message = (
            f"conditions is {shown(conditions)}; give several, of known_conditions or your own"
        )
        raise FpdriftError(message)
    for condition in conditions:
        if not isinstance(condition, BatchCondition):
            message = f"{shown(condition)} is no condition; give a BatchCondition"
            raise FpdriftError(message)
    names = [(condition.library, condition.name) for condition in conditions]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        message = f"two conditions of {twice[0]} are called {shown(twice[1])}; name them apart"
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
