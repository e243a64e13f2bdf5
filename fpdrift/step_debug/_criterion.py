"""Decide from what two sides of a step computed whether rounding can explain where they differ.

In float64 every rounding is 2**29 times smaller than in float32. So when the step is repeated in
float64, a difference that comes of rounding shrinks as much, however ill-conditioned the formula,
and one of another formula stays. Each tensor that training sees is judged by itself: the loss, the
gradients of the weights, and what the step adds to weights, slots and moving statistics.
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
    flipped,
    is_float,
    kinds_of,
    pooled,
    starts_of,
    tensors_of,
)
from fpdrift.step_debug._results import Cause, Measure, Verdict

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.step_debug._quantities import Key, Kinds, Mask, Side
    from fpdrift.step_debug._trace_file import TracedTensor

#: A nudge rounds each number that a step starts from once; the step itself rounds again and again.
MARGIN = 100.0
#: How many times more or less than 2**29 a distance may shrink from float32 to float64.
LUCK = 2.0**10
#: Share of `MARGIN` for a single rounding, such as of a constant.
ONCE = 0.1
#: How many times more than nudges give is too much where no repeat in float64 can tell.
SIZE = 30.0
#: Roundings in which starting values may differ: they are drawn, scaled and cast.
STARTS = 8.0
#: What a step starts from and no arithmetic has rounded.
_EXACT = "learning_rate"


class Decided(NamedTuple):
    """What to say of a step; see `Diagnosis`."""

    verdict: Verdict
    cause: Cause
    names: tuple[str, ...] = ()
    by: Measure | None = None
    measures: tuple[Measure, ...] = ()
    first: str | None = None
    weighted: Literal["A", "B"] | None = None


def start_distances(a: Sequence[TracedTensor], b: Sequence[TracedTensor]) -> dict[str, float]:
    """Return the relative distance of each kind of tensor that the step starts from, if not 0.

    It is infinite for a part of the batch that one alone has, such as sample weights, or that has
    another shape.
    """
    ours, theirs = starts_of(a, b), starts_of(b, a)
    shapes = (
        {k: v[k].shape for k, v in x.items() if k.startswith("batch/")} for x in (ours, theirs)
    )
    alone = {
        name: inf for name, _ in sorted(set.symmetric_difference(*(set(x.items()) for x in shapes)))
    }
    return {k: far for k, far in pooled(ours, theirs).items() if far != 0} | alone


def start_decided(
    a: Sequence[TracedTensor], b: Sequence[TracedTensor], start: Mapping[str, float]
) -> Decided | None:
    """Say that two steps start from other values, unless rounding can explain that.

    Batches may differ: their gradients are compared.
    """
    for what in start:
        odd = {} if what.startswith("batch/") else unrounded(what, a, b)
        for name, far in odd.items():
            by = Measure(
                what="start",
                tensor=name,
                distance=far,
                explained=STARTS * _coarsest(what, a, b),
                distance64=None,
                explained64=None,
            )
            return Decided("different computation", "other start", by=by, first=f"before {name}")
    return None


def same_batch(
    a: Sequence[TracedTensor], b: Sequence[TracedTensor], start: Mapping[str, float]
) -> bool:
    """Return whether two batches are the same but for rounding."""
    return not any(unrounded(what, a, b) for what in start if what.startswith("batch/"))


def unrounded(what: str, a: Sequence[TracedTensor], b: Sequence[TracedTensor]) -> dict[str, float]:
    """Return the distance of each tensor of a kind that rounding cannot explain.

    Of a weight, that is the tensor's distance held against its own size: a small one, such as a
    bias, would not show among all weights. A batch is compared element by element: one pixel would
    not show among all of them. Counters and keys are never rounded.
    """
    ours, theirs = starts_of(a, b).get(what, {}), starts_of(b, a).get(what, {})
    if what.startswith("batch/"):
        found = {n: _largest(x, theirs[n]) if n in theirs else inf for n, x in ours.items()}
        found |= {name: inf for name in theirs if name not in ours}
    else:
        found = {n: far for (_, n), far in distances({what: ours}, {what: theirs}).items()}
    return {n: far for n, far in found.items() if not far <= STARTS * _coarsest(what, a, b)}


def _coarsest(what: str, a: Sequence[TracedTensor], b: Sequence[TracedTensor]) -> float:
    """Return the coarsest spacing at 1 of a kind's tensors; 0 where they are never rounded."""
    names = starts_of(a).get(what, {})
    both = [s.values for seen in (a, b) for s in seen if s.stage == "before" and s.name in names]
    if what == _EXACT or not all(map(is_float, both)):
        return 0.0
    return max((2.0 ** (1 - format_of(x.dtype.name).precision) for x in both), default=0.0)


def _largest(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """Return the largest |a - b| of two elements, relative to these or to what is usual in a."""
    if a.shape != b.shape:
        return inf
    with np.errstate(all="ignore"):
        equal = (a == b) | (np.isnan(a) & np.isnan(b))
        usual = np.sqrt(np.mean(np.square(a[np.isfinite(a)]))) if a.size else 0.0
        far = np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), usual)
    return float(np.max(np.where(equal, 0.0, far), initial=0.0))


