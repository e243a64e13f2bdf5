"""One training step of anybody's two models, from one state."""

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
    """Copy the whole state of a model: weights, moving statistics, random generators, slots.

    Parameters
    ----------
    model : keras.Model
        Built and compiled.

    Returns
    -------
    dict of str to numpy.ndarray
        Under the names that a record of it has.
    """
    from fpdrift.step_debug._trace import Step

    return _named(Step(model))


def compare_step(
    make_a: Callable[[], Any],
    make_b: Callable[[], Any],
    batch: Sequence[Any],
    state: Arrays | None = None,
) -> StepExplained:
    """Compare one training step of two models tensor by tensor, from one state.

    Both run in this process, so under one condition: what differs is what the models compute. Two
    conditions need two processes, see `explain_step`.

    What it cannot do: a model with a `train_step` of its own or several optimisers, and what
    happens inside a layer, such as a recurrent one's single steps; a layer that is no model is seen
    as a whole. Not yet on JAX.

    Parameters
    ----------
    make_a, make_b : callable
        Give a built and compiled keras.Model each, with the same variables under the same names.
    batch : sequence
        Inputs, labels and, if there are any, sample weights, as the model takes them.
    state : mapping, optional
        Values of some or all variables, as `state_of` gives them; the rest is as in A's model.

    Returns
    -------
    StepExplained
        Without a step. Its `exact` says whether each model's own step gives the same bits.

    Raises
    ------
    FpdriftError
        If a model's step cannot be taken apart, or the two do not have the same variables.

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
    start = _named(a) | _checked(state or {}, a)
    check_same(a, b)
    (seen_a, run_a), (seen_b, run_b) = (
        taken(name, step, [start[tensor.name] for tensor in step.state.tensors], batch)
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
    """Refuse what makes no model.

    Raises
    ------
    FpdriftError
    """
    if make is None:
        message = f"{name} is None; give a function that makes a compiled model"
        raise FpdriftError(message)
    check_callable(name, make)


def check_batch(batch: Any) -> None:
    """Refuse what is no batch of a training step.

    Raises
    ------
    FpdriftError
    """
    if not isinstance(batch, list | tuple) or len(batch) not in (2, 3):
        message = (
            f"batch is {short_repr(batch)}; give (inputs, labels) or (inputs, labels, weights)"
        )
        raise FpdriftError(message)


def started(make: Callable[[], Any], *states: Arrays) -> tuple[Step, list[list[Any]]]:
    """Make a model; give its step, and each state's values in the order of its tensors.

    Raises
    ------
    FpdriftError
        If the model's step cannot be taken apart, or a state is not one of the model's.
    """
    from fpdrift.step_debug._trace import Step

    step = Step(make())
    own = _named(step)
    full = [own | _checked(state, step) for state in states]
    return step, [[arrays[tensor.name] for tensor in step.state.tensors] for arrays in full]


def taken(
    name: str, step: Step, arrays: Sequence[Any], batch: Sequence[Any]
) -> tuple[list[TracedTensor], RerunCheck]:
    """Take a step apart from a state; see whether Keras' own gives the same bits."""
    step.restore(arrays)
    seen = step.take(batch)
    after = {item.name: item.values for item in seen if item.stage == "after"}
    step.restore(arrays)
    step.advance(batch)
    own = _named(step)
    unfaithful = tuple(n for n, values in own.items() if values.tobytes() != after[n].tobytes())
    return seen, RerunCheck(
        name=name, checked=0, mismatch=None, mismatch_tensors=(), unfaithful=unfaithful
    )


def _named(step: Step) -> dict[str, npt.NDArray[Any]]:
    pairs = zip(step.state.tensors, step.state.read(), strict=True)
    return {tensor.name: np.array(values) for tensor, values in pairs}


def _checked(state: Arrays, step: Step) -> dict[str, npt.NDArray[Any]]:
    """Refuse values that no variable of the model can take."""
    tensors = {tensor.name: tensor for tensor in step.state.tensors}
    if not isinstance(state, Mapping):
        message = f"state is {short_repr(state)}; give what state_of gives"
        raise FpdriftError(message)
    for name, values in state.items():
        if name not in tensors or np.shape(values) != tensors[name].shape:
            there = tensors[name].shape if name in tensors else "no such variable"
            message = f"state has {short_repr(name)} of shape {np.shape(values)}, the model {there}"
            raise FpdriftError(f"{message}; give what state_of gives")
    return {name: np.asarray(values) for name, values in state.items()}


def check_same(a: Step, b: Step) -> None:
    """Refuse two models that do not have the same variables.

    Raises
    ------
    FpdriftError
    """
    ours, theirs = ({(t.name, t.shape, t.dtype) for t in step.state.tensors} for step in (a, b))
    # a weight that one alone has is named before its slots
    slots = {t.name for step in (a, b) for t in step.state.tensors if t.role == "slot"}
    for name, shape, dtype in sorted(ours ^ theirs, key=lambda it: (it[0] in slots, it))[:1]:
        others = len({other for other, *_ in ours ^ theirs}) - 1
        more = f" (and {others} more)" if others else ""
        message = (
            f"one model alone has {name} of shape {shape} in {dtype}{more}; give two models with "
            "the same variables under the same names, or record both and compare what they share"
        )
        raise FpdriftError(message)
