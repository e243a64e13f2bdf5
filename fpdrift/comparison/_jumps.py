"""Find jumps: steps that multiply the distance by more than the neighbouring steps explain.

The neighbours explain their growth rate times the gap: distances are not known at every step, and
smooth growth over a gap of eight steps equals that over eight gaps of one. The rate is estimated
from the points before the step, from those after it, and from both with a shift in between, over
the step (where exponential growth is a line) and over its logarithm (where a power law is). The
rate that explains most is used, so a growth that slows down or speeds up is not a jump. The shift
must exceed those of other steps with the same gap, so autocorrelated noise sets its own scale.

A jump is then located in the model: in a weight and, if values were kept, in a unit.
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

#: A jump exceeds what its neighbours explain by at least this factor...
LEAST_FACTOR = 2.0
#: ... and its shift is at least this many standard deviations of the shifts at other steps.
STANDS_OUT = 5.0
#: Spread of distances on an exact line, from rounding of their logarithms.
_EXACT = 1e-12
#: Points in the window on each side; more where steps are missing.
_WINDOW = 4
#: Fewest points from which noise can be estimated.
_FEWEST = 4
#: Fewest gaps of one length from which their noise can be estimated.
_ALIKE = 5
#: At most one in this many points is a jump; with more jumps there would be no trend.
_POINTS_A_JUMP = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Jump(Result):
    """A step that multiplies the distance by more than the neighbouring steps explain."""

    #: first step with the larger distance
    step: int
    #: last step before it with a known distance; the jump lies after it, up to `step`
    previous: int
    #: the distance at `step` over that at `previous`
    factor: float
    #: the factor that the neighbours explain
    expected: float
    #: weight whose squared distance increased most; None if unknown
    tensor: str | None = None
    #: that weight's share of the total increase, 0 to 1
    tensor_share: float | None = None
    #: unit (index on the tensor's last axis) with at least half of its layer's increase; None if no
    #: values were kept or there is no such unit
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
    """Find jumps, the largest first; each is removed before the search for the next.

    Parameters
    ----------
    since : (n,) float64
        Steps since the runs were equal, above 0, ascending.
    logs : (n,) float64
        Natural logarithms of the distances then.

    Returns
    -------
    list of (int, float)
        Index of the first point after each jump, ascending, and the logarithm of its excess.
    """
    logs = logs.copy()
    found: dict[int, float] = {}
    if len(logs) < _FEWEST:
        return []
    # no shift is larger than the rise itself
    places = 1 + np.flatnonzero(np.diff(logs) >= np.log(LEAST_FACTOR))
    windows = np.array([_window_around(since, int(i)) for i in places]).reshape(-1, 2)
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


def _window_around(since: Floats, i: int) -> tuple[int, int]:
    """Return the window of points around `i`: a few on each side, and at least as long as the gap.

    Where sparse steps follow dense ones, the slope of a few dense points could not be extrapolated
    over the gap.
    """
    gap = since[i] - since[i - 1]
    first = min(i - _WINDOW, int(np.searchsorted(since, since[i - 1] - gap)))
    last = max(i + _WINDOW, int(np.searchsorted(since, since[i] + gap, side="right")))
    return max(first, 0), min(last, len(since))


def _shift(since: Floats, logs: Floats, i: int, first: int, last: int) -> float:
    """Return by how much point `i` exceeds the points before it, beyond what their rate explains.

    This is the lasting shift between both sides or that between two points, whichever is smaller,
    over the step or over its logarithm.
    """
    window = slice(first, last)
    axes = np.log(since[window]), since[window]
    return min(value for x in axes for value in _shifts(x, logs[window], i - first))


def _shifts(x: Floats, logs: Floats, split: int) -> tuple[float, float]:
    """Return the lasting shift, with a common slope on both sides, and that between two points.

    From the latter, the growth at the steepest rate is subtracted: of either side, or of both.
    """
    sides = slice(None, split), slice(split, None)
    run, rise = ([values[side] - values[side].mean() for side in sides] for values in (x, logs))
    squares = np.array([part @ part for part in run])
    products = np.array([part @ other for part, other in zip(run, rise, strict=True)])
    # a falling distance does not explain a rise; a side with one point has no rate
    common = max(0.0, float(products.sum() / squares.sum())) if squares.any() else 0.0
    steepest = max(common, *np.divide(products, squares, where=squares > 0, out=np.zeros(2)))
    levels = logs - common * x
    # medians, so that a single high point does not count as a level
    before, after = (np.median(levels[side]) for side in sides)
    gap, step = x[split] - x[split - 1], logs[split] - logs[split - 1]
    return float(after - before), float(step - steepest * gap)


def _spreads(since: Floats, logs: Floats) -> Floats:
    """Estimate the standard deviation of the noise between each point and the next (n - 1,).

    The noise is the deviation of each rise from what the neighbouring rises predict over its gap.
    It increases with the gap, so it is estimated from gaps of the same length if there are enough.
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
    """Estimate a standard deviation from the median deviation, which is robust to a few jumps."""
    return max(1.4826 * float(np.median(np.abs(values - np.median(values)))), _EXACT)


