"""Decide whether rounding can explain the difference between two versions of a training step.

In float64 every rounding error is 2**29 times smaller than in float32. When the step is repeated in
float64, a difference caused by rounding shrinks by as much, however ill-conditioned the formula;
one caused by a different formula remains. The criterion is applied to each tensor that affects
training: the loss, the gradients of the weights, and the changes of weights, slots and moving
statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite, isnan
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from fpdrift.floats import format_of
from fpdrift.step_debug._quantities import (
    distances,
    distances_by_kind,
    is_float,
    kinds_of,
    sign_changes,
    starts_of,
    tensors_of,
)
from fpdrift.step_debug._results import Cause, Measure, Verdict

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.step_debug._quantities import Key, Kinds, Mask, Side
    from fpdrift.step_debug._trace_file import TracedTensor

#: Safety factor: a perturbation rounds each starting value once, but the step rounds many times.
MARGIN = 100.0
#: Factor by which the shrinking from float32 to float64 may deviate from 2**29.
LUCK = 2.0**10
#: Share of `MARGIN` for a single rounding, such as that of a constant.
ONCE = 0.1
#: Without a float64 step, a difference this many times larger than rounding explains is too large.
SIZE = 30.0
#: Number of roundings by which starting values may differ: they are drawn, scaled and cast.
STARTS = 8.0
#: A starting value that is set exactly, not computed.
_EXACT = "learning_rate"


class Decision(NamedTuple):
    """Verdict on a step and its cause; see `Diagnosis`."""

    verdict: Verdict
    cause: Cause
    names: tuple[str, ...] = ()
    by: Measure | None = None
    measures: tuple[Measure, ...] = ()
    first: str | None = None
    weighted: Literal["A", "B"] | None = None


def start_distances(a: Sequence[TracedTensor], b: Sequence[TracedTensor]) -> dict[str, float]:
    """Return the relative distance of each kind of starting tensor, unless it is 0.

    It is infinite for a part of the batch that only one side has, such as sample weights, or whose
    shapes differ.
    """
    ours, theirs = starts_of(a, b), starts_of(b, a)
    shapes = (
        {k: v[k].shape for k, v in x.items() if k.startswith("batch/")} for x in (ours, theirs)
    )
    alone = {
        name: inf for name, _ in sorted(set.symmetric_difference(*(set(x.items()) for x in shapes)))
    }
    return {k: far for k, far in distances_by_kind(ours, theirs).items() if far != 0} | alone


def decide_start(
    a: Sequence[TracedTensor], b: Sequence[TracedTensor], start: Mapping[str, float]
) -> Decision | None:
    """Return a decision if rounding cannot explain a difference in the starting values.

    Batches may differ: the gradients on them are compared.
    """
    for what in start:
        odd = {} if what.startswith("batch/") else unexplained(what, a, b)
        for name, far in odd.items():
            by = Measure(
                what="start",
                tensor=name,
                distance=far,
                explained=STARTS * _coarsest(what, a, b),
                distance64=None,
                explained64=None,
            )
            return Decision("different computation", "other start", by=by, first=f"before {name}")
    return None


def same_batch(
    a: Sequence[TracedTensor], b: Sequence[TracedTensor], start: Mapping[str, float]
) -> bool:
    """Return whether two batches are equal up to rounding."""
    return not any(unexplained(what, a, b) for what in start if what.startswith("batch/"))


def unexplained(
    what: str, a: Sequence[TracedTensor], b: Sequence[TracedTensor]
) -> dict[str, float]:
    """Return the distance of each starting tensor of a kind that rounding cannot explain.

    A weight's distance is relative to its own norm: a small tensor, such as a bias, would be
    invisible among all weights. A batch is compared element by element: a single pixel would be
    invisible in the norm. Counters and keys are never rounded.
    """
    ours, theirs = starts_of(a, b).get(what, {}), starts_of(b, a).get(what, {})
    if what.startswith("batch/"):
        found = {n: _largest(x, theirs[n]) if n in theirs else inf for n, x in ours.items()}
        found |= {name: inf for name in theirs if name not in ours}
    else:
        found = {n: far for (_, n), far in distances({what: ours}, {what: theirs}).items()}
    return {n: far for n, far in found.items() if not far <= STARTS * _coarsest(what, a, b)}


def _coarsest(what: str, a: Sequence[TracedTensor], b: Sequence[TracedTensor]) -> float:
    """Return the coarsest spacing at 1 among a kind's tensors; 0 if they are never rounded."""
    names = starts_of(a).get(what, {})
    both = [s.values for seen in (a, b) for s in seen if s.stage == "before" and s.name in names]
    if what == _EXACT or not all(map(is_float, both)):
        return 0.0
    return max((2.0 ** (1 - format_of(x.dtype.name).precision) for x in both), default=0.0)


