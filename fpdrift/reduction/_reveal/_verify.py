"""Confirm a plan by replay: on numbers of all kinds and, for products, with random factors.

The replay may flush subnormal numbers to zero. TensorFlow and JAX enable two modes of x86
processors: denormals-are-zero (DAZ) for inputs and flush-to-zero (FTZ) for results. The partial
sums of a wider accumulator become subnormal much later than the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.floats import Format, same_bits
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._notes import Notes, Verdict
from fpdrift.reduction._reveal._probing import ProbedFunction
from fpdrift.reduction._reveal._products import Flags, product_sums, unrounded_inputs
from fpdrift.reduction._reveal._replay import Replay, accumulators, best_replay
from fpdrift.reduction._reveal._sum_adapter import Finish
from fpdrift.reduction._rounding import Floats, add_aligned, add_exact


class Flush(NamedTuple):
    """The numbers that are flushed to zero if subnormal."""

    inputs: bool
    partial_sums: bool
    result: bool

    @property
    def words(self) -> tuple[str, ...]:
        """The names of what is flushed."""
        names = ("inputs", "partial sums", "result")
        return tuple(name for name, flag in zip(names, self, strict=True) if flag)


#: All combinations, starting with the one that hardware uses.
_KINDS = sorted(
    (Flush(*kind) for kind in product((True, False), repeat=3) if any(kind)),
    key=lambda kind: -sum(kind),
)


def find_flushed_replay(
    replay: Replay, rows: Floats, observed: Floats, fmt: Format, finishes: tuple[Finish, ...]
) -> tuple[Replay, Flush] | None:
    """Return the first replay that flushes subnormal numbers and is bit-identical to the function.

    The signs of zeros may differ: the sign of a flushed number depends on where a loop starts (a
    sum that starts at plus zero loses a minus), not on the order in which it adds.

    Parameters
    ----------
    replay : Replay
        The closest replay without flushing, which differs only for subnormal numbers.
    rows, observed, fmt, finishes
        As for `best_replay`.
    """
    differing = np.flatnonzero(~replay.equal)
    for flush, acc, finish in product(_KINDS, accumulators(fmt), finishes):
        few = flushed_sums(replay.plan, rows[differing], acc, fmt, finish, flush)
        if not _equal_up_to_zero_sign(few, observed[differing]).all():
            continue
        sums = flushed_sums(replay.plan, rows, acc, fmt, finish, flush)
        equal = _equal_up_to_zero_sign(sums, observed)
        if equal.all():
            return Replay(replay.plan, acc, finish, sums, equal), flush
    return None


def flushed_sums(
    plan: Plan, rows: Floats, acc: Format, fmt: Format, finish: Finish, flush: Flush
) -> Floats:
    """Add (rows, n) numbers by a plan, node by node, with subnormal ones flushed to zero."""
    inputs = _flush(rows, fmt) if flush.inputs else rows
    known = [*inputs.T.astype(acc.dtype)]
    kids = plan.children.tolist()
    with np.errstate(all="ignore"):
        for (begin, end), aligned in zip(pairwise(plan.starts.tolist()), plan.aligned, strict=True):
            terms = np.stack([known[kid] for kid in kids[begin:end]])
            if aligned:
                total = add_aligned(terms, acc, plan.extra_bits)
            else:
                total = terms[0] + terms[1] if len(terms) == 2 else add_exact(terms, acc)
            known.append(_flush(total, acc) if flush.partial_sums else total)
        sums = finish(known[-1], fmt)
    return _flush(sums, fmt) if flush.result else sums


def _flush(numbers: Floats, fmt: Format) -> Floats:
    small = np.abs(numbers) < fmt.dtype.type(2.0**fmt.emin)
    flushed: Floats = np.where(small, numbers * fmt.dtype.type(0), numbers)
    return flushed


def _equal_up_to_zero_sign(one: Floats, other: Floats) -> npt.NDArray[np.bool_]:
    """Return where two arrays are bit-identical except for the signs of zeros."""
    equal: npt.NDArray[np.bool_] = same_bits(one, other) | ((one == 0) & (other == 0))
    return equal


def confirm_by_replay(
    plan: Plan, rows: Floats, function: ProbedFunction, finishes: tuple[Finish, ...], notes: Notes
) -> Replay:
    """Return a replay that is bit-identical on all rows, with subnormals flushed if necessary.

    Raises
    ------
    Verdict
        If no replay is.
    """
    observed = function.sums(rows)
    replay = best_replay(plan, rows, observed, function.fmt, finishes)
    notes.set_replay(replay, rows, accumulators(function.fmt))
    if notes.only_subnormal:
        found = find_flushed_replay(replay, rows, observed, function.fmt, finishes)
        if found is not None:
            replay, flush = found
            notes.flushed = flush.words
            notes.set_replay(replay, rows, accumulators(function.fmt))
    if replay.equal.all():
        notes.set_plan(replay.plan, replay)
        return replay
    notes.set_plan(plan)
    notes.first_difference(rows, observed, replay.sums)
    raise notes.mismatch_verdict(replay, rows)


def unrounded_products(
    replay: Replay,
    pairs: tuple[Floats, Floats],
    function: ProbedFunction,
    rng: np.random.Generator,
) -> Flags:
    """Return which products are added unrounded, confirmed by replay with random factors.

    Raises
    ------
    Verdict
        If no replay is bit-identical to the function.
    """
    rows, factors = pairs
    observed = function.sums(rows, factors)
    for unrounded in _guesses(replay, function, rng):
        sums = product_sums(replay.plan, replay.accumulator, unrounded, rows, factors, function.fmt)
        equal = same_bits(sums, observed)
        if equal.all():
            return unrounded
    why = (
        "The plan reproduces the function's bits on all inputs with factors of 1, but on only "
        f"{int(equal.sum())} of {len(rows)} with random factors: products or factors are rounded "
        "in a way that the replay does not model."
    )
    raise Verdict("not reproduced", why)


def _guesses(replay: Replay, function: ProbedFunction, rng: np.random.Generator) -> Iterator[Flags]:
    """Yield the answer of the probes for each product; without one, all rounded, then none.

    Random factors alone would not be enough: one product in twenty affects few of the sums.
    """
    none = np.zeros(function.n, np.bool_)
    asks = function.n > 1 and not replay.plan.aligned.any()
    found = unrounded_inputs(function, replay.plan, rng) if asks else None
    yield from [none, ~none] if found is None else [found]
