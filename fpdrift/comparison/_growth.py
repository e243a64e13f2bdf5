"""How the distance between two runs grows: floor, jumps, the law between them, plateau.

The horizon: up to which step two runs report the same, give or take a tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from numbers import Real
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
from fpdrift.comparison._jumps import Jump, find_jumps, find_tensor, find_unit
from fpdrift.comparison._metadata import lined_up
from fpdrift.comparison._results import Comparison
from fpdrift.comparison._shared_tensors import shared
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.records import Record
from fpdrift.serialization import Result, read_only
from fpdrift.validation import check_choice, check_switch

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.comparison._results import NonFinite

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Horizon(Result):
    """The first step at which a metric differs by more than a tolerance.

    It is looked for up to the first step at which the metric is infinite or NaN in a run.
    """

    #: "loss" or the name of a metric
    metric: str
    #: largest |b - a| / |a| that counts as the same
    tolerance: float
    #: None if the metric stayed within the tolerance wherever both reported it; a metric that is
    #: finite in one run alone differs by more than any
    step: int | None
    #: last step at which both reported a finite one, up to `not_finite`; None if there is none
    until: int | None
    #: first step at which it is infinite or NaN in a run; None if it is finite, or an older file
    #: does not say
    not_finite: int | None = None

    def __repr__(self) -> str:
        return f"Horizon({self})"

    def __str__(self) -> str:
        percent = f"{100 * self.tolerance:.3g} %"
        if self.step is not None and self.step != self.not_finite:
            return f"{self.metric} differs by more than {percent} at step {self.step}"
        found = []
        if self.until is not None:
            found.append(f"within {percent} up to step {self.until}")
        if self.not_finite is not None:
            where = "" if self.step is None else " in one run"
            found.append(f"infinite or NaN{where} at step {self.not_finite}")
        if not found:
            return f"no {self.metric} was recorded by both"
        return f"{self.metric} {', '.join(found)}"


def horizon(comparison: Comparison, tolerance: float = 0.01, metric: str = "loss") -> Horizon:
    """Find the first step at which a metric of two runs differs by more than a tolerance.

    Parameters
    ----------
    comparison : Comparison
    tolerance : float, default 0.01
        Largest |b - a| / |a| that counts as the same, 0 or more.
    metric : str, default "loss"
        The loss, or a metric that both runs report.

    Raises
    ------
    FpdriftError
        If `comparison` is none, the tolerance is no such number or the metric is not in it.
    """
    check_comparison(comparison)
    tolerance = _tolerance(tolerance)
    check_choice("metric", metric, ("loss", *comparison.metrics))
    steps = comparison.recorded_steps
    pair = comparison.loss if metric == "loss" else comparison.metrics[metric]
    found = zip(pair, comparison.non_finite, strict=True)
    bad = np.any([_not_finite(values, steps, first, metric) for values, first in found], axis=0)
    end = int(np.argmax(bad)) if bad.any() else len(steps)
    finite = np.isfinite(pair)
    seen = finite.all(axis=0) & (np.arange(len(steps)) < end)
    over = seen & ~_within(pair, tolerance)
    over[end : end + 1] = finite[:, end : end + 1].any(axis=0)  # and so not finite in one alone
    return Horizon(
        metric=metric,
        tolerance=tolerance,
        step=next(iter(steps[over].tolist()), None),
        until=next(iter(steps[seen][::-1].tolist()), None),
        not_finite=next(iter(steps[end:].tolist()), None),
    )


def _within(pair: Floats, tolerance: float) -> npt.NDArray[np.bool_]:
    a, b = pair
    with np.errstate(all="ignore"):
        close: npt.NDArray[np.bool_] = np.abs(b - a) <= tolerance * np.abs(a)
    return close


def _not_finite(
    values: Floats, steps: npt.NDArray[np.int64], found: NonFinite | None, metric: str
) -> npt.NDArray[np.bool_]:
    """Describe where a run's metric is infinite or NaN; NaN stands for a missing one, too.

    It is missing up to the run's first number that is not finite, and where it never was reported.
    """
    infinite: npt.NDArray[np.bool_] = np.isinf(values)
    reported = found is not None and (found.name == metric or not np.isnan(values).all())
    if found is not None and reported:
        infinite |= np.isnan(values) & (steps >= max(found.step, 1))
    return infinite


def _tolerance(value: Any) -> float:
    try:
        number = (
            math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
        )
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        message = (
            f"tolerance is {short_repr(value)}; choose a finite number of at least 0, such as 0.01"
        )
        raise FpdriftError(message)
    return number


def check_comparison(value: Any) -> None:
    """Refuse what is no comparison.

    Raises
    ------
    FpdriftError
    """
    if not isinstance(value, Comparison):
        message = f"not a comparison: {short_repr(value)}; compare() gives one"
        raise FpdriftError(message)


#: Fields that are set when one of them is first asked for.
_CONCLUDED = ("jumps", "fitted", "trend", "floor", "plateau", "slopes")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Growth(Result):
    """How a distance depends on the step; arrays are read-only.

    What is concluded from the distances is worked out when it is first asked for, and not saved: a
    saved growth says what this version concludes from its distances.
    """

    #: steps at which the distance is known or looked for, ascending (m,)
    steps: npt.NDArray[np.int64]
    #: the distance that was looked at (m,)
    distance: npt.NDArray[np.float64]
    #: last step at which all was equal; powers count from there
    origin: int
    #: ascending; of those given only the places count, the jumps are those of the distances
    jumps: tuple[Jump, ...] = ()
    #: whether the runs were far apart from the start: no small difference, whose growth has a law
    far_from_the_start: bool = False
    #: whether weights whose true gradient is zero were left out
    without_zero_gradient: bool = False
    #: first step at which any tensor differed in its bits; None if none did, or none is known of
    first_difference: int | None = None
    #: None where only distances were given
    horizon: Horizon | None = None
    #: fraction of the probe's predictions whose class differs; None without a probe
    churn: float | None = None
    #: the distance as the law or the likeliest curve has it, jumps included; NaN where nothing was
    #: fitted (m,)
    fitted: npt.NDArray[np.float64] = field(init=False)
    #: the law between the jumps
    trend: Trend = field(init=False)
    #: level before it grows; None if none is sure
    floor: Level | None = field(init=False)
    #: level after it grew; None if none is sure
    plateau: Level | None = field(init=False)
    #: local exponents between the jumps, a decade of steps each
    slopes: tuple[DecadeSlope, ...] = field(init=False)
    #: jumps as they were given
    _given: tuple[Jump, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Check the distances.

        Raises
        ------
        FpdriftError
            If the arrays are empty, of two lengths, not ascending or negative.
        """
        steps, distance = _arrays(self.steps, self.distance)
        self._set(steps=read_only(steps), distance=read_only(distance), _given=self.jumps)
        object.__delattr__(self, "jumps")  # so that they are asked for

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Conclude once what the distances allow: Python asks here for what is not set."""
            if name not in _CONCLUDED:
                message = f"a Growth has no {name}"
                raise AttributeError(message)
            self._conclude()
            return getattr(self, name)

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _conclude(self) -> None:
        steps, distance = self.steps, self.distance
        rows, since, logs = _known(steps, distance, self.origin)
        found = [] if self.far_from_the_start else find_jumps(since, logs)
        places = [i for i, _ in found]
        trend, line, law = self._trend(distance, since, logs, places)
        fitted = np.full(len(steps), np.nan)
        with np.errstate(over="ignore"):  # a line or a factor may leave float64's range
            if line is not None:
                fitted[rows] = np.exp(line)
            floor, plateau = _levels(law, steps[rows], fitted[rows])
            jumps = tuple(_jump(steps[rows], logs, *jump) for jump in found)
        known = {(jump.previous, jump.step): jump for jump in self._given}
        self._set(
            jumps=tuple(_with_place(jump, known) for jump in jumps),
            fitted=read_only(fitted),
            trend=trend,
            floor=floor,
            plateau=plateau,
            slopes=tuple(decade_slopes(steps[rows], since, logs, places)),
        )

    def _trend(
        self, distance: Floats, since: Floats, logs: Floats, jumps: list[int]
    ) -> tuple[Trend, Floats | None, Law | None]:
        """Choose the law; there is none to choose where no distance was above zero."""
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
        """The law in words; where there is none, the slopes instead."""
        if self.kind != "bends":
            return str(self.trend)
        law = f"{self.trend}: {'it bends' if self.bend_seen else self.trend.miss}"
        if not self.slopes:
            return law
        decades = "exponents by decade" if len(self.slopes) > 1 else "exponent in its one decade"
        return f"{law}, {decades} {', '.join(map(str, self.slopes))}"

    @property
    def bend_seen(self) -> bool:
        """Whether the slopes of a curve that bends show that, as they are written."""
        return self.kind == "bends" and differ(self.slopes)

    def __repr__(self) -> str:
        return f"Growth({self})"

    def __str__(self) -> str:
        parts = [*self._course()]
        if self.horizon is not None:
            parts.append(str(self.horizon))
        if self.churn is not None:
            parts.append(f"churn {100 * self.churn:.2g} %")
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
        if not self.far_from_the_start:  # where none was looked for
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
    """Describe how the distance of a comparison grows.

    Parameters
    ----------
    comparison : Comparison
        What `compare` gave.
    records : (Record, Record), optional
        The two records compared, in that order; their values tell the unit of a jump.
    zero_gradient : bool, default False
        Count the weights whose true gradient is zero too. What those gain is rounding noise, which
        Adam makes full steps of, though they change nothing in what the model computes.
    tolerance : float, default 0.01
        Of the horizon: the largest |b - a| / |a| that counts as the same.
    metric : str, default "loss"
        Whose horizon to find.

    Returns
    -------
    Growth
        Of kind "none" where no distance is above zero, and "cannot tell" where the distances are
        too few, two laws fit them about as well, or the runs were far apart from the start.

    Raises
    ------
    FpdriftError
        If `comparison` is none, the records are others, or a setting is out of its range.
    """
    check_comparison(comparison)
    check_switch("zero_gradient", zero_gradient)
    records = _aligned(comparison, records)
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
    places = tuple(_placed(jump, comparison, counted, records) for jump in found.jumps)
    found._set(jumps=places)  # noqa: SLF001 - concluding once more would change nothing else
    return found


def growth_of(steps: Any, distances: Any, *, origin: int | None = None) -> Growth:
    """Describe how distances grow, wherever they come from.

    Parameters
    ----------
    steps : (m,) array_like of int
        Ascending.
    distances : (m,) array_like of float
        Zero or more; what is not finite counts as not known.
    origin : int, optional
        Last step at which all was equal; by default that of the last zero before the first
        distance, or 0. Nothing is fitted up to there.

    Raises
    ------
    FpdriftError
        If the arrays are empty, of two lengths, not ascending or negative.
    """
    steps, distances = _arrays(steps, distances)
    if origin is None:
        seen = np.isfinite(distances) & (distances > 0)
        equal = steps[: np.argmax(seen)] if seen.any() else steps[:0]
        origin = int(equal[-1]) if len(equal) else min(0, int(steps[0]))
    return Growth(steps=steps, distance=distances, origin=origin)


def _known(
    steps: npt.NDArray[np.int64], distance: Floats, origin: int
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Return the rows with a distance behind the origin, their steps since then and logarithms."""
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
            f"steps {short_repr(steps)} and distances {short_repr(distances)}; "
            "give two rows of the same length, whole numbers and numbers"
        )
        raise FpdriftError(message)
    if (np.diff(whole) <= 0).any() or (values < 0).any():
        message = "steps have to ascend and distances to be zero or more; sort or mend them first"
        raise FpdriftError(message)
    return whole, values


