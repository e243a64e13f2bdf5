"""Inside a training step: repeat two runs up to it, and find the tensor in which they part."""

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
#: Steps split at once: each keeps two whole states on disk for as long as it takes.
MOST_SPLITS = 100


def explain_step(
    a: Source,
    b: Source,
    step: int | None = None,
    *,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> StepExplained:
    """Compare one training step of two runs tensor by tensor, in order of computing.

    Each run is repeated in a fresh process under its own condition, every recorded step held
    against the record's hashes; the step is then taken apart from the state before it.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records of `fpdrift.train`, or their files.
    step : int, optional
        As records count: the update that leads from step - 1 to it. By default the first step at
        which any tensor differs; 1 if the runs differ before that.
    timeout : float, optional
        Seconds that each of the two processes may take.
    progress : callable, optional
        Called with a record's name, the number of steps done and to do.

    Returns
    -------
    StepExplained
        Its `exact` says whether what was seen has the bits of the runs themselves.

    Raises
    ------
    FpdriftError
        If a record is no run of `fpdrift.train`, the runs never differ and no step is given, the
        step was not recorded, or the run cannot be repeated here.
    ChildError
        If a process fails, is killed or takes too long.
    """
    a, b = opened(a), opened(b)
    comparison = compare(a, b)
    chosen = first_step(comparison) if step is None else check_step(step, comparison)
    with apart(a, b, [chosen], timeout, progress) as steps:
        return explained(steps, chosen)


class Apart(NamedTuple):
    """Steps of two runs, each repeated and taken apart; read them before their files go."""

    runs: tuple[RerunCheck, RerunCheck]
    #: the network's ReLU layers, see `fpdrift.step_debug._trace.Taps.relus`
    relus: dict[str, str]
    folders: list[Path]

    def seen(self, step: int) -> tuple[Iterator[TracedTensor], Iterator[TracedTensor]]:
        """Read one step's tensors, of A and of B."""
        a, b = (load(folder / f"apart{step - 1}.npz") for folder in self.folders)
        return a, b


@contextmanager
def apart(
    a: Record, b: Record, steps: Sequence[int], timeout: float | None, progress: Progress | None
) -> Iterator[Apart]:
    """Repeat two runs in processes of their own and take some of their steps apart."""
    _check_options(timeout, progress)
    tasks = [_task(record) for record in (a, b)]
    with tempfile.TemporaryDirectory(prefix="fpdrift-") as place:
        folders = [Path(place, side) for side in "ab"]
        answers = [
            _run(record, task, folder, [step - 1 for step in steps], timeout, progress)
            for record, task, folder in zip((a, b), tasks, folders, strict=True)
        ]
        run_a, run_b = (_repeated(*pair) for pair in zip((a, b), answers, strict=True))
        yield Apart((run_a, run_b), answers[0]["relus"], folders)


def explained(steps: Apart, step: int) -> StepExplained:
    """Compare a step that was taken apart."""
    compared, found, unmatched = differences(*steps.seen(step))
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
        Records of `fpdrift.train`, or their files.
    steps : sequence of int
        Numbers of updates done before the steps to split, each at least 0; at most 100 of them.
    timeout, progress
        As in `explain_step`.

    Returns
    -------
    tuple of StepSplit
        In ascending order of the steps.

    Raises
    ------
    FpdriftError, ChildError
        As in `explain_step`; also if the runs' weights have two dtypes.
    """
    a, b = opened(a), opened(b)
    comparison = compare(a, b)
    if not isinstance(steps, Sequence | np.ndarray) or not 0 < len(steps) <= MOST_SPLITS:
        message = f"steps is {short_repr(steps)}; give 1 to {MOST_SPLITS} whole numbers"
        raise FpdriftError(message)
    chosen = sorted(
        {check_step(check_int("step", s, 0, MOST_STEPS) + 1, comparison) - 1 for s in steps}
    )
    _check_options(timeout, progress)
    for record in (a, b):
        _task(record)
    with tempfile.TemporaryDirectory(prefix="fpdrift-") as place:
        folders = [Path(place, side) for side in "ab"]
        exact_b = _run(b, _task(b), folders[1], chosen, timeout, progress, apart=False)["exact"]
        exact_a = _run(
            *(a, _task(a), folders[0], chosen, timeout, progress),
            apart=False,
            other=str(folders[1]),
        )["exact"]
        return tuple(
            split(at, folders[0], folders[1], exact_a=ours, exact_b=theirs)
            for at, ours, theirs in zip(chosen, exact_a, exact_b, strict=True)
        )


def opened(source: Source) -> Record:
    """Open a record unless it is one."""
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
        message = f"the runs do not differ in {last} steps; give a step to look into all the same"
        raise FpdriftError(message)
    return max(1, comparison.first_difference.step)


def check_step(step: Any, comparison: Comparison) -> int:
    """Refuse a step that was not recorded, as an update that leads to it."""
    return check_int("step", step, 1, max(1, int(comparison.recorded_steps[-1])))


def _check_options(timeout: float | None, progress: Progress | None) -> None:
    check_timeout(timeout)
    check_callable("progress", progress)


def _task(record: Record) -> Message:
    """Read from a record how its run was made; whoever made the record, nothing is believed."""
    meta = record.meta
    data = meta.get("data")
    if not isinstance(data, Mapping) or "condition" not in meta:
        message = (
            f"{short_repr(record.name)} is no record of fpdrift.train, so that its run cannot be "
            "repeated; for a step of any model see fpdrift.step_debug.keep_step and explain_kept "
            "(docs/your-model.md)"
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
    apart: bool = True,
    other: str | None = None,
) -> Message:
    """Repeat a run in a process of its own, which leaves what it saw in the folder."""
    folder.mkdir()
    np.savez(
        folder / "hashes.npz",
        names=np.array([tensor.name for tensor in record.tensors]),
        steps=record.steps,
        hashes=record.hashes,
    )
    last = max(steps) + 1
    tell = None if progress is None else lambda told: progress(record.name, told["step"], last)
    condition = Condition.from_dict(task["condition"])
    return run_module(
        "fpdrift.step_debug._rerun_worker",
        task | {"folder": str(folder), "steps": steps, "apart": apart, "other": other},
        env=environment(condition, task["data"], task["backend"]),
        timeout=timeout,
        on_progress=tell,
    )


def _repeated(record: Record, answer: Message) -> RerunCheck:
    mismatch, tensors = answer["mismatch"] or (None, ())
    return RerunCheck(
        name=record.name,
        checked=answer["checked"],
        mismatch=mismatch,
        mismatch_tensors=tuple(tensors),
        unfaithful=tuple(dict.fromkeys(answer["unfaithful"])),
    )
