"""Decide from what was revealed of two functions whether they add in one order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdrift.reduction._reveal._results import Revealed


def decide_order(first: Revealed, second: Revealed, *, differs: bool) -> tuple[bool | None, str]:
    """Return whether the orders are the same, and why; `differs`: an input has different bits."""
    both = first, second
    for one in both:
        if one.verdict in ("inconsistent", "not reproduced"):
            return None, f"{one.name} is {one.verdict}, so its order is not known."
    if first.plan is None or second.plan is None:
        return _decide_without_trees(first, second, differs=differs)
    if first.plan != second.plan:
        return False, "Their trees differ."
    if different := next(_different_rounding(first, second), None):
        return False, f"They add in the same order, but {different}."
    if differs:
        return (
            None,
            "They add in the same order, apparently with the same rounding, but their bits differ.",
        )
    for one in both:
        if one.evidence.offsets_that_differ:
            return None, (
                "They add in the same order with the same rounding if the numbers start at a "
                f"multiple of 64 bytes; at other offsets {one.name} gives different bits."
            )
    return True, "They add in the same order with the same rounding."


def _decide_without_trees(
    first: Revealed, second: Revealed, *, differs: bool
) -> tuple[bool | None, str]:
    """Compare two sums of which at least one follows no tree."""
    if first.verdict != second.verdict or (first.plan is None) != (second.plan is None):
        return False, f"{_describe(first)}, {_describe(second)}."
    what = "but their bits differ" if differs else "and they gave the same bits"
    if first.verdict == "order-independent":
        return not differs, f"Neither depends on the order, {what}."
    return not differs, f"{_describe(first)}, {_describe(second)}, {what}."


def _describe(one: Revealed) -> str:
    if one.verdict == "confirmed":
        return f"{one.name} is {one.algorithms[0] if one.plan is None else 'a tree of additions'}"
    return f"{one.name} is {one.verdict}"


def _different_rounding(first: Revealed, second: Revealed) -> Iterator[str]:
    """Describe each way in which two functions of one plan round differently."""
    both = first, second
    if (first.accumulator or first.dtype) != (second.accumulator or second.dtype):
        yield _of_each(both, lambda one: f"adds in {one.accumulator or one.dtype}")
    if first.finish != second.finish:
        yield _of_each(both, lambda one: f"returns its sum {one.finish or 'unchanged'}")
    flags = [one.unrounded for one in both if one.unrounded is not None]
    if len(flags) == len(both) and (flags[0] != flags[1]).any():
        yield _of_each(both, _describe_products)
    if first.evidence.flushed != second.evidence.flushed:
        yield _of_each(both, _describe_flushing)


def _of_each(both: tuple[Revealed, Revealed], does: Callable[[Revealed], str]) -> str:
    return " and ".join(f"{one.name} {does(one)}" for one in both)


def _describe_products(one: Revealed) -> str:
    count = 0 if one.unrounded is None else int(one.unrounded.sum())
    return f"adds {count or 'none'} of its {one.n} products unrounded"


def _describe_flushing(one: Revealed) -> str:
    what = ", ".join(one.evidence.flushed)
    return f"flushes subnormal {what} to zero" if what else "keeps subnormal numbers"
