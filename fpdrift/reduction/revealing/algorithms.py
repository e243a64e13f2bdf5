"""Compensated and exact sums of our own that give a function's bits, where no tree does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from fpdrift.floats import Format
from fpdrift.reduction import sums as ways
from fpdrift.reduction.revealing.kinds import Finish
from fpdrift.reduction.revealing.replaying import accumulators, same_bits
from fpdrift.reduction.rounding import Floats

#: The correctly rounded sum, which no order changes.
EXACT = "the exact sum"
ALGORITHMS: dict[str, Callable[[Any], Any]] = {
    EXACT: ways.exact_sum,
    "Kahan's compensated sum": ways.kahan_sum,
    "Neumaier's compensated sum": ways.neumaier_sum,
    "Klein's compensated sum of second order": ways.klein_sum,
    "Ogita, Rump and Oishi's Sum2": ways.sum_k,
    "Ogita, Rump and Oishi's SumK with K = 3": partial(ways.sum_k, k=3),
    "a pairwise sum in double-double": ways.double_double_sum,
}
_BACK = ", from the last input to the first"
#: Rows that an algorithm is tried on before all are.
_FIRST = 8
#: Rows on which algorithms differ that the function is asked for.
_TELLING = 200


class Known(NamedTuple):
    """An algorithm, and the way in which it was tried."""

    words: str
    add: Callable[[Any], Any]
    back: bool
    acc: Format
    finish: Finish

    def sums(self, rows: Floats, fmt: Format) -> Floats:
        """Add some rows, and finish the sums."""
        wide = (rows[:, ::-1] if self.back else rows).astype(self.acc.dtype)
        return self.finish(np.array([self.add(row) for row in wide], wide.dtype), fmt)


def known_algorithms(
    rows: Floats, given: Floats, fmt: Format, finishes: tuple[Finish, ...]
) -> list[Known]:
    """Return the algorithms that give a function's bits on all rows; all that do.

    Each is tried in the format and in wider ones, from the first input to the last and back.
    Of one algorithm the narrowest format is returned.
    """
    found: dict[tuple[str, bool], Known] = {}
    for name, back, acc, finish in product(ALGORITHMS, (False, True), accumulators(fmt), finishes):
        if (name, back) in found or (back and name == EXACT):
            continue
        words = f"{name}{f' in {acc.name}' if acc is not fmt else ''}{_BACK * back}"
        one = Known(words, ALGORITHMS[name], back, acc, finish)
        if _agrees(one, rows, given, fmt):
            found[name, back] = one
    return list(found.values())


def told_apart(
    found: list[Known],
    drawn: Floats,
    fmt: Format,
    ask: Callable[[Floats], Floats],
) -> list[Known]:
    """Ask the function for sums of which the algorithms differ; return those that still agree.

    Few numbers seldom tell compensated sums apart, so the rows that do are looked for first.
    """
    sums = [one.sums(drawn, fmt) for one in found]
    telling = np.zeros(len(drawn), np.bool_)
    for each in sums[1:]:
        telling |= ~same_bits(each, sums[0], fmt)
    rows = np.flatnonzero(telling)[:_TELLING]
    given = ask(drawn[rows])
    return [
        one
        for one, each in zip(found, sums, strict=True)
        if same_bits(each[rows], given, fmt).all()
    ]


def _agrees(one: Known, rows: Floats, given: Floats, fmt: Format) -> bool:
    for begin, end in ((0, _FIRST), (_FIRST, len(rows))):
        sums = one.sums(rows[begin:end], fmt)
        if not same_bits(sums, given[begin:end], fmt).all():
            return False
    return True
