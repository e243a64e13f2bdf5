"""Find compensated and exact sums that are bit-identical to a function for which no tree is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product, starmap
from typing import Any, NamedTuple

import numpy as np

from fpdrift.floats import Format, same_bits
from fpdrift.reduction import columnwise
from fpdrift.reduction._reveal._probe_inputs import deep_ties, mixture, wide_ties
from fpdrift.reduction._reveal._probing import ProbedFunction
from fpdrift.reduction._reveal._replay import accumulators
from fpdrift.reduction._reveal._sum_adapter import Finish
from fpdrift.reduction._rounding import Floats

#: The correctly rounded sum, which does not depend on the order.
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
#: Rows on which an algorithm is tried before it is tried on all.
_FIRST = 8
#: Numbers drawn, in rounds of `mixture`, to distinguish algorithms.
_DRAWN = 200
#: Ties of each wider format drawn as well, whatever n is; half of them distinguish nothing.
_TIES = 32
#: Most rows on which the candidates differ that the function is called with.
_MOST_ROWS = 200


class _Candidate(NamedTuple):
    """An algorithm with the direction, accumulator and last step with which it is tried."""

    name: str
    back: bool
    acc: Format
    finish: Finish

    def sums(self, rows: Floats, fmt: Format) -> Floats:
        """Return the sums of some rows."""
        wide = (rows[:, ::-1] if self.back else rows).astype(self.acc.dtype)
        with np.errstate(all="ignore"):
            return self.finish(ALGORITHMS[self.name](wide.T), fmt)

    def label(self, fmt: Format) -> str:
        """Return its name, with the format if that is wider than `fmt`."""
        wider = f" in {self.acc.name}" if self.acc is not fmt else ""
        return f"{self.name}{wider}{_BACK * self.back}"


def matching_algorithms(
    function: ProbedFunction, rows: Floats, finishes: tuple[Finish, ...], rng: np.random.Generator
) -> tuple[str, ...]:
    """Return the names of the algorithms that are bit-identical to a function.

    Each is tried in the format and in wider ones, from the first input to the last and back. If
    several agree, they are compared again on rows that distinguish them. For each algorithm, the
    narrowest format that agrees is named.

    Parameters
    ----------
    function : ProbedFunction
    rows : numpy.ndarray
        (rows, n) of the function's format.
    finishes : tuple of Finish
        Possible last steps of the function.
    rng : numpy.random.Generator
        Draws the rows that distinguish algorithms.

    Raises
    ------
    FpdriftError
        If the function fails.
    """
    observed = function.sums(rows)
    candidates = product(ALGORITHMS, (False, True), accumulators(function.fmt), finishes)
    found = [
        one for one in starmap(_Candidate, candidates) if _agrees(one, rows, observed, function.fmt)
    ]
    if len(found) > 1:
        found = _distinguish(found, function, rng)
    narrowest = {(one.name, one.back): one for one in reversed(found)}
    return tuple(one.label(function.fmt) for one in found if narrowest[one.name, one.back] is one)


def _agrees(one: _Candidate, rows: Floats, observed: Floats, fmt: Format) -> bool:
    if one.back and one.name == EXACT:  # its result is the same from either end
        return False
    for begin, end in ((0, _FIRST), (_FIRST, len(rows))):
        sums = one.sums(rows[begin:end], fmt)
        if not same_bits(sums, observed[begin:end]).all():
            return False
    return True


def _distinguish(
    found: list[_Candidate], function: ProbedFunction, rng: np.random.Generator
) -> list[_Candidate]:
    """Return the candidates that still agree on rows for which the candidates differ.

    A few numbers rarely distinguish compensated sums, so such rows are searched for first.
    """
    n, fmt, rounds = function.n, function.fmt, max(1, _DRAWN // function.n)
    ties = [wide_ties(n, fmt, acc, _TIES, rng) for acc in accumulators(fmt)[1:]]
    more = [draw(n, fmt, rounds, rng) for draw in (deep_ties, mixture)]
    drawn = np.concatenate(
        [*ties, *more]
    )  # ties first: they distinguish best, and only some rows are used
    sums = [one.sums(drawn, fmt) for one in found]
    distinguishing = np.zeros(len(drawn), np.bool_)
    for each in sums[1:]:
        distinguishing |= ~same_bits(each, sums[0])
    rows = np.flatnonzero(distinguishing)[:_MOST_ROWS]
    observed = function.sums(drawn[rows])
    return [
        one for one, each in zip(found, sums, strict=True) if same_bits(each[rows], observed).all()
    ]
