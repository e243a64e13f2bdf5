"""Analyse how the distance between two runs grows: floor, jumps, growth law, plateau."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.comparison._growth_fit import Law
from fpdrift.comparison._growth_law import (
    DecadeSlope,
    Kind,
    Level,
    Trend,
    decade_slopes,
    differ,
    fit_trend,
)
from fpdrift.comparison._horizon import Horizon, check_comparison, horizon
from fpdrift.comparison._jumps import Jump, find_jumps, find_tensor, find_unit
from fpdrift.comparison._metadata import align_updates
from fpdrift.comparison._results import Comparison
from fpdrift.comparison._shared_tensors import shared
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.records import Record
from fpdrift.serialization import Result, read_only
from fpdrift.text import percent
from fpdrift.validation import check_switch

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


#: Fields that are computed on first access.
_DERIVED = ("jumps", "fitted", "trend", "floor", "plateau", "slopes")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Growth(Result):
    """How a distance depends on the step; arrays are read-only.

    Everything derived from the distances is computed on first access and not saved: loading a saved
    growth analyses its distances with the current version.
    """

    #: steps at which the distance is known or NaN, ascending (m,)
    steps: npt.NDArray[np.int64]
    #: the analysed distance (m,)
    distance: npt.NDArray[np.float64]
    #: last step at which the runs were equal; a power law counts steps from there
    origin: int
    #: ascending; only the location is taken from jumps that are passed in, the rest is derived
    #: from the distances
    jumps: tuple[Jump, ...] = ()
    #: whether the distance was large from the start, so that no growth law applies
    far_from_the_start: bool = False
    #: whether weights whose true gradient is zero were left out
    without_zero_gradient: bool = False
    #: first step at which the bits of any tensor differed; None if none did or it is unknown
    first_difference: int | None = None
    #: None if only distances were given
    horizon: Horizon | None = None
    #: fraction of the probe's predictions whose class differs; None without a probe
    churn: float | None = None
    #: the distance according to the law or the most likely curve, jumps included; NaN where nothing
    #: was fitted (m,)
    fitted: npt.NDArray[np.float64] = field(init=False)
    #: the law between the jumps
    trend: Trend = field(init=False)
    #: level before the growth; None if there is no certain one
    floor: Level | None = field(init=False)
    #: level after the growth; None if there is no certain one
    plateau: Level | None = field(init=False)
    #: local exponents between the jumps, one for each decade of steps
    slopes: tuple[DecadeSlope, ...] = field(init=False)
    #: the jumps that were passed in
    _given: tuple[Jump, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Check the distances.

        Raises
        ------
        FpdriftError
            If the arrays are empty or of unequal length, the steps are not ascending or a distance
            is negative.
        """
        steps, distance = _arrays(self.steps, self.distance)
        self._set(steps=read_only(steps), distance=read_only(distance), _given=self.jumps)
        object.__delattr__(self, "jumps")  # so that __getattr__ derives them

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Derive the fields that are not set yet; Python calls this for missing attributes."""
            if name not in _DERIVED:
                message = f"a Growth has no {name}"
                raise AttributeError(message)
            self._conclude()
            return getattr(self, name)

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _conclude(self) -> None:
        steps, distance = self.steps, self.distance
        rows, since, logs = _usable_rows(steps, distance, self.origin)
        found = [] if self.far_from_the_start else find_jumps(since, logs)
        places = [i for i, _ in found]
        trend, line, law = self._trend(distance, since, logs, places)
        fitted = np.full(len(steps), np.nan)
        with np.errstate(over="ignore"):  # a line or a factor may exceed float64's range
            if line is not None:
                fitted[rows] = np.exp(line)
            floor, plateau = _levels(law, steps[rows], fitted[rows])
            jumps = tuple(_jump(steps[rows], logs, *jump) for jump in found)
        known = {(jump.previous, jump.step): jump for jump in self._given}
        self._set(
            jumps=tuple(_with_location(jump, known) for jump in jumps),
            fitted=read_only(fitted),
            trend=trend,
            floor=floor,
            plateau=plateau,
            slopes=tuple(decade_slopes(steps[rows], since, logs, places)),
        )

    def _trend(
        self, distance: Floats, since: Floats, logs: Floats, jumps: list[int]
    ) -> tuple[Trend, Floats | None, Law | None]:
        """Choose the growth law, unless no distance was above zero."""
        if self.far_from_the_start:
            return (
                Trend(kind="cannot tell", evidence={}, doubt="far apart from the start"),
                None,
                None,
            )
        if not (np.isfinite(distance) & (distance > 0)).any():
            return Trend(kind="none", evidence={}), None, None
        return fit_trend(since, logs, jumps)

    @property
    def kind(self) -> Kind:
        """The law's name: none, flat, power law, exponential, bends or cannot tell."""
        return self.trend.kind

    @property
    def law(self) -> str:
        """The law in words, or the slopes if no law fits."""
        if self.kind != "bends":
            return str(self.trend)
        law = f"{self.trend}: {'it bends' if self.bend_seen else self.trend.miss}"
        if not self.slopes:
            return law
        decades = "exponents by decade" if len(self.slopes) > 1 else "exponent in its one decade"
        return f"{law}, {decades} {', '.join(map(str, self.slopes))}"

    @property
    def bend_seen(self) -> bool:
        """Whether a bend shows in the slopes as they are printed."""
        return self.kind == "bends" and differ(self.slopes)

    def __repr__(self) -> str:
        return f"Growth({self})"

    def __str__(self) -> str:
        parts = [*self._course()]
        if self.horizon is not None:
            parts.append(str(self.horizon))
        if self.churn is not None:
            parts.append(f"churn {percent(self.churn)} %")
        return "; ".join(parts)

    def _course(self) -> list[str]:
        last = self.steps[-1]
        if self.kind == "none":
            if self.first_difference is None:
                return [f"none: no difference up to step {last}"]
            return [
                f"none: no distance is known, though bits differ at step {self.first_difference}"
            ]
        parts = []
        if self.floor is not None:
            parts.append(f"floor {self.floor.distance:.1e} up to step {self.floor.last}")
        parts.append(self.law)
        jumps = ", ".join(map(str, self.jumps))
        if not self.far_from_the_start:  # otherwise no jumps were searched for
            parts.append(f"jumps {jumps}" if jumps else "no jump")
        if self.plateau is not None:
            parts.append(f"plateau {self.plateau.distance:.1e} from step {self.plateau.first}")
        return parts


