"""Find the ReLU that caused a jump.

A ReLU acts as a gate: it passes positive numbers. If its inputs in two runs are almost equal, but
one is just above zero and the other just below, the gradient flows through the gate in only one
run, and the weights of its unit diverge by a full step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.comparison import compare, growth
from fpdrift.errors import FpdriftError
from fpdrift.serialization import read_only
from fpdrift.step_debug._compare_models import check_batch, check_maker, prepare_step, trace_step
from fpdrift.step_debug._rerun import (
    Progress,
    Source,
    TracedSteps,
    as_record,
    check_step,
    traced_steps,
)
from fpdrift.step_debug._results import Gate, Gates, LayerGates
from fpdrift.step_debug._trace_file import TracedTensor, relative

if TYPE_CHECKING:
    from fpdrift.comparison import Jump
    from fpdrift.records import Tensor

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
#: (stage, name) -> a tensor of a step
Tensors = Mapping[tuple[str, str], TracedTensor]
#: The tensors of one step in A and in B.
Pair = tuple[Iterable[TracedTensor], Iterable[TracedTensor]]


class Relu(NamedTuple):
    """A ReLU layer in both runs."""

    name: str
    #: (samples, ..., units): the inputs, NaN where not observable; whether the gate is open
    values: tuple[Floats, Floats]
    open: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
    #: dtype of the inputs
    dtype: np.dtype[Any]
    #: weights that compute the inputs; each unit is a slice along their last axis
    weights: tuple[str, ...]

    @property
    def changed(self) -> npt.NDArray[np.bool_]:
        """Mask of the gates that are open in only one run."""
        return np.asarray(self.open[0] != self.open[1])


def find_largest_growth(
    repeated: TracedSteps, window: list[int], counted: Collection[str]
) -> tuple[npt.NDArray[np.int64], Floats, int]:
    """Return the distance at some steps, and the step that multiplied it most."""
    distances = [distance_of(repeated.tensors(window[0]), "before", counted)]
    distances += [distance_of(repeated.tensors(step), "after", counted) for step in window]
    with np.errstate(all="ignore"):  # growth from a distance of zero is infinite
        factors = np.nan_to_num(np.divide(distances[1:], distances[:-1]), posinf=np.inf)
    chosen = window[int(np.argmax(factors))]
    return read_only([window[0] - 1, *window]), read_only(distances), chosen


def distance_of(seen: Pair, stage: str, counted: Collection[str]) -> float:
    """Return ||a - b|| / ||a|| over the given weights."""
    vectors = (
        np.concatenate(
            [
                item.values.ravel().astype(np.float64)
                for item in side
                if item.stage == stage and item.name in counted
            ]
        )
        for side in seen
    )
    return relative(*vectors)


def inspect_gates(seen: Pair, relus: Mapping[str, str], counted: Collection[str]) -> dict[str, Any]:
    """Find the unit whose weights diverged most, and the changed gate that caused it.

    Parameters
    ----------
    seen : (iterable of TracedTensor, iterable of TracedTensor)
        One step of each run.
    relus : mapping
        See `fpdrift.step_debug._trace.Taps.relus`.
    counted : collection of str
        Names of the weights to include in distances.

    Returns
    -------
    dict
        The fields of `Gates` from `layers` on.

    Raises
    ------
    FpdriftError
        If the two steps use different batches.
    """
    ours, theirs = ({(item.stage, item.name): item for item in side} for side in seen)
    _check_batch(ours, theirs)
    found = [_relu(ours, theirs, name, how, counted) for name, how in relus.items()]
    layers = tuple(
        LayerGates(layer=relu.name, gates=relu.changed.size, changed=int(relu.changed.sum()))
        for relu in found
    )
    moves = [_by_unit(ours, theirs, relu, moved=True) for relu in found]
    best = max(range(len(found)), key=lambda i: moves[i].max(initial=0), default=None)
    if best is None or not moves[best].any():
        nothing = {"layer": None, "unit": None, "weights": (), "moved_share": None}
        return nothing | {
            "layers": layers,
            "shares": read_only(np.zeros(0)),
            "unit_changed": 0,
            "gate": None,
        }
    relu, unit = found[best], int(np.argmax(moves[best]))
    squares = _by_unit(ours, theirs, relu, moved=False)
    total = sum(float(_squared_movement(ours, theirs, name).sum()) for name in counted)
    changed = relu.changed[..., unit]
    return {
        "layers": layers,
        "layer": relu.name,
        "unit": unit,
        "weights": relu.weights,
        "moved_share": float(moves[best][unit] / total),
        "shares": read_only(squares / (squares.sum() or 1)),
        "unit_changed": int(changed.sum()),
        "gate": _gate(ours, theirs, relu, unit) if changed.any() else None,
    }


def _check_batch(ours: Tensors, theirs: Tensors) -> None:
    for place, item in ours.items():
        of_batch = place[1].startswith("batch/")
        if of_batch and item.values.tobytes() != theirs[place].values.tobytes():
            message = (
                "the two runs use different batches at this step, so their gates cannot be "
                "compared; choose two runs with the same data order"
            )
            raise FpdriftError(message)


def _relu(ours: Tensors, theirs: Tensors, name: str, how: str, counted: Collection[str]) -> Relu:
    taken = _inputs_of(ours, name) if how == "input" else [f"{name}/output"]
    arrays = tuple(side["forward", taken[0]].values for side in (ours, theirs))
    gates_open = tuple(np.asarray(values.astype(np.float64) > 0) for values in arrays)
    values = tuple(
        np.where(gates | (how == "input"), array.astype(np.float64), np.nan)
        for array, gates in zip(arrays, gates_open, strict=True)
    )
    weights = _weights(ours, name, arrays[0].shape[-1], counted)
    return Relu(name, values, gates_open, arrays[0].dtype, weights)  # type: ignore[arg-type] # pairs


def _inputs_of(tensors: Tensors, layer: str) -> list[str]:
    """Name the inputs of a layer: tensors whose gradient flows back through it."""
    return [
        name
        for (stage, name), item in tensors.items()
        if stage == "backward" and name.rpartition("/")[2].startswith("output")
        if layer in item.layer.split(", ")
    ]


def _weights(tensors: Tensors, layer: str, units: int, counted: Collection[str]) -> tuple[str, ...]:
    """Name the weights in front of a ReLU, back to the next kernel, normalisation included."""
    found: list[str] = []
    while True:
        mine = [
            name
            for stage, name in tensors
            if stage == "after" and name in counted and name.rpartition("/")[0] == layer
        ]
        shapes = {name: tensors["after", name].values.shape for name in mine}
        if any(shape[-1:] != (units,) for shape in shapes.values()):
            break
        found = mine + found
        taken = _inputs_of(tensors, layer)
        if any(len(shape) > 1 for shape in shapes.values()) or len(taken) != 1:
            break
        layer = taken[0].rpartition("/")[0]
    return tuple(found)


def _by_unit(ours: Tensors, theirs: Tensors, relu: Relu, *, moved: bool) -> Floats:
    """Return each unit's squared distance after the step, or the square of its change in it."""
    squares = np.zeros(relu.values[0].shape[-1])
    for name in relu.weights:
        if moved:
            apart = _squared_movement(ours, theirs, name)
        else:
            apart = np.square(_difference(ours, theirs, "after", name))
        squares += apart.reshape(-1, len(squares)).sum(axis=0)
    return squares


