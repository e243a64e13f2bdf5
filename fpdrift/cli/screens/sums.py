"""Sums: ways of summing, threads and orders, functions and their trees, and GPUs."""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import TYPE_CHECKING

from fpdrift.cli.screens.blocks import (
    Blocks,
    Fit,
    Verbatim,
    columns,
    detail,
    heading,
    headline,
    paragraph,
    skipped,
    table,
)
from fpdrift.cli.screens.screen import layout
from fpdrift.cli.text_figures import MOST_INPUTS, tree_text
from fpdrift.comparison._intervals import FEWEST
from fpdrift.floats import format_of
from fpdrift.reduction import (
    OrderSpread,
    Plan,
    Revealed,
    SameOrder,
    SpreadGrowth,
    Strategies,
    SumGrowth,
    SumRow,
    SumTable,
    ThreadOperation,
)
from fpdrift.reduction._describe import in_words
from fpdrift.reduction.gpu import LIMITS, GpuRecording, GpuRun, GpuSums, GpuTree
from fpdrift.reduction.parallel._results import ORDER_NAMES
from fpdrift.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

#: The most condition numbers, or numbers of numbers, side by side.
_BESIDE = 4
#: What the columns of a table of sums are.
_COLUMNS = (
    "Errors and bounds are relative, in units of u = {u:.1e}: the largest error over the orders, "
    "and the most that theory allows. #: number of different results."
)


@layout.register
def _sums_sums(result: SumTable) -> Blocks:
    by_condition: dict[float, list[SumRow]] = {}
    for row in result.rows:
        by_condition.setdefault(row.condition, []).append(row)
    numbers = plural(result.n, f"{result.dtype} number")
    yield headline(_how_many_repeat(list(by_condition.values()), numbers, result.orders))
    lost = 2.0 ** format_of(result.dtype).precision
    yield detail(f"{_units(result.dtype)} At an error of {_size(lost)}, no digit is correct.")
    yield ""
    yield _beside("condition", {f"{c:.0e}": rows for c, rows in by_condition.items()})
    yield ""
    fixed = [row.name for row in result.rows if not row.order_matters]
    yield paragraph(f"Order-independent by design: {', '.join(dict.fromkeys(fixed))}.")
    if result.rows and result.rows[0].times_numpy is not None:
        yield detail(
            "time: relative to numpy.sum's, for these implementations (Kahan's is a Python loop)."
        )


@layout.register
def _sums_growth(result: SumGrowth) -> Blocks:
    first = result.tables[0]
    numbers = f"{first.dtype} numbers of condition number {first.rows[0].condition:.0e}"
    rows = [list(made.rows) for made in result.tables]
    yield headline(_how_many_repeat(rows, numbers, first.orders))
    yield detail(_units(first.dtype))
    yield ""
    yield _beside("numbers", {f"{made.n:,}": list(made.rows) for made in result.tables})


def _units(dtype: str) -> str:
    return _COLUMNS.format(u=2.0 ** -format_of(dtype).precision)


def _how_many_repeat(groups: list[list[SumRow]], numbers: str, orders: int) -> str:
    """Say how many ways of summing gave one result in all orders."""
    ways = list(zip(*groups, strict=True))
    same = sum(all(row.results == 1 for row in rows) for rows in ways)
    return (
        f"{same} of {plural(len(ways), 'algorithm')} gave a single result for {numbers}, "
        f"summed in {plural(orders, 'order')}."
    )


def _beside(what: str, groups: dict[str, list[SumRow]]) -> RenderableType:
    """Put as many groups of columns side by side as the screen is wide enough for."""
    from rich.console import Group

    names = list(groups)
    layouts = []
    for beside in range(min(len(names), _BESIDE), 0, -1):
        blocks: list[RenderableType] = []
        for first in range(0, len(names), beside):
            chosen = names[first : first + beside]
            blocks += [*([""] if blocks else []), _block(what, {n: groups[n] for n in chosen})]
        layouts.append(Group(*blocks))
    return Fit(*layouts)


def _block(what: str, groups: dict[str, list[SumRow]]) -> RenderableType:
    timed = next(iter(groups.values()))[0].times_numpy is not None
    heads = [f"{what}\nalgorithm"]
    for name in groups:
        heads += [f">{name}\nerror", ">\nbound", ">\n#"]
    cells = []
    for rows in zip(*groups.values(), strict=True):
        line = [rows[0].name]
        for row in rows:
            line += [_size(row.error), _size(row.bound), f"{row.results}"]
        cells.append([*line, *([f"{rows[0].times_numpy:.0f}"] if timed else [])])
    return columns([*heads, *([">\ntime"] if timed else [])], cells)