def _largest(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """Return the largest |a - b|, relative to the elements or to the root mean square of a."""
    if a.shape != b.shape:
        return inf
    with np.errstate(all="ignore"):
        equal = (a == b) | (np.isnan(a) & np.isnan(b))
        usual = np.sqrt(np.mean(np.square(a[np.isfinite(a)]))) if a.size else 0.0
        far = np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), usual)
    return float(np.max(np.where(equal, 0.0, far), initial=0.0))


def decide(a: Side, b: Side, a64: Side | None, b64: Side | None) -> Decision:
    """Decide from both sides of a step, in their own dtype and, if available, in float64."""
    for name, side in (("A", a), ("B", b)):
        if side.not_repeatable is not None:
            return Decision("cannot tell", "not repeatable", (name, side.not_repeatable))
    low, high = _Pair(a, b), None if a64 is None or b64 is None else _Pair(a64, b64)
    measures = tuple(_measures(low, high))
    found = _by_size(measures) if high is None else _verdict(measures, _narrow(high))
    if found.verdict != "different computation" and not any(m.distance for m in measures):
        found = _in_noise(a, b, high)
    named = _first(low, high) if found.verdict == "different computation" else None
    explained = found.verdict in ("identical", "rounding")
    if explained and not _all_finite(a) and (hidden := _first(low, high)) is not None:
        return Decision("cannot tell", "hidden by NaN", (hidden,), measures=measures)
    return found._replace(measures=measures, first=named)


def _all_finite(side: Side) -> bool:
    """Return whether all compared tensors are finite."""
    kinds = kinds_of(side.seen).values()
    return all(np.isfinite(values).all() for tensors in kinds for values in tensors.values())


def _in_noise(a: Side, b: Side, high: _Pair | None) -> Decision:
    """Decide on two steps that are identical or differ only in elements that were left out."""
    whole = _Pair(a._replace(noise={}), b._replace(noise={}))
    far = {key: x for key, x in whole.distances(kinds_of).items() if x}
    if not far:
        return Decision("identical", "same bits")
    if high is not None:
        wide = _Pair(high.a._replace(noise={}), high.b._replace(noise={}))
        far64 = wide.distances(kinds_of)
        measures = [_measure(key, x, whole, wide, far64.get(key)) for key, x in far.items()]
        largest = max(measures, key=_excess)
        if not largest.stays:
            return Decision("rounding", "shrinks", by=largest)
    return Decision("cannot tell", "noise alone", (next(iter(far))[1],))


class _Pair:
    """Two sides in one precision: the distance of each tensor, and its sensitivity to rounding."""

    def __init__(self, a: Side, b: Side, noise: Mapping[str, Mask] | None = None) -> None:
        self.a, self.b = a, b
        self.spacing = max(a.spacing, b.spacing)
        self.noise: dict[str, Mask] = {}
        for masks in (a.noise, b.noise, noise or {}):
            for name, mask in masks.items():
                self.noise[name] = mask | self.noise.get(name, False)

    def distances(self, sort: Callable[[Sequence[TracedTensor]], Kinds]) -> dict[Key, float]:
        """Return the relative distance of each tensor."""
        return distances(sort(self.a.seen), sort(self.b.seen), self.noise)

    def rounding_spread(self, key: Key) -> float:
        """Return the distance in a tensor that rounding errors can cause."""
        spread = (side.spread.get(key, 0.0) for side in (self.a, self.b))
        return MARGIN * max(self.spacing, *spread)


