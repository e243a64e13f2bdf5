"""Whether what was revealed of two functions is one order of adding, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdrift.reduction._reveal._results import Revealed


def judge_orders(first: Revealed, second: Revealed, *, differs: bool) -> tuple[bool | None, str]:
    """Return whether the orders are the same, and why; whether an input is known to differ."""
    both = first, second
    for one in both:
        if one.verdict in ("inconsistent", "not reproduced"):
            return None, f"{one.name} is {one.verdict}, so its order is not known."
    if first.plan is None or second.plan is None:
        return _judged_without_trees(first, second, differs=differs)
    if first.plan != second.plan:
        return False, "Their trees differ."
    if different := next(_different_rounding(first, second), None):
        return False, f"They add in the same order, but {different}."
    if differs:
        return None, "They add in the same order and seem to round alike, but their bits differ."
    for one in both:
        if one.evidence.offsets_that_differ:
            return None, (
                "They add in the same order and round alike where the numbers start at a multiple "
                f"of 64 bytes; elsewhere {one.name} gives different bits."
            )
    return True, "They add in the same order and round alike."


def _judged_without_trees(
    first: Revealed, second: Revealed, *, differs: bool
) -> tuple[bool | None, str]:
    """Compare sums of which one or both follow no tree."""
    if first.verdict != second.verdict or (first.plan is None) != (second.plan is None):
        return False, f"{_what(first)}, {_what(second)}."
    what = "but their bits differ" if differs else "and they gave the same bits"
    if first.verdict == "order-independent":
        return not differs, f"Neither depends on the order, {what}."
    return not differs, f"{_what(first)}, {_what(second)}, {what}."


def _what(one: Revealed) -> str:
    if one.verdict == "confirmed":
        return f"{one.name} is {one.algorithms[0] if one.plan is None else 'a tree of additions'}"
    return f"{one.name} is {one.verdict}"


def _different_rounding(first: Revealed, second: Revealed) -> Iterator[str]:
    """Describe each way in which two functions of one plan round differently."""
    both = first, second
    if (first.accumulator or first.dtype) != (second.accumulator or second.dtype):
        yield _of_each(both, lambda one: f"adds in {one.accumulator or one.dtype}")
    if first.finish != second.finish:
        yield _of_each(both, lambda one: f"returns its sum {one.finish or 'as it is'}")
    flags = [one.unrounded for one in both if one.unrounded is not None]
    if len(flags) == len(both) and (flags[0] != flags[1]).any():
        yield _of_each(both, _fused)
    if first.evidence.flushed != second.evidence.flushed:
        yield _of_each(both, _flushes)


def _of_each(both: tuple[Revealed, Revealed], does: Callable[[Revealed], str]) -> str:
    return " and ".join(f"{one.name} {does(one)}" for one in both)


def _fused(one: Revealed) -> str:
    count = 0 if one.unrounded is None else int(one.unrounded.sum())
    return f"adds {count or 'none'} of its {one.n} products unrounded"


def _flushes(one: Revealed) -> str:
    what = ", ".join(one.evidence.flushed)
    return f"treats subnormal {what} as zeros" if what else "keeps subnormal numbers"