def _size(units: float) -> str:
    """Write a number of units in few characters."""
    if math.isinf(units):
        return "none"
    return f"{units:.1f}" if units < 999.95 else f"{units:.0e}"


@layout.register
def _operation(result: ThreadOperation) -> Blocks:
    elements = result.exact.size
    name = result.operation.capitalize()
    most = max(result.runs, key=lambda run: run.distinct)
    tries = plural(result.tries, "try")
    if most.distinct > 1:
        yield headline(
            f"{name}: {plural(most.distinct, 'result')} in {tries} with "
            f"{plural(most.threads, 'thread')}, up to {plural(most.spread, 'ulp')} apart."
        )
    else:
        yield headline(f"{name}: no drift seen in {tries} with any number of threads.")
    made = f" for each of {plural(elements, 'element')}" if elements > 1 else ""
    yield detail(
        f"{plural(result.n, 'term')}{made}, in {plural(result.chunks, 'chunk')}; each chunk is "
        "added when its thread is done."
    )
    yield ""
    heads = [">threads", ">results", ">spread, ulps", ">orders of arrival"]
    rows = [
        [f"{run.threads}", f"{run.distinct:,}", f"{run.spread:,}", f"{run.orders:,}"]
        for run in result.runs
    ]
    if elements > 1:
        heads.append(f">elements that change, of {elements:,}")
        rows = [[*row, f"{run.changing:,}"] for row, run in zip(rows, result.runs, strict=True)]
    yield table(heads, rows)


@layout.register
def _threads_growth(result: SpreadGrowth) -> Blocks:
    threads = max(point.threads_spread for point in result.points)
    drawn = max(point.drawn_spread for point in result.points)
    what = f"{result.operation.capitalize()} in {result.dtype}"
    if result.operation == "positive sum":
        what = f"Sum of positive {result.dtype} numbers"
    yield headline(
        f"{what}: results differ by up to "
        f"{plural(round(threads), 'ulp')} with {plural(result.threads, 'thread')} and by up to "
        f"{plural(round(drawn), 'ulp')} in random orders."
    )
    yield detail(
        f"Spread: ulps from the lowest to the highest result, of {plural(result.tries, 'try')} "
        f"with threads and of {plural(result.drawn, 'random order')}. Estimate: the spread if "
        "rounding errors cancel at random. Bound: no order can exceed it."
    )
    yield ""
    yield table(
        (">numbers", ">chunks", ">threads", ">random orders", ">estimate", ">bound"),
        [
            (
                f"{p.n:,}",
                f"{p.chunks:,}",
                f"{p.threads_spread:,.0f}",
                f"{p.drawn_spread:,.0f}",
                f"{p.law:,.1f}",
                f"{p.bound:,.0f}",
            )
            for p in result.points
        ],
    )


@layout.register
def _strategies(result: Strategies) -> Blocks:
    threads = ", ".join(map(str, result.threads))
    fixed = [row.name for row in result.rows if row.same_bits]
    yield headline(
        f"{len(fixed)} of {plural(len(result.rows), 'strategy')} for {result.operation} return "
        "the same bits by design"
        f"{': ' if fixed else ''}{', '.join(fixed)}."
    )
    yield detail(
        f"{plural(result.n, result.dtype + ' term')} in {plural(result.chunks, 'chunk')}, "
        f"numbers of threads: {threads}. Time: relative to the order of arrival. Spread and error: "
        "the largest, in ulps."
    )
    yield ""
    rows = []
    for row in result.rows:
        promised = "by design" if row.same_bits else "seen" if row.results == 1 else "no"
        figures = (f"{row.times_arrival:.2f}", f"{row.results:,}", f"{row.spread:,}")
        rows.append((row.name, *figures, f"{row.error:,.1f}", promised))
    yield table(("strategy", ">time", ">results", ">spread", ">error", "same bits"), rows)
    yield detail("The sum in bins takes several NumPy calls here; a compiled one is faster.")


