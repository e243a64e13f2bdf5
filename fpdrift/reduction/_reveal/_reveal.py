"""Reveal the order in which a function adds: a series of tests, each of which can end in a verdict.

The tests ask, in this order, whether the function adds at all, whether it is repeatable, and
whether its result depends on the order; then they search for the tree. A tree is accepted only if
its replay is bit-identical to the function on numbers that distinguish other methods of summation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import format_of, same_bits
from fpdrift.reduction._plan import LARGEST_N, Plan
from fpdrift.reduction._reveal._named_sums import EXACT, matching_algorithms
from fpdrift.reduction._reveal._notes import Notes, Verdict
from fpdrift.reduction._reveal._probe_inputs import fresh_probes, mixture, whole_numbers
from fpdrift.reduction._reveal._probing import Mask, ProbedFunction, mask_of
from fpdrift.reduction._reveal._products import product_rows
from fpdrift.reduction._reveal._repeatability import Repeats, find_two_orders, offsets_that_differ
from fpdrift.reduction._reveal._replay import best_replay
from fpdrift.reduction._reveal._results import Revealed
from fpdrift.reduction._reveal._search import ContradictionError, Search
from fpdrift.reduction._reveal._sum_adapter import ROUNDED, Finish, SumAdapter, mean_finishes
from fpdrift.reduction._reveal._verify import confirm_by_replay, unrounded_products
from fpdrift.reduction._rounding import Floats, round_array
from fpdrift.reduction.plans import sequential
from fpdrift.validation import check_int

#: One or two inputs can be added in only one order.
_ONE_TREE = 2
_FRESH = 64
#: Most rounds of `mixture`; fewer if n is large.
_ROUNDS = 24
_NUMBERS = 2**14
#: Number of contradictory probes that are repeated, and of repeats.
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
    """Find the order in which a function adds and confirm it, or explain why none was found.

    Parameters
    ----------
    sum_function : callable
        Takes a NumPy array of shape (n,) and returns its sum as a scalar of the dtype. It is called
        a few hundred times, plus about n * log2(n) times to find the tree (2 * n**2 in the worst
        case, which is not expected in practice).
    n : int
        The number of inputs. The order may differ from one n to the next.
    dtype : str or numpy.dtype, default "float32"
        Dtype of the inputs and the sum: float16, bfloat16, float32 or float64.
    max_probes : int, optional
        Raise an error if finding the tree takes more calls.
    rng : numpy.random.Generator, optional
        Draws the pivots and the numbers; by default the same ones each time.
    name : str, optional
        Name of the function in the result; by default its ``__name__``.

    Returns
    -------
    Revealed
        The verdict, one of `fpdrift.reduction._reveal.VERDICTS`; the plan, its accumulator, and
        the evidence. A mean is recognised: see `.finish`.

    Raises
    ------
    FpdriftError
        If the function raises, modifies its input, or does not return a finite scalar of the dtype;
        or if `max_probes` is exceeded.

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
        message = f"sum_function is {short_repr(sum_function)}; pass a function of an array"
        raise FpdriftError(message)
    if rng is None:
        rng = np.random.default_rng(0)
    elif not isinstance(rng, np.random.Generator):
        message = f"rng is {short_repr(rng)}; pass a numpy.random.Generator or None"
        raise FpdriftError(message)
    if max_probes is not None:
        max_probes = check_int("max_probes", max_probes, 1, 2**62)
    if name is None:
        name = str(getattr(sum_function, "__name__", type(sum_function).__name__))
    finishes = sum_function.finishes if isinstance(sum_function, SumAdapter) else (ROUNDED,)
    return _Procedure(ProbedFunction(sum_function, n, fmt, name), finishes, max_probes, rng).run()


