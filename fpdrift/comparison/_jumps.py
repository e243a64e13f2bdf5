"""Find the steps at which a distance is multiplied by more than its neighbours explain.

What they explain is their rate times the gap: distances are not known at every step, and a smooth
growth rises as far over a gap of eight steps as over eight gaps of one. The rate is that of the
points before, of those behind, or of both with a shift between; over the step (exponential growth
is a line there) or over its logarithm (a power law is). The rate that explains most counts, so a
growth that slows down or speeds up at the step is no jump. The shift has to stand out among those
of other steps with such a gap, so noise that is correlated in time is its own yardstick.

Where in the model a jump took place: the weight, and the unit where values tell it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.serialization import Result

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.comparison._results import Comparison
    from fpdrift.records import Record

    Floats = npt.NDArray[np.float64]

#: A jump multiplies by at least this times what its neighbours explain...
LEAST_FACTOR = 2.0
#: ... and by so many times the spread of such shifts at the other steps.
STANDS_OUT = 5.0
#: Spread of distances that lie on a line, but for the rounding of their logarithms.
_EXACT = 1e-12
#: Points to look at on each side; more where steps are left out.
_WINDOW = 4
#: Fewer points tell nothing of their noise.
_FEWEST = 4
#: Gaps of one length that are enough to tell how far noise moves over them.
_ALIKE = 5
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
    if len(logs) < _FEWEST:
        return []
    # no shift is larger than the rise itself
    places = 1 + np.flatnonzero(np.diff(logs) >= np.log(LEAST_FACTOR))
    windows = np.array([_around(since, int(i)) for i in places]).reshape(-1, 2)
    shifts = np.array([_shift(since, logs, *place) for place in np.column_stack([places, windows])])
    for _ in range(len(logs) // _POINTS_A_JUMP):
        clear = shifts > STANDS_OUT * _spreads(since, logs)[places - 1]
        possible = clear & (shifts >= np.log(LEAST_FACTOR)) & ~np.isin(places, list(found))
        if not possible.any():
            break
        row = int(np.argmax(np.where(possible, shifts, -np.inf)))
        index = int(places[row])
        found[index] = float(shifts[row])
        logs[index:] -= found[index]
        for near in np.flatnonzero((windows[:, 0] < index) & (index < windows[:, 1])):
            shifts[near] = _shift(since, logs, places[near], *windows[near])
    return sorted(found.items())


def _around(since: Floats, i: int) -> tuple[int, int]:
    """Choose the points to look at around `i`: some on each side, and as far as the step is long.

    Where sparse steps follow dense ones, a slope from a few dense ones could not be drawn out so
    far.
    """
    gap = since[i] - since[i - 1]
    first = min(i - _WINDOW, int(np.searchsorted(since, since[i - 1] - gap)))
    last = max(i + _WINDOW, int(np.searchsorted(since, since[i] + gap, side="right")))
    return max(first, 0), min(last, len(since))


def _shift(since: Floats, logs: Floats, i: int, first: int, last: int) -> float:
    """Return how far point `i` lies above those before it, beside what their rate explains.

    That is the shift between the means of both sides, which lasts, or that between two points:
    whichever is less, over the step or over its logarithm.
    """
    window = slice(first, last)
    axes = np.log(since[window]), since[window]
    return min(value for x in axes for value in _shifts(x, logs[window], i - first))


def _shifts(x: Floats, logs: Floats, split: int) -> tuple[float, float]:
    """Return the shift that lasts, beside one slope for both sides, and that between two points.

    Of the latter counts what the steepest rate leaves: of either side, or of both.
    """
    sides = slice(None, split), slice(split, None)
    run, rise = ([values[side] - values[side].mean() for side in sides] for values in (x, logs))
    squares = np.array([part @ part for part in run])
    products = np.array([part @ other for part, other in zip(run, rise, strict=True)])
    # a falling distance explains no rise; a side of one point has no rate
    common = max(0.0, float(products.sum() / squares.sum())) if squares.any() else 0.0
    steepest = max(common, *np.divide(products, squares, where=squares > 0, out=np.zeros(2)))
    levels = logs - common * x
    # medians, so that a single high point is no level
    before, after = (np.median(levels[side]) for side in sides)
    gap, step = x[split] - x[split - 1], logs[split] - logs[split - 1]
    return float(after - before), float(step - steepest * gap)


def _spreads(since: Floats, logs: Floats) -> Floats:
    """Estimate how far noise moves a point away from the one before, a standard deviation (n - 1,).

    That is how far each rise misses what the rises around it make likely over its gap. Over a
    longer gap noise moves further: those of the same gap count, where there are enough.
    """
    gaps, rises = np.diff(since), np.diff(logs)
    rates = np.pad(rises / gaps, 2, constant_values=np.nan)
    around = [rates[shift : shift + len(gaps)] for shift in (0, 1, 3, 4)]
    missed = rises - gaps * np.nanmedian(around, axis=0)
    spreads = np.full(len(gaps), _spread(missed))
    for gap in np.unique(gaps):
        alike = gaps == gap
        if alike.sum() >= _ALIKE:
            spreads[alike] = np.maximum(spreads[alike], _spread(missed[alike]))
        else:
            spreads[alike] *= np.sqrt(max(gap / np.median(gaps), 1.0))
    return spreads


def _spread(values: Floats) -> float:
    """Estimate a standard deviation from the median, which a few jumps do not move."""
    return max(1.4826 * float(np.median(np.abs(values - np.median(values)))), _EXACT)


#: A unit that holds less of what its layer's values gained is not named.
LEAST_SHARE = 0.5


def find_tensor(
    pair: Comparison, counted: npt.NDArray[np.bool_], before: int, after: int
) -> tuple[str | None, float | None]:
    """Name the weight whose squared distance gained most from one column to another.

    Parameters
    ----------
    pair : Comparison
    counted : (weights,) bool
        Which weights the distance is made of.
    before, after : int
        Columns of `pair.distance_by_weight`.

    Returns
    -------
    str or None, float or None
        Name and part of all that was gained; None where a distance is not known.
    """
    squares = np.square(pair.distance_by_weight)
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        gains = np.where(counted, np.maximum(squares[:, after] - squares[:, before], 0), 0)
    total = gains.sum()
    if not (np.isfinite(total) and total > 0):
        return None, None
    row = int(np.argmax(gains))
    return pair.weights[row], float(gains[row] / total)


def find_unit(
    records: tuple[Record, Record], tensor: str, before: int, after: int
) -> tuple[int | None, float | None]:
    """Name the unit whose values moved apart most between two steps.

    A tensor that was kept whole tells it itself. Of a sketched kernel only the total is known, but
    the small weights behind it, one value a unit (a bias, the scale and the offset of a
    normalisation), see the same unit switch.

    Parameters
    ----------
    records : (Record, Record)
        The runs compared.
    tensor : str
        Name of a weight.
    before, after : int
        Sketched steps of both.

    Returns
    -------
    int or None, float or None
        The unit and its part of the squared change; None where less than half is in one unit.
    """
    a, b = records
    names = [t.name for t in a.tensors]
    changes = [
        change
        for i in _telling(a, names.index(tensor))
        if (change := _change(a, b, i, before, after)) is not None
    ]
    gains = np.sum(changes, axis=0) if changes else np.zeros(1)
    total = gains.sum()
    if not (np.isfinite(total) and total > 0):
        return None, None
    unit, share = int(np.argmax(gains)), float(gains.max() / total)
    return (unit, share) if share >= LEAST_SHARE and len(gains) > 1 else (None, None)


def _telling(record: Record, i: int) -> list[int]:
    """Which tensors tell of the units of tensor `i`: itself, or the vectors that follow it."""
    tensor = record.tensors[i]
    if tensor.kept == "whole":
        return [i]
    weights = [k for k, t in enumerate(record.tensors) if t.role == "weight" and k > i]
    found = []
    for k in weights:
        if record.tensors[k].shape != tensor.shape[-1:]:
            break
        if not record.tensors[k].zero_gradient:  # what such a weight does is rounding
            found.append(k)
    return found


def _change(a: Record, b: Record, i: int, before: int, after: int) -> Floats | None:
    """Squared change of a tensor's difference between two steps, a sum for each unit."""
    if a.tensors[i].kept != "whole" or b.tensors[i].kept != "whole" or not a.tensors[i].shape:
        return None
    rows = [np.searchsorted(r.sketch_steps, [before, after]) for r in (a, b)]
    with np.errstate(all="ignore"):  # weights of a run that blew up
        apart = a.kept[i][rows[0]] - b.kept[i][rows[1]]
        moved = np.square(apart[1] - apart[0]).reshape(-1, a.tensors[i].shape[-1])
        return np.asarray(moved.sum(axis=0))