def _squared_movement(ours: Tensors, theirs: Tensors, name: str) -> Floats:
    after, before = (_difference(ours, theirs, stage, name) for stage in ("after", "before"))
    return np.square(after - before)


def _difference(ours: Tensors, theirs: Tensors, stage: str, name: str) -> Floats:
    a, b = (side[stage, name].values.astype(np.float64) for side in (ours, theirs))
    return np.asarray(a - b)


def _gate(ours: Tensors, theirs: Tensors, relu: Relu, unit: int) -> Gate:
    """Return the unit's changed gate with the largest gradient in the run where it is open."""
    gradients = [_gradient(side, relu)[..., unit] for side in (ours, theirs)]
    flows = np.asarray(np.where(relu.open[0][..., unit], *np.abs(gradients)))
    place = np.argmax(np.where(relu.changed[..., unit], flows, -1))
    at = tuple(int(i) for i in np.unravel_index(place, flows.shape))
    a, b = (float(values[(*at, unit)]) for values in relu.values)
    spread = float(np.nanstd(np.asarray(relu.values[0][..., unit])))
    return Gate(
        layer=relu.name,
        unit=unit,
        sample=at[0],
        pixel=at[1:],
        value_a=None if np.isnan(a) else a,
        value_b=None if np.isnan(b) else b,
        spread=spread,
        ulp=float(np.spacing(np.asarray(spread, relu.dtype))),
        gradient_a=float(gradients[0][at]),
        gradient_b=float(gradients[1][at]),
    )