#: A unit with a smaller share of its layer's increase is not reported.
LEAST_SHARE = 0.5


def find_tensor(
    pair: Comparison, counted: npt.NDArray[np.bool_], before: int, after: int
) -> tuple[str | None, float | None]:
    """Find the weight whose squared distance increased most between two columns.

    Parameters
    ----------
    pair : Comparison
    counted : (weights,) bool
        The weights to include in the distance.
    before, after : int
        Columns of `pair.distance_by_weight`.

    Returns
    -------
    str or None, float or None
        Name of the weight and its share of the increase; None if a distance is unknown.
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
    """Find the unit whose values diverged most between two steps.

    For a tensor that was kept whole, its own values are used. Of a sketched kernel only the total
    is known, but the small weights after it with one value per unit (a bias, or the scale and
    offset of a normalisation) show which unit changed.

    Parameters
    ----------
    records : (Record, Record)
        The compared runs.
    tensor : str
        Name of a weight.
    before, after : int
        Sketched steps of both.

    Returns
    -------
    int or None, float or None
        The unit and its share of the squared change; None if no unit has at least half of it.
    """
    a, b = records
    names = [t.name for t in a.tensors]
    changes = [
        change
        for i in _tensors_with_units(a, names.index(tensor))
        if (change := _change(a, b, i, before, after)) is not None
    ]
    gains = np.sum(changes, axis=0) if changes else np.zeros(1)
    total = gains.sum()
    if not (np.isfinite(total) and total > 0):
        return None, None
    unit, share = int(np.argmax(gains)), float(gains.max() / total)
    return (unit, share) if share >= LEAST_SHARE and len(gains) > 1 else (None, None)


def _tensors_with_units(record: Record, i: int) -> list[int]:
    """Return the tensors that show the units of tensor `i`: itself, or the vectors after it."""
    tensor = record.tensors[i]
    if tensor.kept == "whole":
        return [i]
    weights = [k for k, t in enumerate(record.tensors) if t.role == "weight" and k > i]
    found = []
    for k in weights:
        if record.tensors[k].shape != tensor.shape[-1:]:
            break
        if not record.tensors[k].zero_gradient:  # such a weight only moves by rounding
            found.append(k)
    return found


def _change(a: Record, b: Record, i: int, before: int, after: int) -> Floats | None:
    """Return the squared change of the difference between two steps, summed for each unit."""
    if a.tensors[i].kept != "whole" or b.tensors[i].kept != "whole" or not a.tensors[i].shape:
        return None
    rows = [np.searchsorted(r.sketch_steps, [before, after]) for r in (a, b)]
    with np.errstate(all="ignore"):  # weights of a diverging run may be NaN or infinite
        difference = a.kept[i][rows[0]] - b.kept[i][rows[1]]
        change = np.square(difference[1] - difference[0]).reshape(-1, a.tensors[i].shape[-1])
        return np.asarray(change.sum(axis=0))
