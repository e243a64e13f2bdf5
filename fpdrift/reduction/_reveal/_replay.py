"""Find the accumulator, if any, in which the replay of a plan is bit-identical to a function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, Format, same_bits
from fpdrift.reduction._executor import WIDER, run_plans
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._sum_adapter import Finish
from fpdrift.reduction._rounding import Floats

#: Rows on which a plan is tried before it is tried on all.
_FIRST = 8
#: Bits that multi-term adders may keep below the accumulator's precision.
_EXTRA_BITS = (0, 1, 2, 3)
#: Up to this many inputs, all truncating adders may have two terms, which probes do not show.
_ALL_OF_TWO = 32


@dataclass(frozen=True, slots=True)
class Replay:
    """A plan's sums of some rows, compared with the function's."""

    plan: Plan
    accumulator: Format
    finish: Finish
    sums: Floats
    #: (rows,) whether the bits are equal
    equal: npt.NDArray[np.bool_]

    @property
    def agreed(self) -> int:
        """The number of rows whose bits are equal."""
        return int(self.equal.sum())


def best_replay(
    plan: Plan, rows: Floats, observed: Floats, fmt: Format, finishes: tuple[Finish, ...]
) -> Replay:
    """Return the first bit-identical replay, narrowest accumulator first; otherwise the closest.

    Parameters
    ----------
    plan : Plan
    rows : numpy.ndarray
        (rows, n) of the format.
    observed : numpy.ndarray
        (rows,) the function's sums of them.
    fmt : Format
    finishes : tuple of Finish
        Possible last steps of the function.
    """
    best = None
    for variant, acc, finish in hypotheses(plan, fmt, finishes):
        one = _replay(variant, acc, rows, observed, fmt, finish)
        if one is None:
            continue
        if one.equal.all():
            return one
        if best is None or one.agreed > best.agreed:
            best = one
    if best is None:
        message = (
            f"a plan with multi-term nodes cannot be replayed at n = {plan.n}; use a smaller n"
        )
        raise FpdriftError(message)
    return best


def accumulators(fmt: Format) -> tuple[Format, ...]:
    """Return the formats that can add a format's numbers, the narrowest first."""
    return tuple(FORMATS[name] for name in WIDER[fmt.name])


def _replay(
    plan: Plan, acc: Format, rows: Floats, observed: Floats, fmt: Format, finish: Finish
) -> Replay | None:
    """Replay the first rows, and the others if these agree; None if the plan cannot be run."""
    try:
        sums = finish(run_plans(plan, rows[:_FIRST], acc.name), fmt)
        equal = same_bits(sums, observed[:_FIRST])
        if equal.all() or plan.is_binary:
            more = finish(run_plans(plan, rows[_FIRST:], acc.name), fmt)
            sums = np.concatenate([sums, more])
            equal = same_bits(sums, observed)
    except FpdriftError:  # too many aligned terms for 64 bits
        return None
    short = len(rows) - len(equal)
    return Replay(plan, acc, finish, sums, np.concatenate([equal, np.zeros(short, np.bool_)]))


def hypotheses(
    plan: Plan, fmt: Format, finishes: tuple[Finish, ...]
) -> Iterator[tuple[Plan, Format, Finish]]:
    """Yield the plan as probed in each accumulator, then variants that probes cannot distinguish.

    The variants differ in the bits that an adder keeps, and in whether adders of two terms
    truncate as well.
    """
    accs = accumulators(fmt)
    seen = plan.aligned.any()
    if not seen:
        yield from product([plan], accs, finishes)
    if seen or plan.n <= _ALL_OF_TWO:
        kept = [replace(plan, extra_bits=extra) for extra in _EXTRA_BITS if seen]
        every = [replace(plan, aligned=True, extra_bits=extra) for extra in _EXTRA_BITS]
        for acc in accs:
            # An adder that truncates usually does so for any number of terms, so that comes first.
            yield from product([*every, *kept], [acc], finishes)
