"""Black boxes, their trees, and two of them compared, in 80 columns."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from fpdrift.cli.screens.screen import WIDTH, count, screen, wrapped
from fpdrift.cli.treetext import MOST_INPUTS, tree_text
from fpdrift.reduction import Plan, Revealed, SameOrder
from fpdrift.reduction.naming import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How products are added.
_PRODUCTS = {
    "rounded": "Each product is rounded before it is added.",
    "fused": "Products are added unrounded, as by fused multiply-add, except where a chain starts.",
    "exact": "Each product is added as it is, unrounded.",
}
#: What precedes a tree, and what stands between two.
_MARGIN = "    "


@screen.register
def _revealed(result: Revealed) -> list[str]:
    lines = [
        *wrapped(f"{result.name}, {count(result.n, result.dtype + ' number')}: {result.verdict}."),
        *wrapped(result.evidence.why),
    ]
    if result.plan is not None:
        known = result.verdict != "not reproduced"
        lines += [
            "",
            *_tree(result.plan, "Its order" if known else "The tree that fits its probes"),
        ]
        if result.accumulator:
            lines += wrapped(f"Its partial sums are {result.accumulator}.")
        if result.finish:
            lines += wrapped(f"Its sum is {result.finish}.")
        if result.products:
            lines += wrapped(_PRODUCTS[result.products])
    lines += [
        "",
        *wrapped(f"{count(result.probes, 'probe')}, {count(result.calls, 'call')} in all."),
    ]
    lines += _repeats(result)
    return [*lines, *wrapped(result.evidence.power), *_counterexample(result)]


@screen.register
def _tree(plan: Plan, lead: str = "Its order") -> list[str]:
    """Draw a tree where it fits, and say what it does."""
    if plan.n <= MOST_INPUTS:
        *rows, last = (f"{_MARGIN}{row}" for row in tree_text(plan))
        return [*rows, f"{last} sum", "", *words(plan, lead)]
    return [
        *words(plan, lead),
        "  A tree of so many inputs fits on no screen; --plot FILE draws it.",
    ]


def words(plan: Plan, lead: str = "Its order") -> list[str]:
    """Say what a plan does."""
    deep = f"at most {count(plan.depth, 'addition')} in a row"
    return wrapped(f"{lead}: {in_words(plan) or 'none that has a name'}; {deep}.")


def _repeats(result: Revealed) -> list[str]:
    """Say what a call that goes astray now and then would have had to do to be missed."""
    evidence = result.evidence
    if evidence.missed_rate is None:
        return []
    seldom = f"1 in {1 / evidence.missed_rate:,.0f} astray would have shown in 95 % of cases"
    return wrapped(f"{evidence.repeats} repeats gave the same bits; {seldom}.")


def _counterexample(result: Revealed) -> list[str]:
    evidence = result.evidence
    if evidence.box_gave is None or evidence.replay_gave is None:
        return []
    against = f"{evidence.box_gave!s} against {evidence.replay_gave!s}"
    return wrapped(f"One input that shows it: {against} (--json FILE keeps that input).")


@screen.register
def _same_order(result: SameOrder) -> list[str]:
    one, other = result.first, result.second
    numbers = count(result.n, f"{result.dtype} number")
    lines = [
        *wrapped(f"{one.name} and {other.name}, {numbers}: {result.answer}."),
        *wrapped(result.why),
    ]
    if one.plan is None or other.plan is None:
        return lines
    if result.only_first or result.only_second:
        lines += _beside(one.plan, other.plan, (one.name, other.name))
    told = (
        (one.name, one.plan, result.only_first),
        (other.name, other.plan, result.only_second),
    )
    for name, plan, alone in told:
        lines += wrapped(f"{name}: {in_words(plan) or 'an order that has no name'}.")
        if alone:
            lines += wrapped(f"it alone adds up {_sets(alone)}", 4)
    if result.example is not None:
        gave = f"{one.name} {result.first_gave!s}, {other.name} {result.second_gave!s}"
        with_factors = "" if result.example_factors is None else ", with factors,"
        lines += wrapped(f"One input{with_factors} on which they differ: {gave}.")
    return lines


def _beside(one: Plan, other: Plan, names: tuple[str, str]) -> list[str]:
    """Put two trees side by side, if that fits."""
    if one.n > MOST_INPUTS:
        return []
    rows = list(zip_longest(tree_text(one), tree_text(other), fillvalue=""))
    rows.insert(0, names)
    width = max(len(left) for left, _ in rows) + len(_MARGIN)
    lines = [f"{_MARGIN}{left:{width}}{right}".rstrip() for left, right in rows]
    return ["", *lines, ""] if max(map(len, lines)) <= WIDTH else []


def _sets(alone: Sequence[Sequence[int]]) -> str:
    texts = [
        ", ".join(map(str, inputs[:6])) + (", ..." if len(inputs) > 6 else "") for inputs in alone
    ]
    return "; ".join(f"{{{text}}}" for text in texts[:3])
