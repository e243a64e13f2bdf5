"""Run a plan beside the function: on numbers of all kinds, and, for products, on random factors.

Replay a plan on hardware that treats subnormal numbers as zeros.

TensorFlow and JAX switch two modes of x86 processors on: denormals are zero (DAZ) for inputs, and
flush to zero (FTZ) for results. A wider accumulator's partial sums are subnormal
much later than the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.floats import Format, same_bits
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._box import Finish
from fpdrift.reduction._reveal._notes import Notes, Verdict
from fpdrift.reduction._reveal._probing import BlackBox
from fpdrift.reduction._reveal._products import Flags, product_sums, unrounded_inputs
from fpdrift.reduction._reveal._replay import Replay, accumulators, best_replay
from fpdrift.reduction._rounding import Floats, add_aligned, add_exact


class Flush(NamedTuple):
    """What is flushed."""

    inputs: bool
    partial_sums: bool
    result: bool

    @property
    def words(self) -> tuple[str, ...]:
        """What is flushed, in words."""
        names = ("inputs", "partial sums", "result")
        return tuple(name for name, flag in zip(names, self, strict=True) if flag)


#: What hardware does comes first; then each alone.
_KINDS = sorted(
    (Flush(*kind) for kind in product((True, False), repeat=3) if any(kind)),
    key=lambda kind: -sum(kind),
)


def flushed_replay(
    replay: Replay, rows: Floats, given: Floats, fmt: Format, finishes: tuple[Finish, ...]
) -> tuple[Replay, Flush] | None:
    """Return the first replay that flushes subnormal numbers and has all of the function's bits.

    The sign of a zero may differ: what is left of a flushed number says where a loop starts (a sum
    that starts at plus zero loses a minus), and not in which order it adds.

    Parameters
    ----------
    replay : Replay
        What came closest without flushing: it differs where subnormal numbers are.
    rows, given, fmt, finishes
        As for `best_replay`.
    """
    telling = np.flatnonzero(~replay.equal)
    for flush, acc, finish in product(_KINDS, accumulators(fmt), finishes):
        few = flushed_sums(replay.plan, rows[telling], acc, fmt, finish, flush)
        if not _alike(few, given[telling]).all():
            continue
        sums = flushed_sums(replay.plan, rows, acc, fmt, finish, flush)
        equal = _alike(sums, given)
        if equal.all():
            return Replay(replay.plan, acc, finish, sums, equal), flush
    return None


def flushed_sums(
    plan: Plan, rows: Floats, acc: Format, fmt: Format, finish: Finish, flush: Flush
) -> Floats:
    """Add (rows, n) numbers by a plan, node by node, with zeros for subnormal ones."""
    inputs = _flushed(rows, fmt) if flush.inputs else rows
    known = [*inputs.T.astype(acc.dtype)]
    kids = plan.children.tolist()
    with np.errstate(all="ignore"):
        for (begin, end), aligned in zip(pairwise(plan.starts.tolist()), plan.aligned, strict=True):
            terms = np.stack([known[kid] for kid in kids[begin:end]])
            if aligned:
                total = add_aligned(terms, acc, plan.extra_bits)
            else:
                total = terms[0] + terms[1] if len(terms) == 2 else add_exact(terms, acc)
            known.append(_flushed(total, acc) if flush.partial_sums else total)
        sums = finish(known[-1], fmt)
    return _flushed(sums, fmt) if flush.result else sums


def _flushed(numbers: Floats, fmt: Format) -> Floats:
    small = np.abs(numbers) < fmt.dtype.type(2.0**fmt.emin)
    flushed: Floats = np.where(small, numbers * fmt.dtype.type(0), numbers)
    return flushed


def _alike(one: Floats, other: Floats) -> npt.NDArray[np.bool_]:
    """Compare bit for bit, but for the sign of zeros."""
    alike: npt.NDArray[np.bool_] = same_bits(one, other) | ((one == 0) & (other == 0))
    return alike


def confirmed_replay(
    plan: Plan, rows: Floats, box: BlackBox, finishes: tuple[Finish, ...], notes: Notes
) -> Replay:
    """Return the replay that gives the function's bits on all rows; flush subnormals if need be.

    Raises
    ------
    Verdict
        If there is none.
    """
    given = box.sums(rows)
    replay = best_replay(plan, rows, given, box.fmt, finishes)
    notes.replayed(replay, rows, accumulators(box.fmt))
    if notes.only_subnormal:
        found = flushed_replay(replay, rows, given, box.fmt, finishes)
        if found is not None:
            replay, flush = found
            notes.flushed = flush.words
            notes.replayed(replay, rows, accumulators(box.fmt))
    if replay.equal.all():
        notes.found(replay.plan, replay)
        return replay
    notes.found(plan)
    notes.first_difference(rows, given, replay.sums)
    raise notes.mismatch(replay, rows)


def unrounded_products(
    replay: Replay,
    pairs: tuple[Floats, Floats],
    box: BlackBox,
    rng: np.random.Generator,
) -> Flags:
    """Return which products are added unrounded; with random factors that gives the bits.

    Raises
    ------
    Verdict
        If nothing does.
    """
    rows, factors = pairs
    given = box.sums(rows, factors)
    for unrounded in _guesses(replay, box, rng):
        sums = product_sums(replay.plan, replay.accumulator, unrounded, rows, factors, box.fmt)
        equal = same_bits(sums, given)
        if equal.all():
            return unrounded
    why = (
        "With factors of 1 the plan gave the function's bits on all inputs; with random factors it "
        f"did on {int(equal.sum())} of {len(rows)}: products or factors are rounded in a way that "
        "no replay here knows."
    )
    raise Verdict("not reproduced", why)


def _guesses(replay: Replay, box: BlackBox, rng: np.random.Generator) -> Iterator[Flags]:
    """Yield what the box says of each product; where it does not say, all rounded and all whole.

    Random factors alone would not do: one product in twenty shows in few of the sums.
    """
    none = np.zeros(box.n, np.bool_)
    asks = box.n > 1 and not replay.plan.aligned.any()
    found = unrounded_inputs(box, replay.plan, rng) if asks else None
    yield from [none, ~none] if found is None else [found]