@layout.register
def _spread(result: OrderSpread) -> Blocks:
    ulps = result.ulps
    yield headline(
        f"{plural(result.n, result.dtype + ' number')} added in "
        f"{plural(len(ulps), 'random order')} gave {plural(result.distinct, 'result')}, from "
        f"{ulps.min():,.1f} to {ulps.max():,.1f} ulps off the exact sum."
    )
    yield ""
    rows = []
    for name, sums in result.marks.items():
        off = result.in_ulps(sums)
        where = f"{off.min():,.1f}" if len(off) == 1 else f"{off.min():,.1f} to {off.max():,.1f}"
        rows.append((ORDER_NAMES.get(name, name), where, f"{len(off):,}"))
    yield table(("order", ">ulps off the exact sum", ">results"), rows)
    bound = result.bound / result.ulp
    yield paragraph(f"Bound: no order can be more than {bound:,.0f} ulps off.")


#: How products are added.
_PRODUCTS = {
    "rounded": "Each product is rounded before it is added.",
    "fused": "Products are added unrounded, as by fused multiply-add, except where a chain starts.",
    "exact": "Each product is added as it is, unrounded.",
}
#: An order that no maker of plans makes.
_UNNAMED = "no known pattern"
#: Where a tree is too large or the screen too narrow.
_NO_ROOM = "The tree is too large for this screen; --plot FILE draws it."


@layout.register
def _revealed(result: Revealed) -> Blocks:
    numbers = plural(result.n, f"{result.dtype} number")
    if result.verdict == "order-independent":
        yield headline(f"{result.name} is order-independent for {numbers}.")
    else:
        verdict = f"The order in which {result.name} adds {numbers} is {result.verdict}"
        yield headline(f"{verdict}.")
    yield paragraph(result.evidence.why)
    if result.plan is not None:
        known = result.verdict != "not reproduced"
        yield ""
        yield from _tree(result.plan, "Order" if known else "Tree that fits the probes")
        if result.accumulator:
            yield paragraph(f"Its partial sums are {result.accumulator}.")
        if result.finish:
            yield paragraph(f"Its sum is {result.finish}.")
        if result.products:
            yield paragraph(_PRODUCTS[result.products])
    yield ""
    yield detail(
        f"{plural(result.probes, 'probe')}, {plural(result.calls, 'call')} in all."
        f"{_repeats(result)} {result.evidence.power}"
    )
    yield from _counterexample(result)


@layout.register
def _plan(plan: Plan) -> Blocks:
    yield from _tree(plan)


def _tree(plan: Plan, lead: str = "Order") -> Blocks:
    """Say what a tree does, and draw it where there is room."""
    yield heading(_words(plan, lead))
    if plan.n > MOST_INPUTS:
        yield detail(_NO_ROOM)
        return
    *rows, last = tree_text(plan)
    yield ""
    yield Fit(Verbatim([*rows, f"{last} sum"], 4), detail(_NO_ROOM))


def _words(plan: Plan, lead: str = "Order") -> str:
    order = in_words(plan) or _UNNAMED
    if plan.n < 3:
        return f"{lead}: {order}."
    return f"{lead}: {order}; at most {plural(plan.depth, 'addition')} in a row."


def _repeats(result: Revealed) -> str:
    """Report how seldom a call may have deviated to be missed."""
    evidence = result.evidence
    if evidence.missed_rate is None:
        return ""
    seldom = f"an error rate of 1 in {1 / evidence.missed_rate:,.0f}"
    return (
        f" {plural(evidence.repeats, 'repeat')} gave the same bits; {seldom} would have been "
        "detected with 95 % probability."
    )


def _counterexample(result: Revealed) -> Blocks:
    evidence = result.evidence
    if evidence.observed is None or evidence.expected is None:
        return
    against = f"{evidence.observed!s} instead of {evidence.expected!s}"
    yield paragraph(f"Counterexample: {against} (--json FILE keeps its input).")


