"""Compare the bits of functions over memory addresses, in a fresh process for each kernel set."""

from __future__ import annotations

from collections.abc import Sequence

from fpdrift.errors import FpdriftError
from fpdrift.reduction.batch._addresses import (
    FUNCTIONS,
    check_functions,
    offsets,
    runs_in,
    tasks,
)
from fpdrift.reduction.batch._conditions import kernel_sets
from fpdrift.reduction.batch._operations import LIBRARIES
from fpdrift.reduction.batch._results import (
    AlignmentRun,
    AlignmentTable,
    BatchCondition,
    equality,
)
from fpdrift.reduction.batch._study import Answer, Progress, Task, answers, reports_of
from fpdrift.subprocesses import check_timeout
from fpdrift.validation import check_callable, check_int


def alignment_table(
    operations: Sequence[str] = FUNCTIONS,
    *,
    conditions: Sequence[BatchCondition] | None = None,
    libraries: Sequence[str] = LIBRARIES,
    seed: int = 1,
    timeout: float | None = 300,
    progress: Progress | None = None,
) -> AlignmentTable:
    """Compute functions on the same numbers at 8 memory addresses, and compare the bits.

    The inputs begin 0 to 7 elements after a multiple of 64 bytes, all of one call at the same
    offset. Outputs and temporary arrays are wherever the library allocates them. Each call is
    repeated in new memory, which distinguishes the address from nondeterminism. Every kernel set
    gets a fresh process, because libraries choose their kernels when they start.

    Parameters
    ----------
    operations : sequence of str
        Functions of NumPy, SciPy and TensorFlow such as "scipy.linalg.blas:dasum" (all of
        `FUNCTIONS` by default), or your own as "module:function": they take (1003,) numbers,
        float32 and float64, in a fresh process.
    conditions : sequence of BatchCondition, optional
        The kernel sets; by default the instruction sets and oneDNN settings of `known_conditions`.
    libraries : sequence of {"numpy", "tensorflow"}
        Whose kernel sets to try; SciPy's functions run with NumPy's. Ignored if `conditions` are
        given.
    seed : int, default 1
        Seed of the numbers, which are standard normal.
    timeout : float, optional
        Time limit of a process in seconds; None for no limit.
    progress : callable, optional
        Called with the number of kernel sets done, their total, and the name of the next.

    Returns
    -------
    AlignmentTable
        For each function and dtype the number of distinct results under each kernel set, and
        their largest distance in ulps; `skipped` says why a kernel set was not tested.

    Raises
    ------
    FpdriftError
        If an argument is out of its range or unknown.
    """
    check_callable("progress", progress)
    check_timeout(timeout)
    names = check_functions(operations)
    known = kernel_sets(libraries) if conditions is None else reports_of(conditions)
    reports = [one for one in known if any(runs_in(name, one.condition.library) for name in names)]
    if not reports:
        tried = ", ".join(dict.fromkeys(one.condition.library for one in known))
        message = f"{names[0]} does not run in {tried}; choose its own library"
        raise FpdriftError(message)
    task = Task(tasks(names), (), check_int("seed", seed, 0, 2**64 - 1), timeout, aligned=True)
    done = answers(task, reports, progress)
    return AlignmentTable(
        seed=task.seed,
        runs=tuple(
            _run(name, library, group)
            for library in dict.fromkeys(one.condition.library for one in reports)
            for name in task.operations_in(library)
            if (group := [a for a in done if a.results and a.report.condition.library == library])
        ),
        reports=tuple(answer.report for answer in done),
    )


def _run(name: str, library: str, group: Sequence[Answer]) -> AlignmentRun:
    function, _, dtype = name.partition(" ")
    its = offsets(dtype)
    found = [answer.results[name] for answer in group]
    equal = [equality([f"{offset}" for offset in its], [*one.values]) for one in found]
    return AlignmentRun(
        operation=function,
        dtype=dtype,
        library=library,
        conditions=tuple(answer.report.condition.name for answer in group),
        offsets=its,
        classes=tuple(one.classes for one in equal),
        ulps=tuple(one.most_ulps for one in equal),
        unsteady=tuple(any(one.unsteady) for one in found),
    )
