"""The gate microscope: which ReLU a jump hangs on.

A ReLU lets a number through if it is above zero: a gate. Where two runs have numbers of almost
the same size there, one just above zero and one just below, the step's gradient flows through the
gate in one of them alone, and the weights of its unit part by a whole step.

What the gate microscope sees in two steps that were taken apart; plain arithmetic on arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.comparison import compare, growth
from fpdrift.errors import FpdriftError
from fpdrift.serialization import read_only
from fpdrift.step_debug._compare_models import check_batch, check_maker, started, taken
from fpdrift.step_debug._rerun import Apart, Progress, Source, apart, check_step, opened
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
    #: (samples, ..., units): what goes in, NaN where it is not seen; whether the gate is open
    values: tuple[Floats, Floats]
    open: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
    #: dtype of what goes in
    dtype: np.dtype[Any]
    #: weights that this unit's input is computed with, one slice of the last axis a unit
    weights: tuple[str, ...]

    @property
    def changed(self) -> npt.NDArray[np.bool_]:
        """Gates open in one run alone."""
        return np.asarray(self.open[0] != self.open[1])


def course(
    repeated: Apart, window: list[int], counted: Collection[str]
) -> tuple[npt.NDArray[np.int64], Floats, int]:
    """Follow the distance through some steps, and choose the one that multiplied it most."""
    distances = [distance_of(repeated.seen(window[0]), "before", counted)]
    distances += [distance_of(repeated.seen(step), "after", counted) for step in window]
    with np.errstate(all="ignore"):  # from nothing to something is infinitely much
        factors = np.nan_to_num(np.divide(distances[1:], distances[:-1]), posinf=np.inf)
    chosen = window[int(np.argmax(factors))]
    return read_only([window[0] - 1, *window]), read_only(distances), chosen


def distance_of(seen: Pair, stage: str, counted: Collection[str]) -> float:
    """Return ||a - b|| / ||a|| over the weights that count."""
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


def look(seen: Pair, relus: Mapping[str, str], counted: Collection[str]) -> dict[str, Any]:
    """Find the unit that moved apart most, and its gate that changed.

    Parameters
    ----------
    seen : (iterable of Seen, iterable of Seen)
        One step of each run.
    relus : mapping
        See `fpdrift.step_debug._trace.Taps.relus`.
    counted : collection of str
        Names of the weights whose distance counts.

    Returns
    -------
    dict
        The fields of `Gates` from `layers` on.

    Raises
    ------
    FpdriftError
        If the steps see two batches.
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
    total = sum(float(_moved(ours, theirs, name).sum()) for name in counted)
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
                "the two runs see other batches at this step, so that their gates have no "
                "counterparts; take two runs of one data order"
            )
            raise FpdriftError(message)


def _relu(ours: Tensors, theirs: Tensors, name: str, how: str, counted: Collection[str]) -> Relu:
    taken = _taken(ours, name) if how == "input" else [f"{name}/output"]
    arrays = tuple(side["forward", taken[0]].values for side in (ours, theirs))
    opened = tuple(np.asarray(values.astype(np.float64) > 0) for values in arrays)
    values = tuple(
        np.where(gates | (how == "input"), array.astype(np.float64), np.nan)
        for array, gates in zip(arrays, opened, strict=True)
    )
    weights = _weights(ours, name, arrays[0].shape[-1], counted)
    return Relu(name, values, opened, arrays[0].dtype, weights)  # type: ignore[arg-type] # pairs


def _taken(tensors: Tensors, layer: str) -> list[str]:
    """Name what a layer takes: its gradient comes back through that layer."""
    return [
        name
        for (stage, name), item in tensors.items()
        if stage == "backward" and name.rpartition("/")[2].startswith("output")
        if layer in item.layer.split(", ")
    ]


def _weights(tensors: Tensors, layer: str, units: int, counted: Collection[str]) -> tuple[str, ...]:
    """Walk back from a ReLU to the kernel in front of it, past a normalisation."""
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
        taken = _taken(tensors, layer)
        if any(len(shape) > 1 for shape in shapes.values()) or len(taken) != 1:
            break
        layer = taken[0].rpartition("/")[0]
    return tuple(found)


def _by_unit(ours: Tensors, theirs: Tensors, relu: Relu, *, moved: bool) -> Floats:
    """Return each unit's squared distance after the step, or its squared movement apart in it."""
    squares = np.zeros(relu.values[0].shape[-1])
    for name in relu.weights:
        if moved:
            apart = _moved(ours, theirs, name)
        else:
            apart = np.square(_apart(ours, theirs, "after", name))
        squares += apart.reshape(-1, len(squares)).sum(axis=0)
    return squares


def _moved(ours: Tensors, theirs: Tensors, name: str) -> Floats:
    after, before = (_apart(ours, theirs, stage, name) for stage in ("after", "before"))
    return np.square(after - before)


def _apart(ours: Tensors, theirs: Tensors, stage: str, name: str) -> Floats:
    a, b = (side[stage, name].values.astype(np.float64) for side in (ours, theirs))
    return np.asarray(a - b)


def _gate(ours: Tensors, theirs: Tensors, relu: Relu, unit: int) -> Gate:
    """Return the changed gate of a unit whose gradient is largest in the run where it is open."""
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
    """Return the loss's gradient with respect to what a ReLU gives; zeros where none was taken."""
    item = tensors.get(("backward", f"{relu.name}/output"))
    return np.zeros(relu.values[0].shape) if item is None else item.values.astype(np.float64)


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
