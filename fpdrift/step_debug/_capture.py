"""One step of anybody's own training, taken apart where it happens and compared afterwards.

So each run's step is seen under the condition of that run, threads and all, without a function that
makes its model anew.
"""

from __future__ import annotations

import operator
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.records._sandbox import absolute
from fpdrift.step_debug._results import RerunCheck, StepExplained
from fpdrift.step_debug._trace_file import DAMAGED, TracedTensor, differences, load
from fpdrift.training._train import MOST_STEPS
from fpdrift.validation import check_int, check_switch

if TYPE_CHECKING:
    from fpdrift.step_debug._capture_callback import StepKeeper


def keep_step(path: str | os.PathLike[str], step: int, *, overwrite: bool = False) -> StepKeeper:
    """Make a Keras callback that writes down every tensor of one training step.

    It needs the batches, which Keras shows to no callback, so they are passed through it::

        keeper = keep_step("a.npz", 7)
        model.fit(keeper.batches(data), steps_per_epoch=10, callbacks=[..., keeper])

    Keras then refuses `class_weight`; write ``keeper.batches(data, class_weight={0: 1, 1: 5})``.

    List it last. After that step it puts the state from before it back, does the step once more and
    restores everything: the training goes on with the same bits as without it. A file that cannot
    be written, as on a full disk, is a warning then.

    What it cannot do: a model with a `train_step` of its own or several optimisers, a training loop
    without `fit`, a model that is not built, ``steps_per_execution`` above 1, JAX; all are refused.
    What happens inside a layer, such as a recurrent one's single steps, is not seen.

    Parameters
    ----------
    path : str or os.PathLike
        File to write, named ``*.npz``.
    step : int
        As records count: 1 is the first update; `Comparison.first_difference` names one.
    overwrite : bool, default False
        Replace a file that is there.

    Returns
    -------
    StepKeeper

    Raises
    ------
    FpdriftError
        If an argument is refused or the file is there already.
    """
    step = check_int("step", step, 1, MOST_STEPS)
    check_switch("overwrite", overwrite)
    place = absolute(path)
    if place.suffix != ".npz":
        message = f"{short_repr(place.name)} cannot hold a step; name it *.npz"
        raise FpdriftError(message)
    if not place.parent.is_dir():
        message = (
            f"no folder {short_repr(str(place.parent))}; make it first, or choose another path"
        )
        raise FpdriftError(message)
    if os.path.lexists(place) and not (overwrite and place.is_file()):
        message = f"{short_repr(place.name)} is there; choose another name, or say overwrite=True"
        raise FpdriftError(message)
    from fpdrift.step_debug._capture_callback import StepKeeper

    return StepKeeper(place, step)


def explain_kept(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> StepExplained:
    """Compare what `keep_step` wrote of two runs, tensor by tensor, in order of computing.

    Parameters
    ----------
    a, b : str or os.PathLike

    Returns
    -------
    StepExplained
        Its `exact` says whether the steps taken apart have the bits of the runs' own.

    Raises
    ------
    FpdriftError
        If a file is not one of `keep_step`, or the two are of different steps.
    """
    (step_a, run_a, seen_a), (step_b, run_b, seen_b) = (_read(absolute(path)) for path in (a, b))
    if step_a != step_b:
        message = f"step {step_a} in one file, {step_b} in the other; keep the same one of both"
        raise FpdriftError(message)
    compared, found, unmatched = differences(seen_a, seen_b)
    return StepExplained(
        step=step_a,
        run_a=run_a,
        run_b=run_b,
        compared=compared,
        differences=found,
        unmatched=unmatched,
    )


def _read(path: Path) -> tuple[int, RerunCheck, list[TracedTensor]]:
    """Read a step; hold its end against the run's own."""
    try:
        step, *seen = load(path)
        if step.stage != "step":
            message = "it begins with no step"
            raise ValueError(message)
        count = operator.index(step.values[()])
    except DAMAGED as error:
        name, why = short_repr(path.name), short_repr(str(error))
        message = f"{name} is no file of keep_step: {why}; make it anew"
        raise FpdriftError(message) from None
    own = {item.name: item.values.tobytes() for item in seen if item.stage == "own"}
    unfaithful = tuple(
        item.name
        for item in seen
        if item.stage == "after" and own.get(item.name) != item.values.tobytes()
    )
    run = RerunCheck(
        name=path.stem, checked=0, mismatch=None, mismatch_tensors=(), unfaithful=unfaithful
    )
    return count, run, [item for item in seen if item.stage != "own"]
