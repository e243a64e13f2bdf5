"""Compensated and exact sums of our own that give a function's bits, where no tree does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product, starmap
from typing import Any, NamedTuple

import numpy as np

from fpdrift.floats import Format, same_bits
from fpdrift.reduction import columnwise
from fpdrift.reduction._reveal._box import Finish
from fpdrift.reduction._reveal._probe_inputs import deep_ties, mixture, wide_ties
from fpdrift.reduction._reveal._probing import BlackBox
from fpdrift.reduction._reveal._replay import accumulators
from fpdrift.reduction._rounding import Floats

#: The correctly rounded sum, which no order changes.
EXACT = "the exact sum"
ALGORITHMS: dict[str, Callable[[Any], Any]] = {
    EXACT: columnwise.exact,
    "Kahan's compensated sum": columnwise.kahan,
    "Neumaier's compensated sum": columnwise.neumaier,
    "Klein's compensated sum of second order": columnwise.klein,
    "Ogita, Rump and Oishi's Sum2": columnwise.sum_k,
    "Ogita, Rump and Oishi's SumK with K = 3": partial(columnwise.sum_k, k=3),
    "a pairwise sum in double-double": columnwise.double_double,
}
_BACK = ", from the last input to the first"
#: Rows that an algorithm is tried on before all are.
_FIRST = 8
#: Numbers that are drawn, by the rounds of `mixture`, to tell algorithms apart.
_DRAWN = 200
#: Ties of each wider format that are drawn beside them, whatever n is; half of them show nothing.
_TIES = 32
#: Rows on which algorithms differ that the function is asked for.
_TELLING = 200


class _Known(NamedTuple):
    """An algorithm, and the way in which it is tried."""

    name: str
    back: bool
    acc: Format
    finish: Finish

    def sums(self, rows: Floats, fmt: Format) -> Floats:
        """Add some rows, and finish the sums."""
        wide = (rows[:, ::-1] if self.back else rows).astype(self.acc.dtype)
        with np.errstate(all="ignore"):
            return self.finish(ALGORITHMS[self.name](wide.T), fmt)

    def words(self, fmt: Format) -> str:
        """Name it, with its format where that is a wider one."""
        wider = f" in {self.acc.name}" if self.acc is not fmt else ""
        return f"{self.name}{wider}{_BACK * self.back}"


def known_algorithms(
    box: BlackBox, rows: Floats, finishes: tuple[Finish, ...], rng: np.random.Generator
) -> tuple[str, ...]:
    """Name the algorithms that give a function's bits, on rows that tell them apart, too.

    Each is tried in the format and in wider ones, from the first input to the last and back. Of one
    algorithm the narrowest format that gives the bits is named.

    Parameters
    ----------
    box : BlackBox
    rows : numpy.ndarray
        (rows, n) of the box's format.
    finishes : tuple of Finish
        Ways in which the function may round at its end.
    rng : numpy.random.Generator
        Draws the rows that tell algorithms apart.

    Raises
    ------
    FpdriftError
        If the box does.
    """
    given = box.sums(rows)
    tried = product(ALGORITHMS, (False, True), accumulators(box.fmt), finishes)
    found = [one for one in starmap(_Known, tried) if _agrees(one, rows, given, box.fmt)]
    if len(found) > 1:
        found = _told_apart(found, box, rng)
    narrowest = {(one.name, one.back): one for one in reversed(found)}
    return tuple(one.words(box.fmt) for one in found if narrowest[one.name, one.back] is one)


def _agrees(one: _Known, rows: Floats, given: Floats, fmt: Format) -> bool:
    if one.back and one.name == EXACT:  # it is the same from either end
        return False
    for begin, end in ((0, _FIRST), (_FIRST, len(rows))):
        sums = one.sums(rows[begin:end], fmt)
        if not same_bits(sums, given[begin:end]).all():
            return False
    return True


def _told_apart(found: list[_Known], box: BlackBox, rng: np.random.Generator) -> list[_Known]:
    """Ask the function for sums of which the algorithms differ; return those that still agree.

    Few numbers seldom tell compensated sums apart, so the rows that do are looked for first.
    """
    n, fmt, rounds = box.n, box.fmt, max(1, _DRAWN // box.n)
    ties = [wide_ties(n, fmt, acc, _TIES, rng) for acc in accumulators(fmt)[1:]]
    more = [draw(n, fmt, rounds, rng) for draw in (deep_ties, mixture)]
    drawn = np.concatenate([*ties, *more])  # ties first: they tell the most, and not all are asked
    sums = [one.sums(drawn, fmt) for one in found]
    telling = np.zeros(len(drawn), np.bool_)
    for each in sums[1:]:
        telling |= ~same_bits(each, sums[0])
    rows = np.flatnonzero(telling)[:_TELLING]
    given = box.sums(drawn[rows])
    return [
        one for one, each in zip(found, sums, strict=True) if same_bits(each[rows], given).all()
    ]
