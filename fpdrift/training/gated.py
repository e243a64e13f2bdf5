"""What `find_gates` and `compare_gates` return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.results import Result
from fpdrift.training.explained import Repeated

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


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
    run_a: Repeated | None
    run_b: Repeated | None
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
