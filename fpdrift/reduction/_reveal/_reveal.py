"""`reveal`: the order of decisions, each of which can end with a verdict.

First what is broken, then what is random, then what has no order, then the tree; and a tree counts
only once its replay has given the function's own bits on numbers that tell other ways apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import format_of, same_bits
from fpdrift.reduction._plan import LARGEST_N, Plan
from fpdrift.reduction._reveal._box import ROUNDED, AsSum, Finish, mean_finishes
from fpdrift.reduction._reveal._named_sums import EXACT, known_algorithms
from fpdrift.reduction._reveal._notes import Notes, Verdict
from fpdrift.reduction._reveal._probe_inputs import fresh_probes, mixture, whole_numbers
from fpdrift.reduction._reveal._probing import BlackBox, Mask, mask_of
from fpdrift.reduction._reveal._products import product_rows
from fpdrift.reduction._reveal._repeatability import Repeats, offsets_that_differ, two_orders
from fpdrift.reduction._reveal._replay import best_replay
from fpdrift.reduction._reveal._results import Revealed
from fpdrift.reduction._reveal._search import ContradictionError, Search
from fpdrift.reduction._reveal._verify import confirmed_replay, unrounded_products
from fpdrift.reduction._rounding import Floats, round_array
from fpdrift.reduction.plans import sequential
from fpdrift.validation import check_int

#: One input or two can be added in one way only.
_ONE_TREE = 2
_FRESH = 64
#: How many times the rows of `mixture` are drawn, at most; fewer where n is large.
_ROUNDS = 24
_NUMBERS = 2**14
#: Probes of a contradiction that are asked again, and how often.
_ASKED_AGAIN, _AGAIN = 4, 8

_NOT_CONFIRMED = ("order-independent", "inconsistent", "not reproduced")


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
        With the verdict, one of `fpdrift.reduction._reveal.VERDICTS`; the plan, its accumulator,
        and the evidence. A mean is recognised: see `.finish`.

    Raises
    ------
    FpdriftError
        If the function raises, alters its input, or returns no finite scalar of the dtype; or if
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
    n, fmt = check_int("n", n, 1, LARGEST_N), format_of(dtype)
    if not callable(sum_function):
        message = f"sum_function is {short_repr(sum_function)}; give a function of an array"
        raise FpdriftError(message)
    if rng is None:
        rng = np.random.default_rng(0)
    elif not isinstance(rng, np.random.Generator):
        message = f"rng is {short_repr(rng)}; give a numpy.random.Generator, or None"
        raise FpdriftError(message)
    if max_probes is not None:
        max_probes = check_int("max_probes", max_probes, 1, 2**62)
    if name is None:
        name = str(getattr(sum_function, "__name__", type(sum_function).__name__))
    finishes = sum_function.finishes if isinstance(sum_function, AsSum) else (ROUNDED,)
    return _Decision(BlackBox(sum_function, n, fmt, name), finishes, max_probes, rng).taken()


class _Decision:
    """Asks a box step by step; a step that decides raises its Verdict."""

    def __init__(
        self,
        box: BlackBox,
        finishes: tuple[Finish, ...],
        max_probes: int | None,
        rng: np.random.Generator,
    ) -> None:
        self.box, self.fmt, self.n = box, box.fmt, box.n
        self.finishes = finishes
        self.max_probes, self.rng = max_probes, rng
        self.notes = Notes(box)

    @property
    def shares(self) -> int:
        """What the sum is divided by."""
        return 1 if self.finishes[0] is ROUNDED else self.n

    @property
    def mask(self) -> Mask:
        """Numbers that hide others, for this box."""
        return mask_of(self.fmt, self.shares)

    def taken(self) -> Revealed:
        """Take the steps in their order."""
        try:
            self._adds()
            if self.n <= _ONE_TREE:
                self._confirms(sequential(self.n))
            else:
                self._finds()
        except Verdict as verdict:
            return self.notes.revealed(self._named(verdict))

    def _finds(self) -> NoReturn:
        """Find the tree of three inputs or more, and confirm it."""
        box, notes, rng = self.box, self.notes, self.rng
        repeats = Repeats(box, notes, rng)
        repeats.check()
        told = two_orders(box, notes, rng)
        notes.offsets, notes.differ = offsets_that_differ(box, rng)
        plan = self._tree()
        self._predicts(plan)
        self._confirms(plan, told, repeats)

    def _confirms(
        self, plan: Plan, told: Floats | None = None, repeats: Repeats | None = None
    ) -> NoReturn:
        """Run the plan on numbers of all kinds, and on two orders that gave different bits."""
        rows = mixture(self.n, self.fmt, self._rounds(plan), self.rng)
        if told is not None:
            rows = np.concatenate([told, rows])
        replay = confirmed_replay(plan, rows, self.box, self.finishes, self.notes)
        if self.box.multiplies:
            pairs = product_rows(self.n, self.fmt, self._rounds(plan), self.rng)
            self.notes.unrounded = unrounded_products(replay, pairs, self.box, self.rng)
        if repeats is not None:
            repeats.check(1)  # whether any call in between has changed the box
        raise self.notes.confirmed(len(rows))

    def _rounds(self, plan: Plan | None = None) -> int:
        # The bits that an aligning adder keeps below the sum's show rarely.
        times = 4 if plan is not None and plan.aligned.any() else 1
        return times * min(_ROUNDS, max(3, _NUMBERS // self.n))

    def _named(self, verdict: Verdict) -> Verdict:
        """Look for an algorithm of our own that gives the bits where no plan does."""
        if verdict.verdict not in _NOT_CONFIRMED or self.notes.astray or self.n <= _ONE_TREE:
            return verdict
        rows = mixture(self.n, self.fmt, self._rounds(), self.rng)
        try:
            names = known_algorithms(self.box, rows, self.finishes, self.rng)
        except FpdriftError:  # this verdict stands, whatever the box does now
            return verdict
        if verdict.verdict != "order-independent":
            names = tuple(name for name in names if not name.startswith(EXACT))
        if not names:
            return verdict
        self.notes.named(names, len(rows))
        others = f", and of {len(names) - 1} more like it" if len(names) > 1 else ""
        bits = f"The function's bits are those of {names[0]}{others}, on all {len(rows)} inputs."
        if names[0].startswith(EXACT):
            return Verdict(verdict.verdict, f"{verdict.why} {bits}")
        return Verdict("confirmed", bits)

    def _adds(self) -> None:
        """Small whole numbers have one sum, in whatever order; a mean is one share of it."""
        rows = whole_numbers(self.n, self.fmt, 4, self.rng)
        given = self.box.sums(rows)
        totals = round_array(rows.astype(np.float64).sum(axis=1), self.fmt)
        kinds = {"": self.finishes}
        if not self.box.multiplies:
            kinds |= {"a sum, not a mean": (ROUNDED,), "a mean": mean_finishes(self.n)}
        for kind, finishes in kinds.items():
            right = np.zeros(len(rows), np.bool_)
            for finish in finishes:
                right |= same_bits(finish(totals, self.fmt), given)
            if right.all():
                self.notes.recognised, self.finishes = kind, finishes
                return
        self.notes.first_difference(rows, given, self.finishes[0](totals, self.fmt))
        why = "Small whole numbers, which any order adds exactly, gave a different sum."
        if self.n <= _ONE_TREE:
            raise Verdict("not reproduced", why)
        raise Verdict("inconsistent", f"{why} It does not add, or it rounds coarsely.")

    def _tree(self) -> Plan:
        before = self.box.calls
        self.box.left = np.inf if self.max_probes is None else self.max_probes
        search = Search(self.box, self.mask, self.shares)
        try:
            return search.tree(self.rng.permutation(self.n).tolist())
        except ContradictionError as error:
            self.box.left = np.inf
            self._explain(error)
        finally:
            self.box.left = np.inf
            self.notes.probes = self.box.calls - before

    def _explain(self, contradiction: ContradictionError) -> NoReturn:
        """Raise a verdict by whether the same probes give the same answers when asked again."""
        rows = np.full((min(len(contradiction.others), _ASKED_AGAIN), self.n), self.mask.unit)
        rows[:, self.rng.permutation(self.n)[self.mask.most :]] = 0
        rows[:, contradiction.place] = self.mask.huge
        for row, other in zip(rows, contradiction.others, strict=False):
            row[other] = -self.mask.huge
        probes = rows.astype(self.fmt.dtype)
        first = self.box.sums(probes)
        for _ in range(_AGAIN):
            again = self.box.sums(probes)
            if not same_bits(first, again).all():
                raise Verdict("inconsistent", "The same probe got different answers.")
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
            self.notes.first_difference(rows, given, replay.sums)
            why = f"{len(rows) - replay.agreed} of {len(rows)} fresh probes, with zeros among the"
            why += " units, got an answer that the tree does not give: the order depends on the"
            raise Verdict("inconsistent", f"{why} numbers.")
