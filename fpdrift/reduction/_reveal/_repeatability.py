"""Questions that need no tree: whether a box repeats its bits, and whether the order counts.

The same input has to give the same bits whatever came before. Where the numbers stand in memory may
change the order of a vector kernel's additions, so that is asked, too.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from fpdrift.backends.devices import LINE
from fpdrift.floats import same_bits
from fpdrift.reduction._reveal._notes import Notes, Verdict
from fpdrift.reduction._reveal._probe_inputs import deep_ties, mixture, one_sign, order_matters
from fpdrift.reduction._reveal._probing import BlackBox
from fpdrift.reduction._rounding import Floats

#: Inputs that are repeated (a multiple of 3), and how often.
_REPEATED, _REPEATS = 12, 22
#: Orders of each of these inputs that are tried; fewer where n is large.
_ORDERS = 64
_NUMBERS = 2**14
#: Up to so many inputs all orders are tried.
_ALL_ORDERS = 4
#: Calls that look for an effect of the alignment; more where nine rows at each offset take more.
_MOVED = 120


class Repeats:
    """Rows that are asked again and again, in a drawn order each time."""

    def __init__(self, box: BlackBox, notes: Notes, rng: np.random.Generator) -> None:
        self._box, self._notes, self._rng = box, notes, rng
        self.rows = order_matters(box.n, box.fmt, _REPEATED // 3, rng)
        self._first = box.sums(self.rows)

    def check(self, times: int = _REPEATS) -> None:
        """Raise a Verdict if the bits change.

        Memory is taken in between, so that copies that the function makes stand elsewhere. And the
        order is drawn, so that a row does not meet the same state again and again.
        """
        for _ in range(times):
            order = self._rng.permutation(len(self.rows))
            size = self.rows[0].nbytes
            taken = [
                np.empty(size + int(more), np.uint8) for more in self._rng.integers(64, size=9)
            ]
            again = self._box.sums(self.rows[order])
            del taken
            self._notes.repeats += len(order)
            equal = same_bits(self._first[order], again)
            if not equal.all():
                bad = int(np.argmin(equal))
                row = int(order[bad])
                self._notes.example(self.rows[row], self._first[row], again[bad])
                self._notes.astray = True
                raise Verdict(
                    "inconsistent", "The same input gave different bits: nondeterministic."
                )


def two_orders(box: BlackBox, notes: Notes, rng: np.random.Generator) -> Floats:
    """Return two orders of the same numbers that gave different bits, (2, n).

    Raises
    ------
    Verdict
        If no change of order changed a bit.
    """
    count = min(_ORDERS, max(8, 2 * _NUMBERS // box.n))
    for row in order_matters(box.n, box.fmt, _REPEATED // 3, rng):
        orders = rng.permuted(np.tile(row, (count, 1)), axis=1)
        if (told := _told(box, notes, orders)) is not None:
            return told
    # A function may have no order for these numbers only: it may look at signs or sizes.
    rounds = 12 if box.n <= _ALL_ORDERS else 2
    more = [draw(box.n, box.fmt, 4 * rounds, rng) for draw in (one_sign, deep_ties)]
    for row in np.concatenate([*more, mixture(box.n, box.fmt, rounds, rng)]):
        if box.n <= _ALL_ORDERS:
            orders = row[np.array([*permutations(range(box.n))])]
        else:
            orders = rng.permuted(np.tile(row, (count // 4, 1)), axis=1)
        if (told := _told(box, notes, orders)) is not None:
            return told
    raise Verdict("order-independent", f"{notes.permutations} changes of order changed no bit.")


def _told(box: BlackBox, notes: Notes, orders: Floats) -> Floats | None:
    given = box.sums(orders)
    notes.permutations += len(orders)
    other = ~same_bits(given, given[:1])
    return orders[[0, int(np.argmax(other))]] if other.any() else None


def offsets_that_differ(
    box: BlackBox, rng: np.random.Generator
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Move the numbers in memory; return the offsets tried, and those that change the bits.

    An offset is the distance in bytes of the first number from a multiple of 64. The factors of a
    product are moved alike, and left where they are.
    """
    fmt = box.fmt
    offsets = range(fmt.dtype.itemsize, LINE, fmt.dtype.itemsize)
    rows = order_matters(box.n, fmt, max(3, _MOVED // (3 * len(offsets))), rng)
    given, differ = box.sums(rows), []
    for offset in offsets:
        for factors in (offset, 0) if box.multiplies else (0,):
            box.place(offset, factors)
            moved = box.sums(rows)
            if not same_bits(given, moved).all():
                differ.append(offset)
                break
    box.place(0)
    return tuple(offsets), tuple(differ)