@layout.register
def _same_order(result: SameOrder) -> Blocks:
    one, other = result.first, result.second
    names, numbers = f"{one.name} and {other.name}", plural(result.n, f"{result.dtype} number")
    if result.same is None:
        yield headline(f"Cannot tell whether {names} add {numbers} in the same order.")
    else:
        yield headline(f"{names} add {numbers} in {result.answer}.")
    yield paragraph(result.why)
    if one.plan is None or other.plan is None:
        return
    if result.only_first or result.only_second:
        yield from _side_by_side(one.plan, other.plan, (one.name, other.name))
    for name, plan, alone in (
        (one.name, one.plan, result.only_first),
        (other.name, other.plan, result.only_second),
    ):
        yield paragraph(f"{name}: {in_words(plan) or _UNNAMED}.")
        if alone:
            yield paragraph(f"partial sums that only it forms: {_sets(alone)}", 4)
    if result.example is not None:
        gave = f"{one.name} {result.first_gave!s}, {other.name} {result.second_gave!s}"
        factors = "" if result.example_factors is None else " with factors"
        yield paragraph(f"One input{factors} for which they differ: {gave}.")


def _side_by_side(one: Plan, other: Plan, names: tuple[str, str]) -> Blocks:
    """Put two trees side by side, if there is room."""
    if one.n > MOST_INPUTS:
        return
    rows = list(zip_longest(tree_text(one), tree_text(other), fillvalue=""))
    rows.insert(0, names)
    width = max(len(left) for left, _ in rows) + 4
    yield ""
    yield Fit(
        Verbatim([f"{left:{width}}{right}".rstrip() for left, right in rows], 4),
        detail("The trees are too wide for this screen; --plot FILE draws them."),
    )
    yield ""


def _sets(alone: Sequence[Sequence[int]]) -> str:
    texts = [
        ", ".join(map(str, inputs[:6])) + (", ..." if len(inputs) > 6 else "") for inputs in alone
    ]
    return "; ".join(f"{{{text}}}" for text in texts[:3])


@layout.register
def _gpu_sums(result: GpuSums) -> Blocks:
    label = result.label
    yield headline(f"{label[0].upper()}{label[1:]}: {_changing(result.runs)}.")
    yield detail(f"Numbers: {result.dtype}, {result.distribution}.")
    if result.runs:
        yield ""
        heads = ("operation", ">numbers", ">results", ">max |V_s|", ">max V_c")
        yield table(heads, [_row(run) for run in result.runs])
        yield detail(
            "V_s: 1 - sum / reference. V_c: share of the output that differs from the reference."
        )
    for name in result.operations:
        yield from _gpu_growth(result, name)
    for cost in result.costs:
        yield paragraph(
            f"Deterministic {cost.operation} of {cost.n:,} ({cost.switch}) takes "
            f"{cost.ratio:.2f} times the time (median of {plural(len(cost.ratios), 'pair')}, "
            f"{cost.ratios.min():.2f} to {cost.ratios.max():.2f})."
        )
    yield from skipped(result.skipped)
    if result.validation is not None:
        validation = result.validation
        yield paragraph(f"{validation[0].upper()}{validation[1:].rstrip('.')}.")
    if result.origin == "simulated":
        yield ""
        for limit in LIMITS:
            yield detail(limit)


def _changing(runs: Sequence[GpuRun]) -> str:
    """Say how many sums gave more than one result."""
    if not runs:
        return "nothing was added"
    changing = sum(run.distinct > 1 for run in runs)
    return f"{changing} of {plural(len(runs), 'sum')} gave more than one result"


def _row(run: GpuRun) -> tuple[str, ...]:
    return (
        f"{run.operation}{', same bits' if run.deterministic else ''}",
        f"{run.n:,}",
        f"{run.distinct:,} of {run.tries:,}",
        "-" if run.largest_v_s is None else f"{run.largest_v_s:.1e}",
        "-" if run.outputs == 1 else f"{100 * float(run.v_c.max()):.1f} %",
    )


def _gpu_growth(result: GpuSums, name: str) -> Blocks:
    runs = [run for run in result.runs if (run.operation, run.deterministic) == (name, False)]
    if len(runs) < FEWEST:  # a line through a few points is no law
        return
    fit = result.growth(name)
    if fit is not None:
        yield paragraph(f"{name}: the largest |V_s| grows as n to the power {fit[0]:.2f}.")


@layout.register
def _gpu_tree(result: GpuTree) -> Blocks:
    found = result.revealed
    yield heading(
        f"{result.origin.capitalize()}: the order of a {result.precision} product of "
        f"{plural(found.n, 'term')} is {found.verdict}."
    )
    if found.plan is not None:
        yield paragraph(_words(found.plan))


@layout.register
def _recording(result: GpuRecording) -> Blocks:
    yield from layout(result.sums)
    for tree in result.trees:
        yield ""
        yield from layout(tree)
    yield from skipped(result.skipped)