def growth(
    comparison: Comparison,
    records: tuple[Record, Record] | None = None,
    *,
    zero_gradient: bool = False,
    tolerance: float = 0.01,
    metric: str = "loss",
) -> Growth:
    """Analyse how the distance of a comparison grows.

    Parameters
    ----------
    comparison : Comparison
        Result of `compare`.
    records : (Record, Record), optional
        The two compared records, in that order; their values locate the unit of a jump.
    zero_gradient : bool, default False
        Include the weights whose true gradient is zero. Their changes are rounding noise, which
        Adam amplifies to full steps, but they do not affect what the model computes.
    tolerance : float, default 0.01
        For the horizon: the largest |b - a| / |a| that counts as equal.
    metric : str, default "loss"
        Metric for the horizon.

    Returns
    -------
    Growth
        Its kind is "none" if no distance is above zero, and "cannot tell" if there are too few
        distances, several laws fit them about equally well, or the runs were far apart from the
        start.

    Raises
    ------
    FpdriftError
        If `comparison` is not a Comparison, the records are not the compared ones, or a setting is
        out of range.
    """
    check_comparison(comparison)
    check_switch("zero_gradient", zero_gradient)
    records = _check_records(comparison, records)
    without = comparison.distance_without_zero_gradient
    use_all = zero_gradient or without is None
    first = comparison.first_difference
    found = Growth(
        steps=comparison.steps,
        distance=comparison.distance if use_all or without is None else without,
        origin=0 if first is None else first.last_equal or 0,
        far_from_the_start=comparison.far_from_the_start,
        without_zero_gradient=not use_all,
        first_difference=None if first is None else first.step,
        horizon=horizon(comparison, tolerance, metric),
        churn=comparison.churn,
    )
    counted = np.ones(len(comparison.weights), bool)
    if not use_all:
        counted &= ~np.array(comparison.zero_gradient, bool)
    places = tuple(_locate(jump, comparison, counted, records) for jump in found.jumps)
    found._set(jumps=places)  # noqa: SLF001 - deriving everything again would change nothing else
    return found


