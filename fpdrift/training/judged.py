"""What `judge_step` and `judge_runs` return."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan
from typing import Any, Literal

from fpdrift.results import Result, encode
from fpdrift.training.explained import Repeated

Verdict = Literal["identical", "rounding", "other mathematics", "cannot tell"]
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
class Judged(Result):
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
    run_a: Repeated | None
    run_b: Repeated | None
    #: which of the two ("A" or "B"), a tensor, a layer or a node of the graph that the cause is in
    names: tuple[str, ...] = ()
    #: what decides; of the tensor's starting values where the two start from others
    by: Measure | None = None
    #: which of the two alone has sample weights
    weighted: Literal["A", "B"] | None = None

    @classmethod
    def upgrade(cls, encoded: dict[str, Any]) -> dict[str, Any]:
        """Find the cause in the sentence that older versions stored."""
        if "reason" in encoded:
            encoded = encoded | _told(encoded["reason"], encoded["measures"])
        return super(Judged, cls).upgrade(encoded)

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
        """Give the measure of that name."""
        found = {measure.what: measure for measure in self.measures}
        return found[what]

    def __repr__(self) -> str:
        return f"Judged({self})"

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
