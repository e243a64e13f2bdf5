"""`reveal`: the order of decisions, each of which can end with a verdict.

First what is broken, then what is random, then what has no order, then the tree; and a tree counts
only once its replay has given the function's own bits on numbers that tell other ways apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fpdrift.checks import whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import format_of
from fpdrift.reduction.canonical import LARGEST_N
from fpdrift.reduction.makers import sequential
from fpdrift.reduction.plan import Plan
from fpdrift.reduction.revealing.masks import Mask, mask_of
from fpdrift.reduction.revealing.mixture import (
    fresh_probes,
    mixture,
    order_matters,
    whole_numbers,
)
from fpdrift.reduction.revealing.notes import Notes, Verdict
from fpdrift.reduction.revealing.probing import BlackBox
from fpdrift.reduction.revealing.replaying import (
    Finish,
    Replay,
    accumulators,
    best_replay,
    rounded,
    same_bits,
)
from fpdrift.reduction.revealing.revealed import Revealed
from fpdrift.reduction.revealing.search import ContradictionError, Search
from fpdrift.reduction.rounding import Floats, round_array

#: One input or two can be added in one way only.
_ONE_TREE = 2
#: Inputs that are repeated (a multiple of 3), and how often.
_REPEATED, _REPEATS = 12, 22
#: Orders of each of these inputs that are tried; fewer where n is large.
_ORDERS = 64
_FRESH = 64
#: How many times the rows of `mixture` are drawn, at most; fewer where n is large.
_ROUNDS = 24
_NUMBERS = 2**14
#: Probes of a contradiction that are asked again, and how often.
_ASKED_AGAIN, _AGAIN = 4, 8


def reveal(
    sum_function: Callable[[Any], Any],
    n: int,
    dtype: Any = "float32",
    *,
    max_probes: int | None = None,
    rng: np.random.Generator | None = None,
    name: str | None = None,
) -> Revealed:
    """Find the order in which a function adds, and check it, or say why there is none.

    Parameters
    ----------
    sum_function : callable
        Takes a NumPy array of shape (n,) and gives its sum as a scalar of the dtype. It is called
        a few hundred times, and to find the tree about n * log2(n) times; twice n**2 in the worst
        case, which is not to be met.
    n : int
        How many numbers to add. The order may differ from one n to the next.
    dtype : str or numpy.dtype, default "float32"
        Of the inputs and the sum: float16, bfloat16, float32 or float64.
    max_probes : int, optional
        Give up where finding the tree takes more calls.
    rng : numpy.random.Generator, optional
        Draws the pivots and the numbers; by default the same ones each time.
    name : str, optional
        What to call the function; by default its own name.

    Returns
    -------
    Revealed
        With the verdict: ``"confirmed"``, ``"order-independent"``, ``"inconsistent"`` or ``"not
        reproduced"``; the plan, its accumulator, and the evidence.

    Raises
    ------
    FpdriftError
        If the function raises, alters its input, or gives no finite scalar of the dtype; or if
        the probes allowed are used up.

    References
    ----------
    Xie et al. 2025, "FPRev: Revealing the Order of Floating-Point Summation", USENIX ATC.

    Examples
    --------
    >>> import numpy as np
    >>> from fpdrift.reduction import reveal
    >>> print(reveal(np.sum, 8).plan)
    (((0+1)+(2+3))+((4+5)+(6+7)))
    """
    return decide(sum_function, n, dtype, (rounded,), 1, max_probes, rng, name)


def decide(
    function: Any,
    n: int,
    dtype: Any,
    finishes: tuple[Finish, ...],
    shares: int,
    max_probes: int | None,
    rng: np.random.Generator | None,
    name: str | None,
) -> Revealed:
    """Reveal a sum, or what is a sum but for its finish, such as a mean of `shares` numbers."""
    n, fmt = whole("n", n, 1, LARGEST_N), format_of(dtype)
    if not callable(function):
        message = f"sum_function is {shown(function)}; give a function of an array"
        raise FpdriftError(message)
    if rng is None:
        rng = np.random.default_rng(0)
    elif not isinstance(rng, np.random.Generator):
        message = f"rng is {shown(rng)}; give a numpy.random.Generator, or None"
        raise FpdriftError(message)
    if max_probes is not None:
        max_probes = whole("max_probes", max_probes, 1, 2**62)
    if name is None:
        name = str(getattr(function, "__name__", type(function).__name__))
    mask = mask_of(fmt, shares)
    box = BlackBox(function, n, fmt, name)
    return _Decision(box, mask, finishes, shares, max_probes, rng).taken()


class _Decision:
    """Asks a box step by step; a step that decides raises its Verdict."""

    def __init__(
        self,
        box: BlackBox,
        mask: Mask,
        finishes: tuple[Finish, ...],
        shares: int,
        max_probes: int | None,
        rng: np.random.Generator,
    ) -> None:
        self.box, self.fmt, self.n = box, box.fmt, box.n
        self.mask, self.finishes, self.shares = mask, finishes, shares
        self.max_probes, self.rng = max_probes, rng
        self.notes = Notes(box, mask)
        #: two orders of the same numbers that gave other bits, which a plan has to give as well
        self.told = np.empty((0, box.n), box.fmt.dtype)

    def taken(self) -> Revealed:
        """Take the steps in their order."""
        try:
            self._adds()
            if self.n <= _ONE_TREE:
                plan = sequential(self.n)
            else:
                self._repeats()
                self._has_an_order()
                plan = self._tree()
                self._predicts(plan)
            self._replays(plan)
        except Verdict as verdict:
            return self.notes.revealed(verdict)
        raise AssertionError

    def _adds(self) -> None:
        """Small whole numbers have one sum, in whatever order."""
        rows = whole_numbers(self.n, self.fmt, 4, self.rng)
        given = self.box.sums(rows)
        totals = round_array(rows.astype(np.float64).sum(axis=1), self.fmt)
        right = np.zeros(len(rows), np.bool_)
        for finish in self.finishes:
            right |= same_bits(finish(totals, self.fmt), given, self.fmt)
        if not right.all():
            bad = int(np.argmin(right))
            self.notes.example(rows[bad], given[bad], self.finishes[0](totals, self.fmt)[bad])
            why = "Small whole numbers, which any order adds exactly, gave another sum."
            if self.n <= _ONE_TREE:
                raise Verdict("not reproduced", why)
            raise Verdict("inconsistent", f"{why} It does not add, or it rounds coarsely.")

    def _repeats(self) -> None:
        """Ask whether the same input gives the same bits each time."""
        rows = order_matters(self.n, self.fmt, _REPEATED // 3, self.rng)
        first = self.box.sums(rows)
        for _ in range(_REPEATS):
            again = self.box.sums(rows)
            self.notes.repeats += len(rows)
            equal = same_bits(first, again, self.fmt)
            if not equal.all():
                bad = int(np.argmin(equal))
                self.notes.example(rows[bad], first[bad], again[bad])
                self.notes.astray = True
                raise Verdict("inconsistent", "The same input gave other bits: nondeterministic.")

    def _has_an_order(self) -> None:
        """Ask whether the bits change with the order of the inputs."""
        count = min(_ORDERS, max(8, 2 * _NUMBERS // self.n))
        for row in order_matters(self.n, self.fmt, _REPEATED // 3, self.rng):
            orders = self.rng.permuted(np.tile(row, (count, 1)), axis=1)
            given = self.box.sums(orders)
            self.notes.permutations += len(orders)
            other = ~same_bits(given, given[:1], self.fmt)
            if other.any():
                self.told = orders[[0, int(np.argmax(other))]]
                return
        why = f"{self.notes.permutations} changes of order changed no bit."
        raise Verdict("order-independent", why)

    def _tree(self) -> Plan:
        before = self.box.calls
        self.box.left = np.inf if self.max_probes is None else self.max_probes
        search = Search(self.box, self.mask, self.shares)
        try:
            return search.tree(self.rng.permutation(self.n).tolist())
        except ContradictionError as error:
            self.box.left = np.inf
            self._explain(error)
            raise AssertionError from None
        finally:
            self.box.left = np.inf
            self.notes.probes = self.box.calls - before

    def _explain(self, contradiction: ContradictionError) -> None:
        """Tell whether the same probes give the same answers when asked again."""
        rows = np.full((min(len(contradiction.others), _ASKED_AGAIN), self.n), self.mask.unit)
        rows[:, self.rng.permutation(self.n)[self.mask.most :]] = 0
        rows[:, contradiction.place] = self.mask.huge
        for row, other in zip(rows, contradiction.others, strict=False):
            row[other] = -self.mask.huge
        probes = rows.astype(self.fmt.dtype)
        first = self.box.sums(probes)
        for _ in range(_AGAIN):
            again = self.box.sums(probes)
            if not same_bits(first, again, self.fmt).all():
                raise Verdict("inconsistent", "The same probe got other answers: nondeterministic.")
        why = "The answers to its probes fit no tree: the order depends on the numbers, or the sum"
        raise Verdict("inconsistent", f"{why} is rounded coarsely.")

    def _predicts(self, plan: Plan) -> None:
        """Ask probes that were not used, with some units and many zeros."""
        rows = fresh_probes(self.n, self.fmt, self.mask, _FRESH, self.rng)
        given = self.box.sums(rows)
        replay = best_replay(plan, rows, given, self.fmt, self.finishes)
        self.notes.fresh = len(rows)
        zeros = np.zeros(len(rows), np.bool_)  # a zero's sign says where a loop starts, or ends
        zeros[: len(replay.sums)] = (replay.sums == 0) & (given[: len(replay.sums)] == 0)
        if not (replay.equal | zeros).all():
            self._note_first_difference(rows, given, replay)
            why = f"{len(rows) - replay.agreed} of {len(rows)} fresh probes, with zeros among the"
            why += " units, got an answer that the tree does not give: the order depends on the"
            raise Verdict("inconsistent", f"{why} numbers.")

    def _replays(self, plan: Plan) -> None:
        """Run the plan on numbers of all kinds."""
        rounds = min(_ROUNDS, max(3, _NUMBERS // self.n))
        if plan.aligned.any():  # the bits that such adders keep below the sum's show rarely
            rounds *= 4
        rows = np.concatenate([self.told, mixture(self.n, self.fmt, rounds, self.rng)])
        given = self.box.sums(rows)
        replay = best_replay(plan, rows, given, self.fmt, self.finishes)
        self.notes.replayed(replay, rows, accumulators(self.fmt))
        if replay.equal.all():
            acc = None if replay.accumulator is self.fmt else replay.accumulator.name
            self.notes.found(replay.plan, acc)
            raise Verdict(
                "confirmed", f"The plan gave the function's bits on all {len(rows)} inputs."
            )
        self.notes.found(plan, None)
        self._note_first_difference(rows, given, replay)
        raise Verdict("not reproduced", self.notes.mismatch(replay, rows))

    def _note_first_difference(self, rows: Floats, given: Floats, replay: Replay) -> None:
        bad = int(np.argmin(replay.equal[: len(replay.sums)]))
        self.notes.example(rows[bad], given[bad], replay.sums[bad])