def _measures(low: _Pair, high: _Pair | None) -> Iterator[Measure]:
    """Yield, for each kind, the measure of the tensor that rounding explains least."""
    kinds: dict[str, list[Measure]] = {}
    far = low.distances(kinds_of)
    far64 = {} if high is None else high.distances(kinds_of)
    usual = float(np.median([x if isfinite(x) else 0.0 for x in far.values()] or [0.0]))
    # where a gradient changes sign, the step of a sign-like optimiser carries no information
    flips = sign_changes(kinds_of(low.a.seen), kinds_of(low.b.seen))
    settled = _Pair(low.a, low.b, flips).distances(kinds_of)
    for key, x in far.items():
        measure = _measure(key, x, low, high, far64.get(key), usual)
        if measure.beyond and not measure.stays and settled[key] <= measure.explained:
            measure = replace(measure, distance=settled[key])
        kinds.setdefault(key[0], []).append(measure)
    for measures in kinds.values():
        yield max(measures, key=_excess)


def _measure(
    key: Key,
    far: float,
    low: _Pair,
    high: _Pair | None,
    far64: float | None,
    usual: float = 0.0,
) -> Measure:
    """Measure a tensor; a difference that shrinks as rounding does is rounding, however large.

    The `usual` distance replaces one that is small by chance, such as that of a single loss.
    """
    explained, explained64 = low.rounding_spread(key), None
    if high is not None and far64 is not None:
        shrinks = high.spacing / low.spacing
        from_ = max(far, usual) if isfinite(far) else usual
        explained64 = max(high.rounding_spread(key), LUCK * from_ * shrinks)
        if far64 <= explained64:
            explained = max(explained, LUCK * far64 / shrinks)
    return Measure(
        what=key[0],
        tensor=key[1],
        distance=far,
        explained=explained,
        distance64=far64,
        explained64=explained64,
    )


def _excess(measure: Measure) -> tuple[float, float]:
    """Return a sort key: how far a distance exceeds what rounding explains, float64 first."""
    high = 0.0
    if measure.distance64 is not None and measure.explained64 is not None:
        high = measure.distance64 / measure.explained64
    low = measure.distance / measure.explained
    return inf if isnan(high) else high, inf if isnan(low) else low


def _verdict(measures: Sequence[Measure], narrow: _Narrow | None) -> Decision:
    stays = max(measures, key=_excess)
    beyond = max(measures, key=lambda m: _excess(m)[1])
    if stays.stays:
        if narrow is not None:
            far = ((m.distance64 or 0.0) / m.explained for m in measures if m.stays)
            if all(x <= narrow.share for x in far):
                return Decision("cannot tell", narrow.cause, narrow.names)
        return Decision("different computation", "stays", by=stays)
    if beyond.beyond:
        return Decision("cannot tell", "shrinks too far", by=beyond)
    return Decision("rounding", "shrinks", by=beyond)


def _by_size(measures: Sequence[Measure]) -> Decision:
    """Decide without a float64 step."""
    largest = max(measures, key=lambda m: _excess(m)[1])
    if not largest.distance <= SIZE * largest.explained:
        return Decision("different computation", "large", by=largest)
    return Decision("cannot tell", "no float64")


class _Narrow(NamedTuple):
    """Why the float64 step is not computed in float64 throughout."""

    cause: Cause
    names: tuple[str, str]
    #: share of float32 rounding that remains: a constant is rounded only once
    share: float


def _narrow(high: _Pair) -> _Narrow | None:
    """Return why the float64 step is not computed in float64 throughout; None if it is."""
    for name, side in (("A", high.a), ("B", high.b)):
        if side.narrow:
            return _Narrow("float32 remains", (name, side.narrow[0]), 1.0)
    ours, theirs = high.a.constants, high.b.constants
    for name, constants, others in (("A", ours, theirs), ("B", theirs, ours)):
        for value, where in constants.items():
            if value not in others:
                return _Narrow("rounded constant", (name, where), ONCE)
    return None


def _first(low: _Pair, high: _Pair | None) -> str | None:
    """Name the first tensor, in order of computation, that rounding cannot explain."""
    far32 = low.distances(tensors_of)
    far64 = {} if high is None else high.distances(tensors_of)
    for key, far in far32.items():
        measure = _measure(key, far, low, high, far64.get(key))
        if measure.stays or (high is None and measure.beyond):
            return " ".join(key)
    return None
