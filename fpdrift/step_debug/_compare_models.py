"""Compare one training step of two Keras models, started from the same state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.step_debug._results import RerunCheck, StepExplained
from fpdrift.validation import check_callable

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.step_debug._trace import Step
    from fpdrift.step_debug._trace_file import TracedTensor

Arrays = Mapping[str, "npt.NDArray[Any]"]


def state_of(model: Any) -> dict[str, npt.NDArray[Any]]:
    """Return a copy of a model's full state: weights, statistics, random generators and slots.

    Parameters
    ----------
    model : keras.Model
        Built and compiled.

    Returns
    -------
    dict of str to numpy.ndarray
        Keyed by the names that a record of the model uses.
    """
    from fpdrift.step_debug._trace import Step

    return _arrays_by_name(Step(model))


def compare_step(
    make_a: Callable[[], Any],
    make_b: Callable[[], Any],
    batch: Sequence[Any],
    state: Arrays | None = None,
) -> StepExplained:
    """Compare one training step of two models tensor by tensor, started from the same state.

    Both models run in this process and therefore under one condition: only the computation of the
    models differs. To compare two conditions, use `explain_step`, which starts two processes.

    Models with a custom `train_step` or several optimisers and the JAX backend are not supported.
    A layer that is not a model is traced as a whole: the time steps of a recurrent layer are not
    recorded.

    Parameters
    ----------
    make_a, make_b : callable
        Functions that return a built and compiled keras.Model. The models must have the same
        variables under the same names.
    batch : sequence
        Inputs, labels and, optionally, sample weights, as the model takes them.
    state : mapping, optional
        Values of some or all variables, as returned by `state_of`; other variables keep the values
        of A's model.

    Returns
    -------
    StepExplained
        Its `step` is None. Its `exact` reports whether each model's own step gives the same bits.

    Raises
    ------
    FpdriftError
        If a model's step cannot be traced, or the models do not have the same variables.

    Examples
    --------
    >>> explained = compare_step(make, make_fused, (images, labels))  # doctest: +SKIP
    >>> explained.first  # doctest: +SKIP
    StepDifference(forward: norm1/output, 1170 of 1179648, at most 1 ulps)
    """
    from fpdrift.step_debug._trace import Step
    from fpdrift.step_debug._trace_file import differences

    check_maker("make_a", make_a)
    check_maker("make_b", make_b)
    check_batch(batch)
    a, b = Step(make_a()), Step(make_b())
    start = _arrays_by_name(a) | _check_state(state or {}, a)
    check_same(a, b)
    (seen_a, run_a), (seen_b, run_b) = (
        trace_step(name, step, [start[tensor.name] for tensor in step.state.tensors], batch)
        for name, step in (("a", a), ("b", b))
    )
    compared, found, unmatched = differences(seen_a, seen_b)
    return StepExplained(
        step=None,
        run_a=run_a,
        run_b=run_b,
        compared=compared,
        differences=found,
        unmatched=unmatched,
    )


def check_maker(name: str, make: Any) -> None:
    """Check that an argument is a function that can make a model.

    Raises
    ------
    FpdriftError
    """
    if make is None:
        message = f"{name} is None; pass a function that returns a compiled model"
        raise FpdriftError(message)
    check_callable(name, make)


def check_batch(batch: Any) -> None:
    """Check that an argument is a batch of a training step.

    Raises
    ------
    FpdriftError
    """
    if not isinstance(batch, list | tuple) or len(batch) not in (2, 3):
        message = (
            f"batch is {short_repr(batch)}; pass (inputs, labels) or (inputs, labels, weights)"
        )
        raise FpdriftError(message)


def prepare_step(make: Callable[[], Any], *states: Arrays) -> tuple[Step, list[list[Any]]]:
    """Return a new model's step, and the values of each state in the order of its tensors.

    Raises
    ------
    FpdriftError
        If the model's step cannot be traced, or a state does not fit the model.
    """
    from fpdrift.step_debug._trace import Step

    step = Step(make())
    own = _arrays_by_name(step)
    full = [own | _check_state(state, step) for state in states]
    return step, [[arrays[tensor.name] for tensor in step.state.tensors] for arrays in full]


def trace_step(
    name: str, step: Step, arrays: Sequence[Any], batch: Sequence[Any]
) -> tuple[list[TracedTensor], RerunCheck]:
    """Trace a step from a state, and check whether Keras' own step gives the same bits."""
    step.restore(arrays)
    seen = step.trace(batch)
    after = {item.name: item.values for item in seen if item.stage == "after"}
    step.restore(arrays)
    step.advance(batch)
    own = _arrays_by_name(step)
    unfaithful = tuple(n for n, values in own.items() if values.tobytes() != after[n].tobytes())
    return seen, RerunCheck(
        name=name, checked=0, mismatch=None, mismatch_tensors=(), unfaithful=unfaithful
    )


def _arrays_by_name(step: Step) -> dict[str, npt.NDArray[Any]]:
    pairs = zip(step.state.tensors, step.state.read(), strict=True)
    return {tensor.name: np.array(values) for tensor, values in pairs}


def _check_state(state: Arrays, step: Step) -> dict[str, npt.NDArray[Any]]:
    """Check that a state fits the variables of a model."""
    tensors = {tensor.name: tensor for tensor in step.state.tensors}
    if not isinstance(state, Mapping):
        message = f"state is {short_repr(state)}; pass the result of state_of"
        raise FpdriftError(message)
    for name, values in state.items():
        if name not in tensors or np.shape(values) != tensors[name].shape:
            found = f"shape {tensors[name].shape}" if name in tensors else "no such variable"
            message = (
                f"state has {short_repr(name)} of shape {np.shape(values)}, the model has {found}; "
                "pass the result of state_of"
            )
            raise FpdriftError(message)
    return {name: np.asarray(values) for name, values in state.items()}


def check_same(a: Step, b: Step) -> None:
    """Check that two models have the same variables.

    Raises
    ------
    FpdriftError
    """
    ours, theirs = ({(t.name, t.shape, t.dtype) for t in step.state.tensors} for step in (a, b))
    # name an unmatched weight rather than its optimiser slots
    slots = {t.name for step in (a, b) for t in step.state.tensors if t.role == "slot"}
    for name, shape, dtype in sorted(ours ^ theirs, key=lambda it: (it[0] in slots, it))[:1]:
        others = len({other for other, *_ in ours ^ theirs}) - 1
        more = f" (and {others} more)" if others else ""
        message = (
            f"only one model has {name} of shape {shape} and dtype {dtype}{more}; pass two models "
            "with the same variables under the same names, or record both and compare the records"
        )
        raise FpdriftError(message)
