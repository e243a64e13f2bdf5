"""Replay a plan on hardware that treats subnormal numbers as zeros.

TensorFlow and JAX switch two modes of x86 processors on: denormals are zero (DAZ) for inputs, and
flush to zero (FTZ) for results. A wider accumulator's partial sums are subnormal
much later than the result.
"""

from __future__ import annotations

from itertools import pairwise, product
from typing import NamedTuple

import numpy as np

from fpdrift.floats import Format
from fpdrift.reduction.multiterm import add_aligned, add_exact
from fpdrift.reduction.plan import Plan
from fpdrift.reduction.revealing.kinds import Finish
from fpdrift.reduction.revealing.replaying import Replay, accumulators, same_bits
from fpdrift.reduction.rounding import Floats


class Flush(NamedTuple):
    """What is flushed, and whether an input's zero keeps its sign."""

    inputs: bool
    partial_sums: bool
    result: bool
    #: False stands for a sum that starts at plus zero, which tells only where all inputs are zeros
    signed: bool

    @property
    def words(self) -> tuple[str, ...]:
        """What is flushed, in words."""
        names = ("inputs", "partial sums", "result")
        return tuple(name for name, flag in zip(names, self[:3], strict=True) if flag)


#: What hardware does comes first; then each alone.
_KINDS = sorted(
    (
        Flush(*kind)
        for kind in product((True, False), repeat=4)
        if any(kind[:3]) and (kind[0] or kind[3])
    ),
    key=lambda kind: (not kind.signed, -sum(kind[:3])),
)


def flushed_replay(
    replay: Replay, rows: Floats, given: Floats, fmt: Format, finishes: tuple[Finish, ...]
) -> tuple[Replay, Flush] | None:
    """Return the first replay that flushes subnormal numbers and has all of the function's bits.

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
        if not same_bits(few, given[telling], fmt).all():
            continue
        sums = flushed_sums(replay.plan, rows, acc, fmt, finish, flush)
        equal = same_bits(sums, given, fmt)
        if equal.all():
            return Replay(replay.plan, acc, finish, sums, equal), flush
    return None


def flushed_sums(
    plan: Plan, rows: Floats, acc: Format, fmt: Format, finish: Finish, flush: Flush
) -> Floats:
    """Add (rows, n) numbers by a plan, node by node, with zeros for subnormal ones."""
    inputs = _flushed(rows, fmt, signed=flush.signed) if flush.inputs else rows
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


def _flushed(numbers: Floats, fmt: Format, *, signed: bool = True) -> Floats:
    small = np.abs(numbers) < fmt.dtype.type(2.0**fmt.emin)
    zeros = numbers * fmt.dtype.type(0) if signed else np.zeros_like(numbers)
    flushed: Floats = np.where(small, zeros, numbers)
    return flushed
