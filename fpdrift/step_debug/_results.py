"""Result types of `fpdrift.step_debug`: traced steps, changed ReLU gates, and diagnoses."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, Literal

from fpdrift.serialization import Result, encode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, slots=True)
class StepDifference(Result):
    """One tensor of a training step that differs in its bits."""

    #: "before" (the state and batch that the step starts from), "forward", "loss", "backward"
    #: (gradients) or "after" (optimiser slots, then weights, then moving statistics)
    stage: str
    #: such as ``"conv1/kernel"``, or ``"conv1/output"`` for a layer's output. In "backward" it is
    #: the gradient of the loss with respect to the tensor of this name.
    name: str
    #: layer that computed it, forward or backward (comma-separated if several); empty if no layer
    #: did or the layer is unknown
    layer: str
    shape: tuple[int, ...]
    #: number of elements whose bits differ, out of `size`
    differing: int
    size: int
    #: largest distance between two elements; None if the dtypes differ, are not floating-point, or
    #: only one of the two elements is NaN
    largest_ulps: int | None
    #: ||a - b|| / ||a||, in float64
    relative: float
    #: index of the first differing element, and its values
    first_index: tuple[int, ...]
    value_a: float
    value_b: float

    def __repr__(self) -> str:
        return f"StepDifference({self})"

    def __str__(self) -> str:
        what = "gradient of " if self.stage == "backward" else ""
        ulps = "" if self.largest_ulps is None else f", at most {self.largest_ulps} ulps"
        return f"{self.stage}: {what}{self.name}, {self.differing} of {self.size}{ulps}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RerunCheck(Result):
    """One run, rerun up to a step and checked against its record."""

    #: name of the record
    name: str
    #: number of recorded steps at which all hashes were compared
    checked: int
    #: first recorded step at which the rerun differs from the record; None if it never does
    mismatch: int | None
    #: tensors that differ there
    mismatch_tensors: tuple[str, ...]
    #: tensors whose bits after the traced step differ from those of the run
    unfaithful: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether the rerun and the traced step are bit-identical to the run."""
        return self.mismatch is None and not self.unfaithful

    def __str__(self) -> str:
        if self.mismatch is not None:
            more = f" (+{len(self.mismatch_tensors) - 1})" if len(self.mismatch_tensors) > 1 else ""
            return (
                f"{self.name}: the rerun differs from the record from step {self.mismatch} on, "
                f"in {self.mismatch_tensors[0]}{more}"
            )
        if self.unfaithful:
            count = len(self.unfaithful)
            tensors = f"{count} tensors, first in" if count > 1 else "one tensor,"
            return (
                f"{self.name}: the traced step is not bit-identical to the run's own step; it "
                f"differs in {tensors} {self.unfaithful[0]}"
            )
        return f"{self.name}: bit-identical to the run"


