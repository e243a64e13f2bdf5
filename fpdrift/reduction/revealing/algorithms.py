"""Compensated and exact sums of our own that give a function's bits, where no tree does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

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


def known_algorithms(
    rows: Floats, given: Floats, fmt: Format, finishes: tuple[Finish, ...]
) -> tuple[str, ...]:
    """Name the algorithms that give a function's bits on all rows; all that do, in words.

    Each is tried in the format and in wider ones, from the first input to the last and back.
    Of one algorithm the narrowest format is named.
    """
    found: dict[tuple[str, bool], str] = {}
    for name, back, acc, finish in _ways(fmt, finishes):
        if (name, back) in found or (back and name == EXACT):
            continue
        wide = (rows[:, ::-1] if back else rows).astype(acc.dtype)
        if _agrees(ALGORITHMS[name], wide, given, fmt, finish):
            where = f" in {acc.name}" if acc is not fmt else ""
            found[name, back] = name + where + _BACK * back
    return tuple(found.values())


def _ways(fmt: Format, finishes: tuple[Finish, ...]) -> Iterator[tuple[str, bool, Format, Finish]]:
    yield from product(ALGORITHMS, (False, True), accumulators(fmt), finishes)


def _agrees(
    add: Callable[[Any], Any], wide: Floats, given: Floats, fmt: Format, finish: Finish
) -> bool:
    for begin, end in ((0, _FIRST), (_FIRST, len(wide))):
        sums = np.array([add(row) for row in wide[begin:end]], wide.dtype)
        if not same_bits(finish(sums, fmt), given[begin:end], fmt).all():
            return False
    return True