class _Procedure:
    """Test a function step by step; a step that decides raises its Verdict."""

    def __init__(
        self,
        function: ProbedFunction,
        finishes: tuple[Finish, ...],
        max_probes: int | None,
        rng: np.random.Generator,
    ) -> None:
        self.function, self.fmt, self.n = function, function.fmt, function.n
        self.finishes = finishes
        self.max_probes, self.rng = max_probes, rng
        self.notes = Notes(function)

    @property
    def shares(self) -> int:
        """The divisor of the sum."""
        return 1 if self.finishes[0] is ROUNDED else self.n

    @property
    def mask(self) -> Mask:
        """The mask for this function."""
        return mask_of(self.fmt, self.shares)

    def run(self) -> Revealed:
        """Run the steps in order and return the result."""
        try:
            self._check_additions()
            if self.n <= _ONE_TREE:
                self._confirm(sequential(self.n))
            else:
                self._find_tree()
        except Verdict as verdict:
            return self.notes.result(self._match_algorithm(verdict))

    def _find_tree(self) -> NoReturn:
        """Find the tree of three inputs or more, and confirm it."""
        function, notes, rng = self.function, self.notes, self.rng
        repeats = Repeats(function, notes, rng)
        repeats.check()
        pair = find_two_orders(function, notes, rng)
        notes.offsets, notes.differ = offsets_that_differ(function, rng)
        plan = self._search_tree()
        self._check_predictions(plan)
        self._confirm(plan, pair, repeats)

    def _confirm(
        self, plan: Plan, pair: Floats | None = None, repeats: Repeats | None = None
    ) -> NoReturn:
        """Replay the plan on numbers of all kinds, and on two orders that gave different bits."""
        rows = mixture(self.n, self.fmt, self._rounds(plan), self.rng)
        if pair is not None:
            rows = np.concatenate([pair, rows])
        replay = confirm_by_replay(plan, rows, self.function, self.finishes, self.notes)
        if self.function.multiplies:
            pairs = product_rows(self.n, self.fmt, self._rounds(plan), self.rng)
            self.notes.unrounded = unrounded_products(replay, pairs, self.function, self.rng)
        if repeats is not None:
            repeats.check(1)  # whether any call in between has changed the function
        raise self.notes.confirmed_verdict(len(rows))

    def _rounds(self, plan: Plan | None = None) -> int:
        # The bits that an aligning adder keeps below the sum's last bit rarely matter.
        times = 4 if plan is not None and plan.aligned.any() else 1
        return times * min(_ROUNDS, max(3, _NUMBERS // self.n))

    def _match_algorithm(self, verdict: Verdict) -> Verdict:
        """Look for a known algorithm that is bit-identical to the function if no plan is."""
        if verdict.verdict not in _NOT_CONFIRMED or self.notes.unrepeatable or self.n <= _ONE_TREE:
            return verdict
        rows = mixture(self.n, self.fmt, self._rounds(), self.rng)
        try:
            names = matching_algorithms(self.function, rows, self.finishes, self.rng)
        except FpdriftError:  # this verdict stands, whatever the function does now
            return verdict
        if verdict.verdict != "order-independent":
            names = tuple(name for name in names if not name.startswith(EXACT))
        if not names:
            return verdict
        self.notes.set_algorithms(names, len(rows))
        others = f" and of {len(names) - 1} similar algorithms" if len(names) > 1 else ""
        bits = f"The function's bits are those of {names[0]}{others} on all {len(rows)} inputs."
        if names[0].startswith(EXACT):
            return Verdict(verdict.verdict, f"{verdict.why} {bits}")
        return Verdict("confirmed", bits)

    def _check_additions(self) -> None:
        """Check that the function adds: small integers have the same sum in every order."""
        rows = whole_numbers(self.n, self.fmt, 4, self.rng)
        observed = self.function.sums(rows)
        totals = round_array(rows.astype(np.float64).sum(axis=1), self.fmt)
        kinds = {"": self.finishes}
        if not self.function.multiplies:
            kinds |= {"a sum, not a mean": (ROUNDED,), "a mean": mean_finishes(self.n)}
        for kind, finishes in kinds.items():
            right = np.zeros(len(rows), np.bool_)
            for finish in finishes:
                right |= same_bits(finish(totals, self.fmt), observed)
            if right.all():
                self.notes.recognised, self.finishes = kind, finishes
                return
        self.notes.first_difference(rows, observed, self.finishes[0](totals, self.fmt))
        why = "The sum of small integers, which is exact in every order, is wrong."
        if self.n <= _ONE_TREE:
            raise Verdict("not reproduced", why)
        raise Verdict("inconsistent", f"{why} The function does not add, or it rounds coarsely.")

    def _search_tree(self) -> Plan:
        before = self.function.calls
        self.function.calls_left = np.inf if self.max_probes is None else self.max_probes
        search = Search(self.function, self.mask, self.shares)
        try:
            return search.tree(self.rng.permutation(self.n).tolist())
        except ContradictionError as error:
            self.function.calls_left = np.inf
            self._explain_contradiction(error)
        finally:
            self.function.calls_left = np.inf
            self.notes.probes = self.function.calls - before

    def _explain_contradiction(self, contradiction: ContradictionError) -> NoReturn:
        """Raise a verdict that depends on whether the same probes give the same answers again."""
        rows = np.full((min(len(contradiction.others), _ASKED_AGAIN), self.n), self.mask.unit)
        rows[:, self.rng.permutation(self.n)[self.mask.most :]] = 0
        rows[:, contradiction.place] = self.mask.huge
        for row, other in zip(rows, contradiction.others, strict=False):
            row[other] = -self.mask.huge
        probes = rows.astype(self.fmt.dtype)
        first = self.function.sums(probes)
        for _ in range(_AGAIN):
            again = self.function.sums(probes)
            if not same_bits(first, again).all():
                raise Verdict("inconsistent", "The same probe gave different answers.")
        why = "The answers to the probes fit no tree: the order depends on the numbers, or the sum"
        raise Verdict("inconsistent", f"{why} is rounded coarsely.")

    def _check_predictions(self, plan: Plan) -> None:
        """Compare the tree's predictions with new probes, with some units and many zeros."""
        rows = fresh_probes(self.n, self.fmt, self.mask, _FRESH, self.rng)
        observed = self.function.sums(rows)
        replay = best_replay(plan, rows, observed, self.fmt, self.finishes)
        self.notes.fresh = len(rows)
        zeros = np.zeros(
            len(rows), np.bool_
        )  # a zero's sign depends on where a loop starts or ends
        zeros[: len(replay.sums)] = (replay.sums == 0) & (observed[: len(replay.sums)] == 0)
        if not (replay.equal | zeros).all():
            self.notes.first_difference(rows, observed, replay.sums)
            why = f"{len(rows) - replay.agreed} of {len(rows)} new probes, with zeros among the"
            why += " units, contradict the tree: the order depends on the numbers."
            raise Verdict("inconsistent", why)