def growth_of(steps: Any, distances: Any, *, origin: int | None = None) -> Growth:
    """Analyse how distances from any source grow.

    Parameters
    ----------
    steps : (m,) array_like of int
        Ascending.
    distances : (m,) array_like of float
        Zero or more; non-finite distances count as unknown.
    origin : int, optional
        Last step at which the distance was zero; by default, that of the last zero before the first
        positive distance, or 0. Only later steps are fitted.

    Raises
    ------
    FpdriftError
        If the arrays are empty or of unequal length, the steps are not ascending or a distance is
        negative.
    """
    steps, distances = _arrays(steps, distances)
    if origin is None:
        seen = np.isfinite(distances) & (distances > 0)
        equal = steps[: np.argmax(seen)] if seen.any() else steps[:0]
        origin = int(equal[-1]) if len(equal) else min(0, int(steps[0]))
    return Growth(steps=steps, distance=distances, origin=origin)


def _usable_rows(
    steps: npt.NDArray[np.int64], distance: Floats, origin: int
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Return the rows with a positive distance after the origin, their steps since, their logs."""
    rows = np.flatnonzero(np.isfinite(distance) & (distance > 0) & (steps > origin))
    return rows, (steps[rows] - origin).astype(np.float64), np.log(distance[rows])


def _arrays(steps: Any, distances: Any) -> tuple[npt.NDArray[np.int64], Floats]:
    try:
        whole = np.array(steps, np.int64)
        exact = bool(np.all(whole == np.asarray(steps)))
        values = np.array(distances, np.float64)
    except (TypeError, ValueError, OverflowError):
        exact = False
    if not exact or whole.ndim != 1 or not whole.size or values.shape != whole.shape:
        message = (
            f"steps {short_repr(steps)} and distances {short_repr(distances)}; pass two sequences "
            "of equal length, integers and floats"
        )
        raise FpdriftError(message)
    if (np.diff(whole) <= 0).any() or (values < 0).any():
        message = "steps must be ascending and distances zero or more; sort or correct them first"
        raise FpdriftError(message)
    return whole, values


def _levels(
    law: Law | None, steps: npt.NDArray[np.int64], fitted: Floats
) -> tuple[Level | None, Level | None]:
    """Return the floor and the plateau of a law, None for each that it lacks."""
    if law is None or not law.slope > 0:
        return None, None
    first, last = law.line.ends
    end = len(steps) - 1
    floor = Level(distance=float(fitted[0]), first=int(steps[0]), last=int(steps[first]))
    plateau = Level(distance=float(fitted[-1]), first=int(steps[last]), last=int(steps[end]))
    return floor if first else None, plateau if last < end else None


def _jump(steps: npt.NDArray[np.int64], logs: Floats, index: int, excess: float) -> Jump:
    rise = float(logs[index] - logs[index - 1])
    return Jump(
        step=int(steps[index]),
        previous=int(steps[index - 1]),
        factor=float(np.exp(rise)),
        expected=float(np.exp(rise - excess)),
    )


def _with_location(jump: Jump, known: dict[tuple[int, int], Jump]) -> Jump:
    """Copy the location of a known jump between the same steps."""
    same = known.get((jump.previous, jump.step))
    if same is None:
        return jump
    return replace(same, factor=jump.factor, expected=jump.expected)


def _locate(
    jump: Jump,
    pair: Comparison,
    counted: npt.NDArray[np.bool_],
    records: tuple[Record, Record] | None,
) -> Jump:
    """Add the tensor and, if it can be determined, the unit in which a jump occurred."""
    before, after = (int(row) for row in np.searchsorted(pair.steps, [jump.previous, jump.step]))
    tensor, share = find_tensor(pair, counted, before, after)
    unit, unit_share = None, None
    if records is not None and tensor is not None:
        unit, unit_share = find_unit(records, tensor, jump.previous, jump.step)
    return replace(jump, tensor=tensor, tensor_share=share, unit=unit, unit_share=unit_share)


def _check_records(pair: Comparison, records: Any) -> tuple[Record, Record] | None:
    """Return the shared part of the two records, checking that they are the compared ones."""
    if records is None:
        return None
    fit = isinstance(records, tuple) and len(records) == 2
    if fit and all(isinstance(record, Record) for record in records):
        records = align_updates(*shared(*records))
    if not fit or not all(
        isinstance(record, Record)
        and record.name == name
        and np.isin(pair.steps, record.sketch_steps).all()
        and {*pair.weights} <= {tensor.name for tensor in record.tensors}
        for record, name in zip(records, (pair.name_a, pair.name_b), strict=True)
    ):
        message = (
            f"records {short_repr(records)} are not the two that were compared; pass the records "
            f"{short_repr(pair.name_a)} and {short_repr(pair.name_b)}, or omit the argument"
        )
        raise FpdriftError(message)
    return records  # type: ignore[no-any-return]  # two records
