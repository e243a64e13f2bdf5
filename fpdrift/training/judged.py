"""What `judge_step` and `judge_runs` return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fpdrift.results import Result
from fpdrift.training.explained import Repeated

Verdict = Literal["identical", "rounding", "other mathematics", "cannot tell"]


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

    #: "identical" where no bit differs that the step computes
    verdict: Verdict
    #: what it follows from, in a sentence
    reason: str
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
