"""The gate microscope: which ReLU a jump hangs on.

A ReLU lets a number through if it is above zero: a gate. Where two runs have numbers of almost
the same size there, one just above zero and one just below, the step's gradient flows through the
gate in one of them alone, and the weights of its unit part by a whole step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fpdrift.drift import compare, growth
from fpdrift.errors import FpdriftError
from fpdrift.results import read_only
from fpdrift.training.gated import Gates
from fpdrift.training.gating import course, distance_of, look
from fpdrift.training.replay import Apart, Progress, Source, apart, check_step, opened
from fpdrift.training.stepping import check_batch, check_maker, started, taken

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.drift.jumps import Jump
    from fpdrift.records.record import Tensor

#: Steps that are repeated and taken apart to find the one of a jump between two sketches.
MOST_STEPS = 16


def find_gates(
    a: Source,
    b: Source,
    step: int | None = None,
    *,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Gates:
    """Look at the ReLUs of the step at which two runs jumped apart.

    Both runs are repeated up to there in fresh processes, as `explain_step` does. Of the weights
    in front of every ReLU unit, those that moved apart most in this step name the unit; of its
    gates that changed, the one with the largest gradient is shown.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records of `fpdrift.train`, or their files, of runs that see the same batches.
    step : int, optional
        As records count. By default that of the largest jump that `fpdrift.growth` finds: where it
        lies between two sketches, the step in between that multiplied the distance most.
    timeout, progress
        As in `explain_step`.

    Returns
    -------
    Gates
        Its `gate` is None where no gate of the unit changed.

    Raises
    ------
    FpdriftError, ChildError
        As in `explain_step`; also if there is no jump and no step is given, or the two runs see
        other batches at the step.
    """
    a, b = opened(a), opened(b)
    comparison = compare(a, b)
    if step is None:
        window = window_of(growth(comparison, (a, b)).jumps)
        if not window:
            message = "no jump is found between these runs; give a step to look into all the same"
            raise FpdriftError(message)
    else:
        window = [check_step(step, comparison)]
    with apart(a, b, window, timeout, progress) as repeated:
        return gates_in(repeated, window, a.tensors)


def gates_in(repeated: Apart, window: list[int], tensors: Iterable[Tensor]) -> Gates:
    """Look at the ReLUs of the one step of several, all taken apart, that multiplied most."""
    counts = counted(tensors)
    steps, distance, chosen = course(repeated, window, counts)
    found = look(repeated.seen(chosen), repeated.relus, counts)
    return Gates(
        step=chosen,
        run_a=repeated.runs[0],
        run_b=repeated.runs[1],
        steps=steps,
        distance=distance,
        **found,
    )


def window_of(jumps: Sequence[Jump]) -> list[int]:
    """Give the steps in which the largest jump may have taken place, the last ones if too many."""
    if not jumps:
        return []
    jump = max(jumps, key=lambda each: each.factor)
    return list(range(jump.previous + 1, jump.step + 1))[-MOST_STEPS:]


def compare_gates(
    make_model: Callable[[], Any],
    batch: Sequence[Any],
    state_a: Mapping[str, npt.NDArray[Any]],
    state_b: Mapping[str, npt.NDArray[Any]],
) -> Gates:
    """Look at the ReLUs of any model in one training step from two states.

    Seen are layers `ReLU` and `Activation("relu")`, and layers with the activation relu: of these
    what goes into the gate only where it is open. A ReLU that is called as a function is not seen.

    Parameters
    ----------
    make_model : callable
        Gives a built and compiled keras.Model.
    batch : sequence
        Inputs, labels and, if there are any, sample weights.
    state_a, state_b : mapping
        What `state_of` gave of two runs before the step; variables that are left out are as in the
        model.

    Returns
    -------
    Gates
        Its `exact` says whether Keras' own step gives the same bits from both states.

    Raises
    ------
    FpdriftError
        As in `compare_step`; also if a state is not one of the model's.
    """
    check_maker("make_model", make_model)
    check_batch(batch)
    step, starts = started(make_model, state_a, state_b)
    (seen_a, run_a), (seen_b, run_b) = (
        taken(name, step, start, batch) for name, start in zip("ab", starts, strict=True)
    )
    seen = (seen_a, seen_b)
    counts = counted(step.state.tensors)
    before, after = (distance_of(seen, stage, counts) for stage in ("before", "after"))
    return Gates(
        step=None,
        run_a=run_a,
        run_b=run_b,
        steps=read_only([0, 1]),
        distance=read_only([before, after]),
        **look(seen, step.relus, counts),
    )


def counted(tensors: Iterable[Tensor]) -> set[str]:
    """Name the weights whose distance counts: what a gradient of zero does is rounding."""
    return {t.name for t in tensors if t.role == "weight" and not t.zero_gradient}
