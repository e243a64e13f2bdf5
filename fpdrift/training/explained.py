"""What `explain_step`, `compare_step` and `split_steps` return."""

from __future__ import annotations

from dataclasses import dataclass

from fpdrift.results import Result


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
class Repeated(Result):
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
    run_a: Repeated | None
    run_b: Repeated | None
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
