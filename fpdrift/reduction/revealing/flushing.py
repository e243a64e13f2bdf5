"""Replay a plan on hardware that treats subnormal numbers as zeros.

TensorFlow and JAX switch two modes of x86 processors on: denormals are zero (DAZ) for inputs, and
flush to zero (FTZ) for results. A wider accumulator's partial sums are subnormal
much later than the result.
"""

from __future__ import annotations

from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.floats import Format
from fpdrift.reduction.multiterm import add_aligned, add_exact
from fpdrift.reduction.plan import Plan
from fpdrift.reduction.revealing.kinds import Finish
from fpdrift.reduction.revealing.replaying import Replay, accumulators, same_bits
from fpdrift.reduction.rounding import Floats


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
        if not _alike(few, given[telling], fmt).all():
            continue
        sums = flushed_sums(replay.plan, rows, acc, fmt, finish, flush)
        equal = _alike(sums, given, fmt)
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


def _alike(one: Floats, other: Floats, fmt: Format) -> npt.NDArray[np.bool_]:
    """Compare bit for bit, but for the sign of zeros."""
    alike: npt.NDArray[np.bool_] = same_bits(one, other, fmt) | ((one == 0) & (other == 0))
    return alike
