"""Which accumulator, if any, makes a plan give a function's bits."""

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
from fpdrift.reduction._reveal._box import Finish
from fpdrift.reduction._rounding import Floats

#: Rows that a plan is tried on before all are.
_FIRST = 8
#: Bits that adders of many terms may keep below the accumulator's precision.
_EXTRA_BITS = (0, 1, 2, 3)
#: Up to so many inputs, all adders that truncate may have two terms, which probes do not show.
_ALL_OF_TWO = 32


@dataclass(frozen=True, slots=True)
class Replay:
    """A plan's sums of some rows, beside the function's."""

    plan: Plan
    accumulator: Format
    finish: Finish
    sums: Floats
    #: (rows,) whether the bits are equal
    equal: npt.NDArray[np.bool_]

    @property
    def agreed(self) -> int:
        """On how many rows."""
        return int(self.equal.sum())


def best_replay(
    plan: Plan, rows: Floats, given: Floats, fmt: Format, finishes: tuple[Finish, ...]
) -> Replay:
    """Return the first replay that has all bits, the narrowest accumulator first; else the closest.

    Parameters
    ----------
    plan : Plan
    rows : numpy.ndarray
        (rows, n) of the format.
    given : numpy.ndarray
        (rows,) what the function gave for them.
    fmt : Format
    finishes : tuple of Finish
        Ways in which the function may round at its end.
    """
    best = None
    for variant, acc, finish in hypotheses(plan, fmt, finishes):
        one = _replay(variant, acc, rows, given, fmt, finish)
        if one is None:
            continue
        if one.equal.all():
            return one
        if best is None or one.agreed > best.agreed:
            best = one
    if best is None:
        message = f"a plan with nodes of many terms cannot be replayed at n = {plan.n}"
        raise FpdriftError(message)
    return best


def accumulators(fmt: Format) -> tuple[Format, ...]:
    """Return the formats that can add a format's numbers, the narrowest first."""
    return tuple(FORMATS[name] for name in WIDER[fmt.name])


def _replay(
    plan: Plan, acc: Format, rows: Floats, given: Floats, fmt: Format, finish: Finish
) -> Replay | None:
    """Replay the first rows, and the others where these agree; None where it cannot be run."""
    try:
        sums = finish(run_plans(plan, rows[:_FIRST], acc.name), fmt)
        equal = same_bits(sums, given[:_FIRST])
        if equal.all() or plan.is_binary:
            more = finish(run_plans(plan, rows[_FIRST:], acc.name), fmt)
            sums = np.concatenate([sums, more])
            equal = same_bits(sums, given)
    except FpdriftError:  # too many aligned terms for 64 bits
        return None
    short = len(rows) - len(equal)
    return Replay(plan, acc, finish, sums, np.concatenate([equal, np.zeros(short, np.bool_)]))


def hypotheses(
    plan: Plan, fmt: Format, finishes: tuple[Finish, ...]
) -> Iterator[tuple[Plan, Format, Finish]]:
    """Yield the plan as probes show it in each accumulator, then what they cannot tell from it.

    That is how many bits an adder keeps, and whether one of two terms truncates as well.
    """
    accs = accumulators(fmt)
    seen = plan.aligned.any()
    if not seen:
        yield from product([plan], accs, finishes)
    if seen or plan.n <= _ALL_OF_TWO:
        kept = [replace(plan, extra_bits=extra) for extra in _EXTRA_BITS if seen]
        every = [replace(plan, aligned=True, extra_bits=extra) for extra in _EXTRA_BITS]
        for acc in accs:
            # An adder that truncates at all does so whatever it adds, so that comes first.
            yield from product([*every, *kept], [acc], finishes)