@dataclass(frozen=True, kw_only=True, slots=True)
class StepExplained(Result):
    """One training step under two conditions, tensor by tensor."""

    #: number of the step, as in records: the update from step - 1 to step; None for two models
    #: started from one state
    step: int | None
    #: check of each rerun, or of each traced step against Keras' own step from the same state
    run_a: RerunCheck | None
    run_b: RerunCheck | None
    #: number of tensors compared
    compared: int
    #: tensors that differ, in order of computation
    differences: tuple[StepDifference, ...]
    #: tensors that only one side has, or whose shapes differ
    unmatched: tuple[str, ...]

    @property
    def first(self) -> StepDifference | None:
        """The first tensor that differs; None if none does."""
        return self.differences[0] if self.differences else None

    @property
    def exact(self) -> bool:
        """Whether the traced steps are bit-identical to those of the runs."""
        return all(run is None or run.exact for run in (self.run_a, self.run_b))

    def __repr__(self) -> str:
        return f"StepExplained({self})"

    def __str__(self) -> str:
        where = "one state" if self.step is None else f"step {self.step}"
        found = f"first {self.first}" if self.first else "no tensor differs"
        parts = [f"{where}: {found}", f"{len(self.differences)} of {self.compared} tensors differ"]
        if self.unmatched:
            parts.append(f"{len(self.unmatched)} without a counterpart")
        parts += [str(run) for run in (self.run_a, self.run_b) if run and not run.exact]
        return "; ".join(parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class StepSplit(Result):
    """The distance after a step, split into what the step amplified and what it injected.

    Let F be one step under a condition, applied to a full state (weights, slots, moving statistics,
    random generators, batch). Then total = F_A(A) - F_B(B) is the sum of amplified =
    F_A(A) - F_A(B) and injected = F_A(B) - F_B(B), as vectors over the trainable weights. The
    shares add up to 1; the norms do not add up.
    """

    #: number of updates before the step
    step: int
    #: ||A - B||
    before: float
    #: norms of the three vectors, in float64
    total: float
    amplified: float
    injected: float
    #: <part, total> / ||total||**2; the two add up to 1. None where the total is 0.
    amplified_share: float | None
    injected_share: float | None
    #: ||total - (amplified + injected)||
    residual: float
    #: whether F_A(A) and F_B(B), each from its saved state, are bit-identical to the record
    exact_a: bool
    exact_b: bool

    def __repr__(self) -> str:
        return f"StepSplit({self})"

    def __str__(self) -> str:
        return (
            f"step {self.step}: total {self.total:.2g}, amplified {self.amplified:.2g}, "
            f"injected {self.injected:.2g}"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate(Result):
    """A ReLU that, for one sample, is open in one run and closed in the other."""

    #: the ReLU layer, its unit (last axis: neuron or channel), and the sample's index in the batch
    layer: str
    unit: int
    sample: int
    #: the axes in between, such as (row, column); empty after a dense layer
    pixel: tuple[int, ...]
    #: input of the ReLU; None where the ReLU is its layer's activation and the gate is closed, so
    #: that the input cannot be observed
    value_a: float | None
    value_b: float | None
    #: standard deviation of this unit's input over the batch, in run A
    spread: float
    #: one ulp at `spread`: the rounding error of a typical value of this unit
    ulp: float
    #: gradient of the loss with respect to the ReLU's output; it passes through an open gate
    gradient_a: float
    gradient_b: float

    @property
    def open_in(self) -> str:
        """The run in which the gate is open: "a" or "b"."""
        return "a" if self.value_a is not None and self.value_a > 0 else "b"

    @property
    def from_zero(self) -> float:
        """The larger magnitude of the two values."""
        return max(abs(v) for v in (self.value_a, self.value_b) if v is not None)

    @property
    def ulps_from_zero(self) -> float:
        """The same, in ulps of the spread.

        Ulps of the value itself would not measure closeness to zero: half of all floats lie between
        -1 and 1.
        """
        return self.from_zero / self.ulp

    def __repr__(self) -> str:
        return f"Gate({self})"

    def __str__(self) -> str:
        pixel = f", pixel {self.pixel}" if self.pixel else ""
        a, b = ("closed" if v is None else f"{v:.2g}" for v in (self.value_a, self.value_b))
        return f"{self.layer} unit {self.unit}, sample {self.sample}{pixel}: {a} against {b}"


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerGates(Result):
    """Gate counts of one ReLU layer on one batch."""

    layer: str
    gates: int
    #: gates that are open in one run and closed in the other
    changed: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Gates(Result):
    """The ReLU gates in one step of two runs; arrays are read-only.

    Other discontinuous derivatives are not covered: which element wins a max pooling, and the upper
    limit of a bounded ReLU.
    """

    #: the update from step - 1 to step; None for two states of one model
    step: int | None
    #: check of each rerun, or of each traced step against Keras' own step from the same state
    run_a: RerunCheck | None
    run_b: RerunCheck | None
    #: steps searched, and the distance between the weights (those with a gradient) at each
    steps: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float64]
    #: all observable ReLU layers, in order of computation
    layers: tuple[LayerGates, ...]
    #: the ReLU layer and unit whose weights diverged most in the step; None if no weights belong
    #: to a ReLU unit
    layer: str | None
    unit: int | None
    #: names of these weights
    weights: tuple[str, ...]
    #: this unit's share of the squared change of the difference in the step, over all weights
    moved_share: float | None
    #: each unit's share of the squared distance between the layer's weights after the step
    shares: npt.NDArray[np.float64]
    #: number of this unit's gates that changed, and the one with the largest gradient; None if no
    #: gate changed
    unit_changed: int
    gate: Gate | None

    @property
    def changed(self) -> int:
        """Number of gates that changed."""
        return sum(layer.changed for layer in self.layers)

    @property
    def share(self) -> float | None:
        """The unit's share of the squared distance between its layer's weights after the step."""
        return None if self.unit is None else float(self.shares[self.unit])

    @property
    def exact(self) -> bool:
        """Whether the traced steps are bit-identical to those of the runs."""
        return all(run is None or run.exact for run in (self.run_a, self.run_b))

    def __repr__(self) -> str:
        return f"Gates({self})"

    def __str__(self) -> str:
        where = "one batch" if self.step is None else f"step {self.step}"
        total = sum(layer.gates for layer in self.layers)
        parts = [f"{where}: {self.changed} of {total} gates changed"]
        if self.unit is not None:
            parts.append(
                f"{self.layer} unit {self.unit} accounts for {self.share:.1%} of its layer's "
                f"squared distance and {self.moved_share:.1%} of the squared change in this step"
            )
            parts.append(str(self.gate) if self.gate else "none of its gates changed")
        parts += [str(run) for run in (self.run_a, self.run_b) if run and not run.exact]
        return "; ".join(parts)


Verdict = Literal["identical", "rounding", "different computation", "cannot tell"]
Cause = Literal[
    "same bits",
    "other start",
    "not repeatable",
    "noise alone",
    "hidden by NaN",
    "shrinks",
    "shrinks too far",
    "stays",
    "large",
    "no float64",
    "float32 remains",
    "rounded constant",
    "not known",
]
_EXPLICABLE = "rounding could produce a difference of this size, but"
#: Cause -> sentence; the braces take `Diagnosis.names` in order, and the deciding measure.
_SENTENCES: dict[Cause, str] = {
    "same bits": "everything that the step computes is bit-identical",
    "other start": "the two steps start from different values: {start}",
    "not repeatable": (
        "{}'s step is not repeatable: rerun from the same state and batch, {} changes; typical "
        "causes are layers that draw random numbers without a Keras seed or keep state outside "
        "the model's variables"
    ),
    "noise alone": "the only differences are in values whose sign is rounding noise, such as in {}",
    "hidden by NaN": (
        "the loss or gradients contain NaN or infinity in both steps, which hides any earlier "
        "difference, such as in {}"
    ),
    "shrinks": "the difference shrinks in float64 as rounding does: {by}",
    "shrinks too far": (
        "the difference disappears in float64, but it is larger than rounding explains: {by}"
    ),
    "stays": "the difference remains in float64: {by}",
    "large": "the difference is larger than rounding explains: {by}",
    "no float64": f"{_EXPLICABLE} the step could not be repeated in float64",
    "float32 remains": f"{_EXPLICABLE} in the float64 step {{}} still uses float32, in {{}}",
    "rounded constant": f"{_EXPLICABLE} {{}} uses a constant rounded to float32, in {{}}",
    "not known": "this older file does not record the reason",
}
#: How the sentences began that older versions stored, in the order in which they are tried. Those
#: that named a layer or a tensor are missing: the names cannot be recovered.
_STORED_OPENINGS: dict[str, Cause] = {
    "no bit of what the step computes differs": "same bits",
    "the two start from other values: ": "other start",
    "nothing of it is left in float64: ": "shrinks",
    "nothing of it is left in float64, yet rounding gave less: ": "shrinks too far",
    "it stays in float64: ": "stays",
    "it is more than rounding can give: ": "large",
    "rounding can give as much, but the step could not be repeated in float64": "no float64",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure(Result):
    """The distance in one kind of tensor that a step computes, and how much rounding explains.

    Each distance is ||a - b|| / ||a|| of a single tensor: the one of its kind that rounding
    explains least. Elements whose gradient rounding noise can bring to zero are left out.
    """

    #: "loss", "gradient" (of the trainable weights), "update" (the change of the weights), or
    #: "update of" a moving statistic or an optimiser slot, such as "update of momentum"
    what: str
    #: in the dtype of the runs
    distance: float
    #: largest distance that rounding explains, from the step repeated with every number perturbed
    #: by one ulp, or from what remains in float64
    explained: float
    #: the same two for the step repeated in float64; None where that was not possible
    distance64: float | None
    explained64: float | None
    #: name of the tensor; empty in older results, whose figures cover all tensors of a kind
    tensor: str = ""

    @property
    def beyond(self) -> bool:
        """Whether the distance is larger than rounding in the runs' dtype explains."""
        return not self.distance <= self.explained

    @property
    def stays(self) -> bool:
        """Whether the difference remains in float64, where rounding is a billion times smaller."""
        if self.distance64 is None or self.explained64 is None:
            return False
        return not self.distance64 <= self.explained64

    def __repr__(self) -> str:
        return f"Measure({self})"

    def __str__(self) -> str:
        where = f" of {self.tensor}" if self.tensor not in ("", self.what) else ""
        what = f"{self.what}{where}"
        text = f"{what}: {self.distance:.1e} (rounding explains up to {self.explained:.1e})"
        if self.distance64 is None or self.explained64 is None:
            return text
        return f"{text}, in float64 {self.distance64:.1e} ({self.explained64:.1e})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis(Result):
    """Whether rounding can explain the difference between two versions of one training step."""

    _computed = ("reason",)

    #: "identical" if everything that the step computes is bit-identical
    verdict: Verdict
    #: what the verdict is based on
    cause: Cause
    #: number of the step, as in records; None for two models
    step: int | None
    #: in order of computation; empty where the two steps start from different values
    measures: tuple[Measure, ...]
    #: stage and name of the first tensor that rounding cannot explain, in order of computation
    first: str | None
    #: kind of starting tensor that differs ("batch/0" is the inputs, "batch/1" the labels,
    #: "weights") -> relative distance; infinite for a tensor that only one side has, such as the
    #: sample weights, "batch/2"
    start: dict[str, float]
    #: settings that differ, such as ``"optimizer momentum: 0.9, 0.95"``: for two models those of
    #: the optimiser and layers; for two runs network, data, labels and condition
    settings: tuple[str, ...]
    #: check of each rerun; None for two models
    run_a: RerunCheck | None
    run_b: RerunCheck | None
    #: where the cause lies: the side ("A" or "B"), and a tensor, a layer or a node of the graph
    names: tuple[str, ...] = ()
    #: the deciding measure; that of a starting tensor where the starting values differ
    by: Measure | None = None
    #: the side that has sample weights, if only one does
    weighted: Literal["A", "B"] | None = None

    @classmethod
    def upgrade(cls, encoded: dict[str, Any]) -> dict[str, Any]:
        """Translate a renamed verdict, and find the cause in a stored sentence."""
        if encoded["verdict"] == "other mathematics":
            encoded = encoded | {"verdict": "different computation"}
        if "reason" in encoded:
            encoded = encoded | _parse_stored_reason(encoded["reason"], encoded["measures"])
        return super(Diagnosis, cls).upgrade(encoded)

    @property
    def reason(self) -> str:
        """The reason for the verdict, in a sentence."""
        start = "" if self.by is None else _describe_start(self.by)
        sentence = _SENTENCES[self.cause].format(*self.names, by=self.by, start=start)
        batch = [name for name in self.start if name.startswith("batch/")]
        if self.verdict == "identical" and batch:
            sentence = f"{sentence}, although {batch[0]} differs"
        return f"only {self.weighted} has sample weights; {sentence}" if self.weighted else sentence

    @property
    def exact(self) -> bool:
        """Whether the diagnosed steps are bit-identical to those of the runs."""
        return all(run is None or run.exact for run in (self.run_a, self.run_b))

    def __getitem__(self, what: str) -> Measure:
        """Return the measure of a kind, such as "gradient"."""
        found = {measure.what: measure for measure in self.measures}
        return found[what]

    def __repr__(self) -> str:
        return f"Diagnosis({self})"

    def __str__(self) -> str:
        where = "" if self.step is None else f"step {self.step}: "
        runs = [str(run) for run in (self.run_a, self.run_b) if run and not run.exact]
        return "; ".join([f"{where}{self.verdict}: {self.reason}", *runs])


def _describe_start(by: Measure) -> str:
    far = isfinite(by.distance)
    distance = f"relative distance {by.distance:.1e}" if far else "zero or not finite on one side"
    return f"{by.tensor}, {distance}"


def _parse_stored_reason(reason: str, measures: list[dict[str, Any]]) -> dict[str, Any]:
    """Find the cause in a sentence stored by an older version, and the measure that it names."""
    for opening, cause in _STORED_OPENINGS.items():
        if not reason.startswith(opening):
            continue
        what = reason.removeprefix(opening)
        if cause == "other start":
            tensor, _, distance = what.rpartition(", ")
            far = float(distance.split()[0]) if distance.endswith("apart") else nan
            by = Measure(
                what="start",
                tensor=tensor,
                distance=far,
                explained=nan,
                distance64=None,
                explained64=None,
            )
            return {"cause": cause, "by": encode(by)}
        named = [m for m in measures if what.startswith(f"{m['what']}: ")]
        if named or not opening.endswith(": "):
            return {"cause": cause, "by": named[0] if named else None}
    return {"cause": "not known"}