def _gradient(tensors: Tensors, relu: Relu) -> Floats:
    """Return the gradient of the loss with respect to a ReLU's output; zeros if there is none."""
    item = tensors.get(("backward", f"{relu.name}/output"))
    return np.zeros(relu.values[0].shape) if item is None else item.values.astype(np.float64)


#: Most steps to trace when searching for a jump between two sketches.
MOST_STEPS = 16


def find_gates(
    a: Source,
    b: Source,
    step: int | None = None,
    *,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Gates:
    """Find the ReLU gate behind a jump in the distance between two runs.

    Both runs are rerun up to the step in fresh processes, as in `explain_step`. The ReLU unit is
    the one whose weights diverged most in the step; of its gates that changed, the one with the
    largest gradient is reported.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records written by `fpdrift.train`, or their files, of runs that use the same batches.
    step : int, optional
        Number of the step, as in records. By default, the step of the largest jump found by
        `fpdrift.growth`; if the jump lies between two sketches, the step in between that multiplied
        the distance most.
    timeout, progress
        As in `explain_step`.

    Returns
    -------
    Gates
        Its `gate` is None if no gate of the unit changed.

    Raises
    ------
    FpdriftError, ChildError
        As in `explain_step`; also if there is no jump and no step is given, or if the two runs use
        different batches at the step.
    """
    a, b = as_record(a), as_record(b)
    comparison = compare(a, b)
    if step is None:
        window = window_of(growth(comparison, (a, b)).jumps)
        if not window:
            message = "no jump was found between these runs; pass a step to inspect it anyway"
            raise FpdriftError(message)
    else:
        window = [check_step(step, comparison)]
    with traced_steps(a, b, window, timeout, progress) as repeated:
        return gates_in(repeated, window, a.tensors)


def gates_in(repeated: TracedSteps, window: list[int], tensors: Iterable[Tensor]) -> Gates:
    """Inspect the ReLUs of the traced step that multiplied the distance most."""
    counts = counted_weights(tensors)
    steps, distance, chosen = find_largest_growth(repeated, window, counts)
    found = inspect_gates(repeated.tensors(chosen), repeated.relus, counts)
    return Gates(
        step=chosen,
        run_a=repeated.runs[0],
        run_b=repeated.runs[1],
        steps=steps,
        distance=distance,
        **found,
    )


def window_of(jumps: Sequence[Jump]) -> list[int]:
    """Return the steps in which the largest jump may have occurred, the last ones if too many."""
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
    """Compare the ReLU gates of any model in one training step from two states.

    Covered are the layers `ReLU` and `Activation("relu")`, and layers with a relu activation; the
    input of the latter is known only where the gate is open. A ReLU called as a function is not
    covered.

    Parameters
    ----------
    make_model : callable
        Function that returns a built and compiled keras.Model.
    batch : sequence
        Inputs, labels and, optionally, sample weights.
    state_a, state_b : mapping
        Results of `state_of` for two runs before the step; omitted variables keep the model's
        values.

    Returns
    -------
    Gates
        Its `exact` reports whether Keras' own step gives the same bits from both states.

    Raises
    ------
    FpdriftError
        As in `compare_step`; also if a state does not fit the model.
    """
    check_maker("make_model", make_model)
    check_batch(batch)
    step, starts = prepare_step(make_model, state_a, state_b)
    (seen_a, run_a), (seen_b, run_b) = (
        trace_step(name, step, start, batch) for name, start in zip("ab", starts, strict=True)
    )
    seen = (seen_a, seen_b)
    counts = counted_weights(step.state.tensors)
    before, after = (distance_of(seen, stage, counts) for stage in ("before", "after"))
    return Gates(
        step=None,
        run_a=run_a,
        run_b=run_b,
        steps=read_only([0, 1]),
        distance=read_only([before, after]),
        **inspect_gates(seen, step.relus, counts),
    )


def counted_weights(tensors: Iterable[Tensor]) -> set[str]:
    """Name the weights to include in distances: a weight with zero gradient moves by rounding."""
    return {t.name for t in tensors if t.role == "weight" and not t.zero_gradient}
