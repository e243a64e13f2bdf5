"""Check whether a function is repeatable, and whether its result depends on the order.

The same input has to give the same bits whatever calls came before. The position of the numbers in
memory may change the order in which a vector kernel adds, so that is checked too.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from fpdrift.backends.devices import LINE
from fpdrift.floats import same_bits
from fpdrift.reduction._reveal._notes import Notes, Verdict
from fpdrift.reduction._reveal._probe_inputs import deep_ties, mixture, one_sign, order_matters
from fpdrift.reduction._reveal._probing import ProbedFunction
from fpdrift.reduction._rounding import Floats

#: Number of inputs that are repeated (a multiple of 3), and of repeats.
_REPEATED, _REPEATS = 12, 22
#: Orders of each input that are tried; fewer if n is large.
_ORDERS = 64
_NUMBERS = 2**14
#: Up to this many inputs, all orders are tried.
_ALL_ORDERS = 4
#: Calls that look for an effect of alignment; more if nine rows at each offset need more.
_MOVED = 120


class Repeats:
    """Rows that are summed repeatedly, each time in a random order of rows."""

    def __init__(self, function: ProbedFunction, notes: Notes, rng: np.random.Generator) -> None:
        self._function, self._notes, self._rng = function, notes, rng
        self.rows = order_matters(function.n, function.fmt, _REPEATED // 3, rng)
        self._first = function.sums(self.rows)

    def check(self, times: int = _REPEATS) -> None:
        """Raise a Verdict if the bits change.

        Memory is allocated in between, so that the function's own copies get other addresses. The
        order of the rows is random, so that a row does not always meet the same state.
        """
        for _ in range(times):
            order = self._rng.permutation(len(self.rows))
            size = self.rows[0].nbytes
            taken = [
                np.empty(size + int(more), np.uint8) for more in self._rng.integers(64, size=9)
            ]
            again = self._function.sums(self.rows[order])
            del taken
            self._notes.repeats += len(order)
            equal = same_bits(self._first[order], again)
            if not equal.all():
                bad = int(np.argmin(equal))
                row = int(order[bad])
                self._notes.example(self.rows[row], self._first[row], again[bad])
                self._notes.unrepeatable = True
                raise Verdict(
                    "inconsistent", "Nondeterministic: the same input gave different bits."
                )


def find_two_orders(function: ProbedFunction, notes: Notes, rng: np.random.Generator) -> Floats:
    """Return two orders of the same numbers that gave different bits, (2, n).

    Raises
    ------
    Verdict
        If no change of order changed a bit.
    """
    count = min(_ORDERS, max(8, 2 * _NUMBERS // function.n))
    for row in order_matters(function.n, function.fmt, _REPEATED // 3, rng):
        orders = rng.permuted(np.tile(row, (count, 1)), axis=1)
        if (pair := _differing_pair(function, notes, orders)) is not None:
            return pair
    # A function may be order-independent for these numbers only: it may use signs or sizes.
    rounds = 12 if function.n <= _ALL_ORDERS else 2
    more = [draw(function.n, function.fmt, 4 * rounds, rng) for draw in (one_sign, deep_ties)]
    for row in np.concatenate([*more, mixture(function.n, function.fmt, rounds, rng)]):
        if function.n <= _ALL_ORDERS:
            orders = row[np.array([*permutations(range(function.n))])]
        else:
            orders = rng.permuted(np.tile(row, (count // 4, 1)), axis=1)
        if (pair := _differing_pair(function, notes, orders)) is not None:
            return pair
    raise Verdict("order-independent", f"No bit changed in {notes.permutations} changes of order.")


def _differing_pair(function: ProbedFunction, notes: Notes, orders: Floats) -> Floats | None:
    observed = function.sums(orders)
    notes.permutations += len(orders)
    different = ~same_bits(observed, observed[:1])
    return orders[[0, int(np.argmax(different))]] if different.any() else None


def offsets_that_differ(
    function: ProbedFunction, rng: np.random.Generator
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Move the numbers in memory; return the offsets tried, and those that change the bits.

    An offset is the distance in bytes of the first number from a multiple of 64. The factors of a
    product are tried both at the same offset and unmoved.
    """
    fmt = function.fmt
    offsets = range(fmt.dtype.itemsize, LINE, fmt.dtype.itemsize)
    rows = order_matters(function.n, fmt, max(3, _MOVED // (3 * len(offsets))), rng)
    observed, differ = function.sums(rows), []
    for offset in offsets:
        for factors in (offset, 0) if function.multiplies else (0,):
            function.move_to(offset, factors)
            moved = function.sums(rows)
            if not same_bits(observed, moved).all():
                differ.append(offset)
                break
    function.move_to(0)
    return tuple(offsets), tuple(differ)
