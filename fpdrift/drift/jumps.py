"""Find the steps at which a distance is multiplied by more than its neighbours explain.

Around each step a line is fitted to the logarithm of the distance, with one slope before and behind
it and a shift at the step. That is done over the step (exponential growth is a line there) and over
its logarithm (a power law is), and whichever leaves less to the jump counts. The shift has to stand
out among those of all other steps, so noise that is correlated in time is its own yardstick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.results import Result

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

#: A jump multiplies by at least this times what its neighbours explain...
LEAST_FACTOR = 2.0
#: ... and by so many times the spread of such shifts at the other steps.
STANDS_OUT = 5.0
#: Spread of distances that lie on a line, but for the rounding of their logarithms.
_EXACT = 1e-12
#: Points to look at on each side; more where steps are left out.
_WINDOW = 4
#: At most one point in so many is a jump; where there would be more, there is no trend either.
_POINTS_A_JUMP = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Jump(Result):
    """A step that multiplies the distance by more than its neighbours explain."""

    #: step at which the larger distance was seen first
    step: int
    #: the step with a known distance before it; the jump is behind it, up to `step`
    previous: int
    #: the distance at `step` over that at `previous`
    factor: float
    #: the factor that its neighbours explain
    expected: float
    #: weight whose squared distance gained most; None where it is not known
    tensor: str | None = None
    #: that weight's part of all that was gained, 0 to 1
    tensor_share: float | None = None
    #: unit (place on the tensor's last axis) that holds at least half of what its layer's values
    #: gained; None where no values were kept or no unit stands out
    unit: int | None = None
    unit_share: float | None = None

    def __repr__(self) -> str:
        return f"Jump({self})"

    def __str__(self) -> str:
        where = f"step {self.step}"
        if self.previous < self.step - 1:
            where = f"steps {self.previous + 1} to {self.step}"
        text = f"x{self.factor:.3g} at {where}"
        if self.tensor is not None:
            text += f" in {self.tensor}"
        return text if self.unit is None else f"{text}, unit {self.unit}"


def find_jumps(since: Floats, logs: Floats) -> list[tuple[int, float]]:
    """Find jumps, the largest first, each taken out before the next is looked for.

    Parameters
    ----------
    since : (n,) float64
        Steps since the runs were equal, above 0, ascending.
    logs : (n,) float64
        Natural logarithms of the distances then.

    Returns
    -------
    list of (int, float)
        Index of the first point behind each jump, ascending, and the logarithm of its excess.
    """
    logs = logs.copy()
    found: dict[int, float] = {}
    for _ in range(len(logs) // _POINTS_A_JUMP):
        lasting, sudden = _shifts(since, logs)
        both = np.minimum(lasting, sudden)
        clear = np.minimum(lasting / _spread(lasting), sudden / _spread(sudden)) > STANDS_OUT
        possible = clear & (both >= np.log(LEAST_FACTOR))
        possible[list(found)] = False
        if not possible.any():
            break
        index = int(np.argmax(np.where(possible, both, -np.inf)))
        found[index] = float(both[index])
        logs[index:] -= both[index]
    return sorted(found.items())


def _shifts(since: Floats, logs: Floats) -> tuple[Floats, Floats]:
    """Give how much each point lies above those before it, beside what their slope explains (n,).

    The first is between the means of both sides, so it lasts; the second between two points.
    """
    shifts = np.zeros((2, len(since)))
    axes = np.log(since), since
    for i in range(1, len(since)):
        first, last = _around(since, i)
        candidates = [_shift(x[first:last], logs[first:last], i - first) for x in axes]
        shifts[:, i] = min(candidates, key=min)
    return shifts[0], shifts[1]


def _around(since: Floats, i: int) -> tuple[int, int]:
    """Choose the points to look at around `i`: some on each side, and as far as the step is long.

    Where sparse steps follow dense ones, a slope from a few dense ones could not be drawn out so
    far.
    """
    gap = since[i] - since[i - 1]
    first = min(i - _WINDOW, int(np.searchsorted(since, since[i - 1] - gap)))
    last = max(i + _WINDOW, int(np.searchsorted(since, since[i] + gap, side="right")))
    return max(first, 0), min(last, len(since))


def _shift(x: Floats, logs: Floats, split: int) -> tuple[float, float]:
    """Fit one slope and two levels; give the shift that lasts and the one between two points."""
    sides = slice(None, split), slice(split, None)
    run, rise = (
        np.concatenate([values[side] - values[side].mean() for side in sides])
        for values in (x, logs)
    )
    square = float(run @ run)
    # a falling distance explains no rise
    slope = max(0.0, float(run @ rise) / square) if square else 0.0
    levels = logs - slope * x
    # medians, so that a single high point is no level
    before, after = (np.median(levels[side]) for side in sides)
    return float(after - before), float(levels[split] - levels[split - 1])


def _spread(shifts: Floats) -> float:
    """Estimate a standard deviation from the median, which a few jumps do not move."""
    inner = shifts[1:]
    return max(1.4826 * float(np.median(np.abs(inner - np.median(inner)))), _EXACT)
