"""Decide from what two sides of a step computed whether rounding can explain where they differ.

In float64 every rounding is 2**29 times smaller than in float32. So when the step is repeated in
float64, a difference that comes of rounding shrinks with it, and one of another formula stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from fpdrift.floats import format_of
from fpdrift.training.judged import Measure, Verdict
from fpdrift.training.kinds import distances, is_float, kinds_of, starts_of, tensors_of

if TYPE_CHECKING:
    from fpdrift.training.dumps import Seen
    from fpdrift.training.kinds import Side

#: A nudge rounds each number that a step starts from once; the step itself rounds again and again.
MARGIN = 100.0
#: Roundings in which starting values may differ: they are drawn, scaled and cast.
STARTS = 8.0
#: What a step starts from and no arithmetic has rounded.
_EXACT = "learning_rate"


class Decided(NamedTuple):
    """What to say of a step; see `Judged`."""

    verdict: Verdict
    reason: str
    measures: tuple[Measure, ...] = ()
    first: str | None = None


def start_distances(a: Sequence[Seen], b: Sequence[Seen]) -> dict[str, float]:
    """Give the relative distance of each kind of tensor that the step starts from, if not 0."""
    return {k: far for k, far in distances(starts_of(a), starts_of(b)).items() if far != 0}


def start_decided(
    a: Sequence[Seen], b: Sequence[Seen], start: Mapping[str, float]
) -> Decided | None:
    """Say that two steps start from other values, unless rounding can explain that.

    Batches may differ: their gradients are compared.
    """
    for what in start:
        odd = {} if what.startswith("batch/") else unrounded(what, a, b)
        for name, far in odd.items():
            apart = f"{far:.1e} apart" if isfinite(far) else "zeros or not finite in one"
            reason = f"the two start from other values: {name}, {apart}"
            return Decided("other mathematics", reason, first=f"before {name}")
    return None


def same_batch(a: Sequence[Seen], b: Sequence[Seen], start: Mapping[str, float]) -> bool:
    """Tell whether two batches are the same but for rounding."""
    return not any(unrounded(what, a, b) for what in start if what.startswith("batch/"))


def unrounded(what: str, a: Sequence[Seen], b: Sequence[Seen]) -> dict[str, float]:
    """Give the distance of each tensor of a kind that rounding cannot explain.

    Each is held against its own size: a small one, such as a bias, would not show among all
    weights. Counters and keys are never rounded.
    """
    ours, theirs = (
        {name: {name: values} for name, values in starts_of(seen).get(what, {}).items()}
        for seen in (a, b)
    )
    pairs = [s.values for seen in (a, b) for s in seen if s.stage == "before" and s.name in ours]
    exact = what == _EXACT or not all(map(is_float, pairs))
    coarsest = 0.0 if exact else max(2.0 ** (1 - format_of(x.dtype.name).precision) for x in pairs)
    return {n: far for n, far in distances(ours, theirs).items() if not far <= STARTS * coarsest}


def decide(a: Side, b: Side, a64: Side | None, b64: Side | None) -> Decided:
    """Judge a step from both sides in their own dtype and, where that could be had, in float64."""
    far, allowed = _apart(a, b), _allowed(a, b)
    if a64 is None or b64 is None:
        measures = [_measure(what, far[what], allowed(what)) for what in far]
        first, sides = allowed, (a, b)
    else:
        far64, allowed64 = _apart(a64, b64), _allowed(a64, b64)
        measures = [
            _measure(what, far[what], allowed(what), far64[what], allowed64(what)) for what in far
        ]
        first, sides = allowed64, (a64, b64)
    verdict, reason = _verdict(measures)
    tensors = distances(*(tensors_of(side.seen) for side in sides))
    names = (name for name, apart in tensors.items() if not apart <= first(name))
    named = next(names, None) if verdict == "other mathematics" else None
    return Decided(verdict, reason, tuple(measures), named)


def _apart(a: Side, b: Side) -> dict[str, float]:
    return distances(kinds_of(a.seen), kinds_of(b.seen))


def _allowed(*sides: Side) -> Callable[[str], float]:
    """Give how far rounding can move what bears a name."""
    spacing = max(side.spacing for side in sides)
    return lambda name: MARGIN * max(spacing, *(side.spread.get(name, 0.0) for side in sides))


def _measure(
    what: str,
    distance: float,
    explained: float,
    distance64: float | None = None,
    explained64: float | None = None,
) -> Measure:
    return Measure(
        what=what,
        distance=distance,
        explained=explained,
        distance64=distance64,
        explained64=explained64,
    )


def _verdict(measures: Sequence[Measure]) -> tuple[Verdict, str]:
    stays = next((m for m in measures if m.stays), None)
    beyond = next((m for m in measures if m.beyond), None)
    if stays is not None:
        return "other mathematics", f"it stays in float64: {stays}"
    if any(m.distance64 is None for m in measures):
        if beyond is not None:
            return "other mathematics", f"it is more than rounding can give: {beyond}"
        return "cannot tell", (
            "rounding can give as much, but the step could not be repeated in float64 to see "
            "whether it shrinks"
        )
    if beyond is not None:
        return "cannot tell", f"nothing of it is left in float64, yet rounding gave less: {beyond}"
    if not any(m.distance for m in measures):
        return "cannot tell", "nothing that the step computes differs, in float64 neither"
    widest = max(measures, key=lambda m: m.distance / m.explained)
    return "rounding", f"nothing of it is left in float64: {widest}"
