"""What `explain_step`, `compare_step` and `split_steps` return.

What `find_gates` and `compare_gates` return.

What `diagnose_step` and `diagnose_runs` return.
"""

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
    #: such as ``"conv1/kernel"``; ``"conv1/output"`` for what a layer gives. In "backward" it is
    #: the gradient of the loss with respect to what bears this name.
    name: str
    #: the layer that computed it, forward or backward (several: comma-separated); empty where that
    #: is unknown or no layer did
    layer: str
    shape: tuple[int, ...]
    #: elements whose bits differ, of `size`
    differing: int
    size: int
    #: largest distance of two elements; None between two dtypes, where these are no floats, or
    #: where a NaN meets a number
    largest_ulps: int | None
    #: ||a - b|| / ||a||, in float64
    relative: float
    #: where the first of them is, and its values
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
    """One run, repeated up to a step and held against its record."""

    #: name of the record
    name: str
    #: recorded steps whose every hash was compared
    checked: int
    #: first recorded step at which the repeated run has other bits than the record; None if none
    mismatch: int | None
    #: tensors that differ there
    mismatch_tensors: tuple[str, ...]
    #: tensors whose bits after the step taken apart are not those of the run
    unfaithful: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether all that was seen has the bits of the run itself."""
        return self.mismatch is None and not self.unfaithful

    def __str__(self) -> str:
        if self.mismatch is not None:
            more = f" (+{len(self.mismatch_tensors) - 1})" if len(self.mismatch_tensors) > 1 else ""
            return (
                f"{self.name}: repeated here, it has other bits than its record from step "
                f"{self.mismatch} on, in {self.mismatch_tensors[0]}{more}"
            )
        if self.unfaithful:
            return (
                f"{self.name}: taken apart, the step ends with other bits than the run in "
                f"{len(self.unfaithful)} tensors, {self.unfaithful[0]} the first"
            )
        return f"{self.name}: the bits of the run"


@dataclass(frozen=True, kw_only=True, slots=True)
class StepExplained(Result):
    """One training step under two conditions, tensor by tensor."""

    #: the step, as records count them: the update that leads from step - 1 to it; None for two
    #: models from one state
    step: int | None
    #: how each step was repeated, or held against Keras' own step from the same state
    run_a: RerunCheck | None
    run_b: RerunCheck | None
    #: tensors compared
    compared: int
    #: those that differ, in order of computing
    differences: tuple[StepDifference, ...]
    #: tensors that one side alone has, or in another shape
    unmatched: tuple[str, ...]

    @property
    def first(self) -> StepDifference | None:
        """The first tensor that differs."""
        return self.differences[0] if self.differences else None

    @property
    def exact(self) -> bool:
        """Whether all that was seen has the bits of the runs themselves."""
        return all(run is None or run.exact for run in (self.run_a, self.run_b))

    def __repr__(self) -> str:
        return f"StepExplained({self})"

    def __str__(self) -> str:
        where = "one state" if self.step is None else f"step {self.step}"
        found = f"first {self.first}" if self.first else "no tensor differs"
        parts = [f"{where}: {found}", f"{len(self.differences)} of {self.compared} differ"]
        if self.unmatched:
            parts.append(f"{len(self.unmatched)} without a counterpart")
        parts += [str(run) for run in (self.run_a, self.run_b) if run and not run.exact]
        return "; ".join(parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class StepSplit(Result):
    """How much of the distance after a step the step made itself, and how much it had made bigger.

    With F one step under a condition, from a whole state (weights, slots, moving statistics, random
    generators, batch), total = F_A(A) - F_B(B) is amplified = F_A(A) - F_A(B) plus injected =
    F_A(B) - F_B(B), as vectors over the trainable weights. Norms do not add up; shares do.
    """

    #: updates done before the step
    step: int
    #: ||A - B||
    before: float
    #: norms of the three, in float64
    total: float
    amplified: float
    injected: float
    #: <part, total> / ||total||**2, which add up to 1; None where the total is 0
    amplified_share: float | None
    injected_share: float | None
    #: ||total - (amplified + injected)||
    residual: float
    #: whether F_A(A) and F_B(B), each from its saved state, have the bits of its record
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
    """One ReLU of one sample that is open in one run and shut in the other."""

    #: the ReLU layer, its unit (last axis: neuron or channel), the sample's place in the batch
    layer: str
    unit: int
    sample: int
    #: the place in between, such as (row, column); empty behind a dense layer
    pixel: tuple[int, ...]
    #: what goes into the ReLU; None where a layer ends in its ReLU and the gate is shut, so that
    #: nobody sees it
    value_a: float | None
    value_b: float | None
    #: standard deviation of what goes into this unit over the batch, in run A
    spread: float
    #: spacing of the floats at the spread: what one rounding of an ordinary value of the unit is
    ulp: float
    #: the loss's gradient with respect to what comes out of the ReLU; it goes on if the gate is
    #: open
    gradient_a: float
    gradient_b: float

    @property
    def open_in(self) -> str:
        """The run in which it is open: "a" or "b"."""
        return "a" if self.value_a is not None and self.value_a > 0 else "b"

    @property
    def from_zero(self) -> float:
        """The larger distance from zero of the two values."""
        return max(abs(v) for v in (self.value_a, self.value_b) if v is not None)

    @property
    def ulps_from_zero(self) -> float:
        """The same in ulps of the spread.

        (In ulps of the value itself nothing is near zero: half of all floats lie below one.)
        """
        return self.from_zero / self.ulp

    def __repr__(self) -> str:
        return f"Gate({self})"

    def __str__(self) -> str:
        pixel = f", pixel {self.pixel}" if self.pixel else ""
        a, b = ("shut" if v is None else f"{v:.2g}" for v in (self.value_a, self.value_b))
        return f"{self.layer} unit {self.unit}, sample {self.sample}{pixel}: {a} against {b}"


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerGates(Result):
    """The gates of one ReLU layer on one batch."""

    layer: str
    gates: int
    #: open in one run and shut in the other
    changed: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Gates(Result):
    """One step of two runs, seen at its ReLUs; arrays are read-only.

    Not seen are other places at which a derivative leaps: which element wins a max pooling, a
    ReLU's upper end.
    """

    #: the update that leads from step - 1 to it; None for two states of one model
    step: int | None
    #: how each step was repeated, or held against Keras' own step from the same state
    run_a: RerunCheck | None
    run_b: RerunCheck | None
    #: steps looked through for it, and the distance of the weights (those with a gradient) there
    steps: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float64]
    #: every ReLU layer that was seen, in order of computing
    layers: tuple[LayerGates, ...]
    #: the ReLU layer and unit whose weights moved apart most in the step; None where no weights
    #: belong to any
    layer: str | None
    unit: int | None
    #: names of these weights
    weights: tuple[str, ...]
    #: part of all weights' squared movement apart in the step that this unit's made
    moved_share: float | None
    #: part of the squared distance of the layer's weights after the step that each unit holds
    shares: npt.NDArray[np.float64]
    #: gates of this unit that changed, and the one with the largest gradient; None: none did
    unit_changed: int
    gate: Gate | None

    @property
    def changed(self) -> int:
        """How many gates changed in all."""
        return sum(layer.changed for layer in self.layers)

    @property
    def share(self) -> float | None:
        """The unit's part of the squared distance of its layer's weights after the step."""
        return None if self.unit is None else float(self.shares[self.unit])

    @property
    def exact(self) -> bool:
        """Whether all that was seen has the bits of the runs themselves."""
        return all(run is None or run.exact for run in (self.run_a, self.run_b))

    def __repr__(self) -> str:
        return f"Gates({self})"

    def __str__(self) -> str:
        where = "one batch" if self.step is None else f"step {self.step}"
        total = sum(layer.gates for layer in self.layers)
        parts = [f"{where}: {self.changed} of {total} gates changed"]
        if self.unit is not None:
            parts.append(
                f"{self.layer} unit {self.unit} holds {self.share:.1%} of its layer's squared "
                f"distance and made {self.moved_share:.1%} of all movement"
            )
            parts.append(str(self.gate) if self.gate else "none of its own gates changed")
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
_AS_MUCH = "rounding can give as much, but"
#: Cause -> sentence; braces hold the names in their order, and the measure that decides.
_SENTENCES: dict[Cause, str] = {
    "same bits": "no bit of what the step computes differs",
    "other start": "the two start from other values: {start}",
    "not repeatable": (
        "{}'s step does not repeat itself: from one state and batch, {} changes; a layer that "
        "draws without a seed of Keras, or keeps a state outside of the model's variables, does "
        "that"
    ),
    "noise alone": ("all that differs is numbers whose sign rounding alone decides, such as in {}"),
    "hidden by NaN": (
        "loss or gradients are not finite in either, which hides any difference that comes "
        "before, such as in {}"
    ),
    "shrinks": "nothing of it is left in float64: {by}",
    "shrinks too far": "nothing of it is left in float64, yet rounding gave less: {by}",
    "stays": "it stays in float64: {by}",
    "large": "it is more than rounding can give: {by}",
    "no float64": f"{_AS_MUCH} the step could not be repeated in float64",
    "float32 remains": f"{_AS_MUCH} in float64 {{}} still computes in float32, in {{}}",
    "rounded constant": (
        f"{_AS_MUCH} {{}} computes with a constant that was rounded to float32, in {{}}"
    ),
    "not known": "this older file does not say why",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure(Result):
    """How far apart the two are in one thing that a step computes, and how far rounding can go.

    Each is ||a - b|| / ||a|| of one tensor: the one of its kind that rounding explains worst.
    Elements whose gradient rounding alone can bring to zero are left out.
    """

    #: "loss", "gradient" (of the trainable weights), "update" (weights after the step less before),
    #: or "update of" a moving statistic or an optimiser's slot, such as "update of momentum"
    what: str
    #: in the runs' own dtype
    distance: float
    #: what rounding can give there: from the step repeated with every number moved by one ulp, or
    #: from what is left in float64
    explained: float
    #: the same two with the step repeated in float64; None where it could not be
    distance64: float | None
    explained64: float | None
    #: name of the tensor; empty in results of before, whose figures are of all tensors of a kind
    tensor: str = ""

    @property
    def beyond(self) -> bool:
        """Whether rounding to the runs' own dtype cannot explain the distance."""
        return not self.distance <= self.explained

    @property
    def stays(self) -> bool:
        """Whether it stays where rounding is a billion times smaller."""
        if self.distance64 is None or self.explained64 is None:
            return False
        return not self.distance64 <= self.explained64

    def __repr__(self) -> str:
        return f"Measure({self})"

    def __str__(self) -> str:
        where = f" of {self.tensor}" if self.tensor not in ("", self.what) else ""
        what = f"{self.what}{where}"
        text = f"{what}: {self.distance:.1e} (rounding can give {self.explained:.1e})"
        if self.distance64 is None or self.explained64 is None:
            return text
        return f"{text}, in float64 {self.distance64:.1e} ({self.explained64:.1e})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis(Result):
    """Whether rounding can explain that one training step of two runs gives other bits."""

    _computed = ("reason",)

    #: "identical" where no bit differs that the step computes
    verdict: Verdict
    #: what the verdict follows from
    cause: Cause
    #: as records count steps; None for two models
    step: int | None
    #: in order of computing; empty where the two start from other values
    measures: tuple[Measure, ...]
    #: stage and name of the first tensor that rounding cannot explain, in order of computing
    first: str | None
    #: kind of tensor that the step starts from ("batch/0" is the inputs, "batch/1" the labels,
    #: "weights") and that differs -> relative distance; infinite for what one alone has, such as
    #: "batch/2", sample weights
    start: dict[str, float]
    #: settings that differ, such as ``"optimizer momentum: 0.9, 0.95"``: of two models those of
    #: optimiser and layers, of two runs network, data, labels and the condition
    settings: tuple[str, ...]
    #: how the runs were repeated; None for two models
    run_a: RerunCheck | None
    run_b: RerunCheck | None
    #: which of the two ("A" or "B"), a tensor, a layer or a node of the graph that the cause is in
    names: tuple[str, ...] = ()
    #: what decides; of the tensor's starting values where the two start from others
    by: Measure | None = None
    #: which of the two alone has sample weights
    weighted: Literal["A", "B"] | None = None

    @classmethod
    def upgrade(cls, encoded: dict[str, Any]) -> dict[str, Any]:
        """Read the verdict that had another name, and the cause from a stored sentence."""
        if encoded["verdict"] == "other mathematics":
            encoded = encoded | {"verdict": "different computation"}
        if "reason" in encoded:
            encoded = encoded | _told(encoded["reason"], encoded["measures"])
        return super(Diagnosis, cls).upgrade(encoded)

    @property
    def reason(self) -> str:
        """What the verdict follows from, in a sentence."""
        start = "" if self.by is None else _start(self.by)
        told = _SENTENCES[self.cause].format(*self.names, by=self.by, start=start)
        batch = [name for name in self.start if name.startswith("batch/")]
        if self.verdict == "identical" and batch:
            told = f"{told}, although {batch[0]} does"
        return f"{self.weighted} alone has sample weights; {told}" if self.weighted else told

    @property
    def exact(self) -> bool:
        """Whether what was judged has the bits of the runs themselves."""
        return all(run is None or run.exact for run in (self.run_a, self.run_b))

    def __getitem__(self, what: str) -> Measure:
        """Return the measure of that name."""
        found = {measure.what: measure for measure in self.measures}
        return found[what]

    def __repr__(self) -> str:
        return f"Diagnosis({self})"

    def __str__(self) -> str:
        where = "" if self.step is None else f"step {self.step}: "
        runs = [str(run) for run in (self.run_a, self.run_b) if run and not run.exact]
        return "; ".join([f"{where}{self.verdict}: {self.reason}", *runs])


def _start(by: Measure) -> str:
    apart = f"{by.distance:.1e} apart" if isfinite(by.distance) else "zeros or not finite in one"
    return f"{by.tensor}, {apart}"


def _told(reason: str, measures: list[dict[str, Any]]) -> dict[str, Any]:
    """Find the cause in a sentence of an older version, and the measure that it names."""
    for cause, sentence in _SENTENCES.items():
        before, brace, _ = sentence.partition("{")
        if not before or not reason.startswith(before):
            continue
        what = reason.removeprefix(before)
        if cause == "other start":
            tensor, _, apart = what.rpartition(", ")
            far = float(apart.split()[0]) if apart.endswith("apart") else nan
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
        if named or not brace:
            return {"cause": cause, "by": named[0] if named else None}
    return {"cause": "not known"}