def decide(a: Side, b: Side, a64: Side | None, b64: Side | None) -> Decided:
    """Judge a step from both sides in their own dtype and, where that could be had, in float64."""
    for name, side in (("A", a), ("B", b)):
        if side.unsteady is not None:
            return Decided("cannot tell", "not repeatable", (name, side.unsteady))
    low, high = _Pair(a, b), None if a64 is None or b64 is None else _Pair(a64, b64)
    measures = tuple(_measures(low, high))
    found = _by_size(measures) if high is None else _verdict(measures, _narrow(high))
    if found.verdict != "different computation" and not any(m.distance for m in measures):
        found = _in_noise(a, b, high)
    named = _first(low, high) if found.verdict == "different computation" else None
    explained = found.verdict in ("identical", "rounding")
    if explained and not _all_finite(a) and (hidden := _first(low, high)) is not None:
        return Decided("cannot tell", "hidden by NaN", (hidden,), measures=measures)
    return found._replace(measures=measures, first=named)


def _all_finite(side: Side) -> bool:
    """Check that there is no NaN and no infinity in what is judged."""
    kinds = kinds_of(side.seen).values()
    return all(np.isfinite(values).all() for tensors in kinds for values in tensors.values())


def _in_noise(a: Side, b: Side, high: _Pair | None) -> Decided:
    """Judge two steps that differ in nothing, or in numbers that were left out."""
    whole = _Pair(a._replace(noise={}), b._replace(noise={}))
    far = {key: x for key, x in whole.far(kinds_of).items() if x}
    if not far:
        return Decided("identical", "same bits")
    if high is not None:
        wide = _Pair(high.a._replace(noise={}), high.b._replace(noise={}))
        far64 = wide.far(kinds_of)
        measures = [_measure(key, x, whole, wide, far64.get(key)) for key, x in far.items()]
        largest = max(measures, key=_excess)
        if not largest.stays:
            return Decided("rounding", "shrinks", by=largest)
    return Decided("cannot tell", "noise alone", (next(iter(far))[1],))


class _Pair:
    """Two sides in one precision: how far apart each tensor is, and how far one nudge moves it."""

    def __init__(self, a: Side, b: Side, noise: Mapping[str, Mask] | None = None) -> None:
        self.a, self.b = a, b
        self.spacing = max(a.spacing, b.spacing)
        self.noise: dict[str, Mask] = {}
        for masks in (a.noise, b.noise, noise or {}):
            for name, mask in masks.items():
                self.noise[name] = mask | self.noise.get(name, False)

    def far(self, sort: Callable[[Sequence[TracedTensor]], Kinds]) -> dict[Key, float]:
        """Return the distance of each tensor."""
        return distances(sort(self.a.seen), sort(self.b.seen), self.noise)

    def nudged(self, key: Key) -> float:
        """Return how far a few roundings move a tensor."""
        spread = (side.spread.get(key, 0.0) for side in (self.a, self.b))
        return MARGIN * max(self.spacing, *spread)


def _measures(low: _Pair, high: _Pair | None) -> Iterator[Measure]:
    """Measure each kind by the tensor that rounding explains worst."""
    kinds: dict[str, list[Measure]] = {}
    far = low.far(kinds_of)
    far64 = {} if high is None else high.far(kinds_of)
    usual = float(np.median([x if isfinite(x) else 0.0 for x in far.values()] or [0.0]))
    # where the gradient changes its sign, a sign-like optimiser's step says nothing
    flips = flipped(kinds_of(low.a.seen), kinds_of(low.b.seen))
    settled = _Pair(low.a, low.b, flips).far(kinds_of)
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
    """Measure a tensor; what shrinks as rounding does is rounding, however large it was.

    The `usual` distance stands in for one that is small by luck, such as of a single loss.
    """
    explained, explained64 = low.nudged(key), None
    if high is not None and far64 is not None:
        shrinks = high.spacing / low.spacing
        from_ = max(far, usual) if isfinite(far) else usual
        explained64 = max(high.nudged(key), LUCK * from_ * shrinks)
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
    """Order tensors by how far they are beyond what rounding gives, in float64 first."""
    high = 0.0
    if measure.distance64 is not None and measure.explained64 is not None:
        high = measure.distance64 / measure.explained64
    low = measure.distance / measure.explained
    return inf if isnan(high) else high, inf if isnan(low) else low


def _verdict(measures: Sequence[Measure], narrow: _Narrow | None) -> Decided:
    stays = max(measures, key=_excess)
    beyond = max(measures, key=lambda m: _excess(m)[1])
    if stays.stays:
        if narrow is not None:
            far = ((m.distance64 or 0.0) / m.explained for m in measures if m.stays)
            if all(x <= narrow.share for x in far):
                return Decided("cannot tell", narrow.cause, narrow.names)
        return Decided("different computation", "stays", by=stays)
    if beyond.beyond:
        return Decided("cannot tell", "shrinks too far", by=beyond)
    return Decided("rounding", "shrinks", by=beyond)


def _by_size(measures: Sequence[Measure]) -> Decided:
    """Judge without a repeat in float64."""
    largest = max(measures, key=lambda m: _excess(m)[1])
    if not largest.distance <= SIZE * largest.explained:
        return Decided("different computation", "large", by=largest)
    return Decided("cannot tell", "no float64")


class _Narrow(NamedTuple):
    """Why a float64 repeat cannot be trusted to be one."""

    cause: Cause
    names: tuple[str, str]
    #: of all that rounding to float32 can give, how much is left: a constant is rounded once
    share: float


def _narrow(high: _Pair) -> _Narrow | None:
    """Describe why a float64 repeat cannot be trusted to be one; None if it can."""
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
    """Name the first tensor, in order of computing, that rounding cannot explain."""
    far32 = low.far(tensors_of)
    far64 = {} if high is None else high.far(tensors_of)
    for key, far in far32.items():
        measure = _measure(key, far, low, high, far64.get(key))
        if measure.stays or (high is None and measure.beyond):
            return " ".join(key)
    return None