def _levels(
    law: Law | None, steps: npt.NDArray[np.int64], fitted: Floats
) -> tuple[Level | None, Level | None]:
    """Return the floor and the plateau of a law that has them."""
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


def _with_place(jump: Jump, known: dict[tuple[int, int], Jump]) -> Jump:
    """Take over from a jump between the same steps where it took place."""
    same = known.get((jump.previous, jump.step))
    if same is None:
        return jump
    return replace(same, factor=jump.factor, expected=jump.expected)


def _placed(
    jump: Jump,
    pair: Comparison,
    counted: npt.NDArray[np.bool_],
    records: tuple[Record, Record] | None,
) -> Jump:
    """Say in which tensor, and where it can be told in which unit, a jump took place."""
    before, after = (int(row) for row in np.searchsorted(pair.steps, [jump.previous, jump.step]))
    tensor, share = find_tensor(pair, counted, before, after)
    unit, unit_share = None, None
    if records is not None and tensor is not None:
        unit, unit_share = find_unit(records, tensor, jump.previous, jump.step)
    return replace(jump, tensor=tensor, tensor_share=share, unit=unit, unit_share=unit_share)


def _aligned(pair: Comparison, records: Any) -> tuple[Record, Record] | None:
    """Return the two records with what they share, after seeing that they are those compared."""
    if records is None:
        return None
    fit = isinstance(records, tuple) and len(records) == 2
    if fit and all(isinstance(record, Record) for record in records):
        records = lined_up(*shared(*records))
    if not fit or not all(
        isinstance(record, Record)
        and record.name == name
        and np.isin(pair.steps, record.sketch_steps).all()
        and {*pair.weights} <= {tensor.name for tensor in record.tensors}
        for record, name in zip(records, (pair.name_a, pair.name_b), strict=True)
    ):
        message = (
            f"records {short_repr(records)} are not the two that were compared; "
            f"give those of {short_repr(pair.name_a)} and {short_repr(pair.name_b)}, or none"
        )
        raise FpdriftError(message)
    return records  # type: ignore[no-any-return]  # two records
