"""Trace one step of any Keras training where it happens, and compare two such traces later.

Each step is traced inside its own run, under that run's condition (threads included), so no
function that rebuilds the model is needed.
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
    """Return a Keras callback that writes every tensor of one training step to a file.

    Keras does not show batches to callbacks, so pass them through this one::

        keeper = keep_step("a.npz", 7)
        model.fit(keeper.batches(data), steps_per_epoch=10, callbacks=[..., keeper])

    Keras then refuses `class_weight`; use ``keeper.batches(data, class_weight={0: 1, 1: 5})``.

    Put the callback last in the list. After the step it restores the state from before it, repeats
    the step with tracing, and restores everything: training resumes with the same bits as without
    the callback. If the file cannot be written, for example on a full disk, it warns.

    Not supported, and refused: models with a custom `train_step` or several optimisers, training
    loops without `fit`, models that are not built, ``steps_per_execution`` above 1, and JAX. Layers
    are traced as a whole: the time steps of a recurrent layer are not recorded.

    Parameters
    ----------
    path : str or os.PathLike
        File to write, named ``*.npz``.
    step : int
        Number of the step, as in records: 1 is the first update. `Comparison.first_difference`
        names one.
    overwrite : bool, default False
        Replace an existing file.

    Returns
    -------
    StepKeeper

    Raises
    ------
    FpdriftError
        If an argument is invalid or the file already exists.
    """
    step = check_int("step", step, 1, MOST_STEPS)
    check_switch("overwrite", overwrite)
    place = absolute(path)
    if place.suffix != ".npz":
        message = f"{short_repr(place.name)} does not end in .npz; choose a name such as step.npz"
        raise FpdriftError(message)
    if not place.parent.is_dir():
        message = (
            f"folder {short_repr(str(place.parent))} does not exist; create it or choose another "
            "path"
        )
        raise FpdriftError(message)
    if os.path.lexists(place) and not (overwrite and place.is_file()):
        message = (
            f"{short_repr(place.name)} already exists; choose another name or pass overwrite=True"
        )
        raise FpdriftError(message)
    from fpdrift.step_debug._capture_callback import StepKeeper

    return StepKeeper(place, step)


def explain_kept(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> StepExplained:
    """Compare the steps that `keep_step` wrote for two runs, tensor by tensor.

    Parameters
    ----------
    a, b : str or os.PathLike
        Files written by `keep_step`.

    Returns
    -------
    StepExplained
        Its differences are in order of computation. Its `exact` reports whether the traced steps
        are bit-identical to the runs' own steps.

    Raises
    ------
    FpdriftError
        If a file was not written by `keep_step`, or the two hold different steps.
    """
    (step_a, run_a, seen_a), (step_b, run_b, seen_b) = (_read(absolute(path)) for path in (a, b))
    if step_a != step_b:
        message = (
            f"one file holds step {step_a}, the other step {step_b}; keep the same step of both "
            "runs"
        )
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
    """Read a step, and compare the state after it with the run's own."""
    try:
        step, *seen = load(path)
        if step.stage != "step":
            message = "its first entry is not a step"
            raise ValueError(message)
        count = operator.index(step.values[()])
    except DAMAGED as error:
        name, why = short_repr(path.name), short_repr(str(error))
        message = f"{name} is not a file written by keep_step: {why}; record the step again"
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
