"""Rerun two runs up to a step, and find the tensor in which they diverge."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fpdrift.comparison import Comparison, compare
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.records import Record, open_record
from fpdrift.step_debug._decompose import split
from fpdrift.step_debug._results import RerunCheck, StepExplained, StepSplit
from fpdrift.step_debug._trace_file import TracedTensor, differences, load
from fpdrift.subprocesses import Message, check_timeout, run_module
from fpdrift.training import Condition
from fpdrift.training import _datasets as data_sets
from fpdrift.training._condition import BACKENDS
from fpdrift.training._networks import network_of
from fpdrift.training._train import MOST_STEPS, environment
from fpdrift.validation import check_callable, check_choice, check_int

Source = Record | str | os.PathLike[str]
Progress = Callable[[str, int, int], None]
#: Most steps to split at once: each keeps full states on disk meanwhile.
MOST_SPLITS = 100


def explain_step(
    a: Source,
    b: Source,
    step: int | None = None,
    *,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> StepExplained:
    """Compare one training step of two runs tensor by tensor, in order of computation.

    Each run is rerun in a fresh process under its own condition, and every recorded step is checked
    against the record's hashes. The step is then traced, starting from the state before it.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records written by `fpdrift.train`, or their files.
    step : int, optional
        Number of the step, as in records: the update from step - 1 to step. By default, the first
        step at which any tensor differs; 1 if the runs differ before that.
    timeout : float, optional
        Time limit in seconds for each of the two processes.
    progress : callable, optional
        Called with a record's name, the number of steps done and the total.

    Returns
    -------
    StepExplained
        Its `exact` reports whether the traced steps are bit-identical to those of the runs.

    Raises
    ------
    FpdriftError
        If a record was not written by `fpdrift.train`, the runs never differ and no step is given,
        the step was not recorded, or the run cannot be rerun on this machine.
    ChildError
        If a process fails, is killed or exceeds the time limit.
    """
    a, b = as_record(a), as_record(b)
    comparison = compare(a, b)
    chosen = first_step(comparison) if step is None else check_step(step, comparison)
    with traced_steps(a, b, [chosen], timeout, progress) as steps:
        return compare_traced(steps, chosen)


class TracedSteps(NamedTuple):
    """Traced steps of two reruns; their files exist only inside the `with` block."""

    runs: tuple[RerunCheck, RerunCheck]
    #: the network's ReLU layers, see `fpdrift.step_debug._trace.Taps.relus`
    relus: dict[str, str]
    folders: list[Path]

    def tensors(self, step: int) -> tuple[Iterator[TracedTensor], Iterator[TracedTensor]]:
        """Return the tensors of one step, of A and of B."""
        a, b = (load(folder / f"traced{step - 1}.npz") for folder in self.folders)
        return a, b


@contextmanager
def traced_steps(
    a: Record, b: Record, steps: Sequence[int], timeout: float | None, progress: Progress | None
) -> Iterator[TracedSteps]:
    """Rerun two runs in fresh processes and trace some of their steps."""
    _check_options(timeout, progress)
    tasks = [_task(record) for record in (a, b)]
    with tempfile.TemporaryDirectory(prefix="fpdrift-") as place:
        folders = [Path(place, side) for side in "ab"]
        answers = [
            _run(record, task, folder, [step - 1 for step in steps], timeout, progress)
            for record, task, folder in zip((a, b), tasks, folders, strict=True)
        ]
        run_a, run_b = (_rerun_check(*pair) for pair in zip((a, b), answers, strict=True))
        yield TracedSteps((run_a, run_b), answers[0]["relus"], folders)


def compare_traced(steps: TracedSteps, step: int) -> StepExplained:
    """Compare a traced step of two runs."""
    compared, found, unmatched = differences(*steps.tensors(step))
    return StepExplained(
        step=step,
        run_a=steps.runs[0],
        run_b=steps.runs[1],
        compared=compared,
        differences=found,
        unmatched=unmatched,
    )


def split_steps(
    a: Source,
    b: Source,
    steps: Sequence[int],
    *,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> tuple[StepSplit, ...]:
    """Split the distance after a step into what the step injected and what it amplified.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records written by `fpdrift.train`, or their files.
    steps : sequence of int
        Number of updates before each step to split, at least 0; at most 100 steps.
    timeout, progress
        As in `explain_step`.

    Returns
    -------
    tuple of StepSplit
        In ascending order of the steps.

    Raises
    ------
    FpdriftError, ChildError
        As in `explain_step`; also if the weights of the two runs have different dtypes.
    """
    a, b = as_record(a), as_record(b)
    comparison = compare(a, b)
    if not isinstance(steps, Sequence | np.ndarray) or not 0 < len(steps) <= MOST_SPLITS:
        message = f"steps is {short_repr(steps)}; pass 1 to {MOST_SPLITS} integers"
        raise FpdriftError(message)
    chosen = sorted(
        {check_step(check_int("step", s, 0, MOST_STEPS) + 1, comparison) - 1 for s in steps}
    )
    _check_options(timeout, progress)
    for record in (a, b):
        _task(record)
    with tempfile.TemporaryDirectory(prefix="fpdrift-") as place:
        folders = [Path(place, side) for side in "ab"]
        exact_b = _run(b, _task(b), folders[1], chosen, timeout, progress, trace=False)["exact"]
        exact_a = _run(
            *(a, _task(a), folders[0], chosen, timeout, progress),
            trace=False,
            other=str(folders[1]),
        )["exact"]
        return tuple(
            split(at, folders[0], folders[1], exact_a=ours, exact_b=theirs)
            for at, ours, theirs in zip(chosen, exact_a, exact_b, strict=True)
        )


def as_record(source: Source) -> Record:
    """Return a record, opening it if a path is given."""
    return open_record(source) if isinstance(source, str | os.PathLike) else source


def first_step(comparison: Comparison) -> int:
    """Return the update after which two runs first differ.

    Raises
    ------
    FpdriftError
        If they never do.
    """
    if comparison.first_difference is None:
        last = comparison.recorded_steps[-1]
        message = f"the runs are identical for all {last} steps; pass a step to inspect it anyway"
        raise FpdriftError(message)
    return max(1, comparison.first_difference.step)


def check_step(step: Any, comparison: Comparison) -> int:
    """Check that a step was recorded, and return it as an int of at least 1."""
    return check_int("step", step, 1, max(1, int(comparison.recorded_steps[-1])))


def _check_options(timeout: float | None, progress: Progress | None) -> None:
    check_timeout(timeout)
    check_callable("progress", progress)


def _task(record: Record) -> Message:
    """Read the settings of a run from its record, checking each: the record is untrusted."""
    meta = record.meta
    data = meta.get("data")
    if not isinstance(data, Mapping) or "condition" not in meta:
        message = (
            f"{short_repr(record.name)} was not written by fpdrift.train, so its run cannot be "
            "rerun; to trace a step of any model, see fpdrift.step_debug.keep_step and "
            "explain_kept (docs/your-model.md)"
        )
        raise FpdriftError(message)
    condition = Condition.from_dict(meta["condition"])
    network_of(meta.get("network", ""))
    data_sets.check(data.get("name", ""), data.get("labels", ""))
    check_choice("backend of the record", meta.get("backend"), BACKENDS)
    return {
        "condition": condition.to_dict(),
        "network": meta["network"],
        "data": data["name"],
        "labels": data["labels"],
        "backend": meta["backend"],
    }


def _run(
    record: Record,
    task: Message,
    folder: Path,
    steps: list[int],
    timeout: float | None,
    progress: Progress | None,
    *,
    trace: bool = True,
    other: str | None = None,
) -> Message:
    """Rerun a run in a fresh process, which writes its results to the folder."""
    folder.mkdir()
    np.savez(
        folder / "hashes.npz",
        names=np.array([tensor.name for tensor in record.tensors]),
        steps=record.steps,
        hashes=record.hashes,
    )
    last = max(steps) + 1
    report = None if progress is None else lambda sent: progress(record.name, sent["step"], last)
    condition = Condition.from_dict(task["condition"])
    return run_module(
        "fpdrift.step_debug._rerun_worker",
        task | {"folder": str(folder), "steps": steps, "trace": trace, "other": other},
        env=environment(condition, task["data"], task["backend"]),
        timeout=timeout,
        on_progress=report,
    )


def _rerun_check(record: Record, answer: Message) -> RerunCheck:
    mismatch, tensors = answer["mismatch"] or (None, ())
    return RerunCheck(
        name=record.name,
        checked=answer["checked"],
        mismatch=mismatch,
        mismatch_tensors=tuple(tensors),
        unfaithful=tuple(dict.fromkeys(answer["unfaithful"])),
    )
