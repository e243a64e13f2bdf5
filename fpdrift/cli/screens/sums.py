"""Ways of summing in 80 columns.

What threads and orders do, in 80 columns.

Black boxes, their trees, and two of them compared, in 80 columns.

Classes of equal bits in 80 columns.

A GPU's sums in 80 columns; the first line says where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from fpdrift.cli.screens.screen import WIDTH, count, screen, wrapped
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
from fpdrift.reduction.batch import BatchClasses, BatchRun, ConditionMatrix, ConditionRun, Equality
from fpdrift.reduction.gpu import LIMITS, GpuRecording, GpuRun, GpuSums, GpuTree

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Condition numbers side by side.
_BESIDE = 3


@screen.register
def _sums_sums(result: SumTable) -> list[str]:
    by_condition: dict[float, list[SumRow]] = {}
    for row in result.rows:
        by_condition.setdefault(row.condition, []).append(row)
    conditions = list(by_condition)
    lost = 2.0 ** format_of(result.dtype).precision
    tried = count(result.orders, "order")
    lines = [
        f"  {result.n:,} {result.dtype} numbers, summed by each way in {tried}. In units of u:",
        f"  error: the largest relative one ({_size(lost)}: not one digit is right);",
        "  bound: the most that theory allows. #: how many different results.",
    ]
    for first in range(0, len(conditions), _BESIDE):
        chosen = conditions[first : first + _BESIDE]
        heads = [f"{c:.0e}" for c in chosen]
        lines += ["", *_block("condition number", heads, [by_condition[c] for c in chosen])]
    return [*lines, "", *_notes(result)]


@screen.register
def _sums_growth(result: SumGrowth) -> list[str]:
    first = result.tables[0]
    lines = [
        f"  {first.dtype} numbers of the condition number {first.rows[0].condition:.0e}, summed by",
        f"  each way in {count(first.orders, 'order')}. In units of u:",
        "  error: the largest relative one; bound: the most that theory allows.",
        "  #: how many different results.",
    ]
    for begin in range(0, len(result.tables), _BESIDE):
        chosen = result.tables[begin : begin + _BESIDE]
        heads = [f"{table.n:,}" for table in chosen]
        lines += ["", *_block("numbers", heads, [list(table.rows) for table in chosen])]
    return lines


def _block(what: str, columns_are: list[str], columns: list[list[SumRow]]) -> list[str]:
    heads = f"  {what:16}" + "".join(f"{head:>20}" for head in columns_are)[3:]
    timed = columns[0][0].times_numpy is not None
    names = f"  {' error':>6} {'bound':>7} {'#':>3}" * len(columns)
    lines = [heads, f"  {'':13}{names}{' time' if timed else ''}"]
    for rows in zip(*columns, strict=True):
        cells = "".join(f"  {_size(r.error):>6} {_size(r.bound):>7} {r.results:>3}" for r in rows)
        price = f" {rows[0].times_numpy:>4.0f}" if timed else ""
        lines.append(f"  {rows[0].name:13}{cells}{price}")
    return lines


def _size(units: float) -> str:
    """Write a number of units in few characters."""
    if math.isinf(units):
        return "none"
    return f"{units:.1f}" if units < 999.95 else f"{units:.0e}"


def _notes(result: SumTable) -> list[str]:
    fixed = [row.name for row in result.rows if not row.order_matters]
    lines = [f"  The same bits in any order, by design: {', '.join(dict.fromkeys(fixed))}."]
    if result.rows and result.rows[0].times_numpy is not None:
        lines.append("  time: in numpy.sum's, of these programs (Kahan's is a Python loop).")
    return lines


@screen.register
def _operation(result: ThreadOperation) -> list[str]:
    elements = result.exact.size
    made = f" to {count(elements, 'element')}" if elements > 1 else ""
    lines = wrapped(
        f"{result.operation.capitalize()} of {count(result.n, 'term')}{made}, "
        f"{count(result.tries, 'time')}, in {count(result.chunks, 'chunk')}, "
        "each added when its thread is done."
    )
    for run in result.runs:
        found = count(run.distinct, "result")
        if run.distinct > 1:
            found += f", up to {count(run.spread, 'ulp')} apart"
        changing = f"{run.changing:,} of {elements:,} elements change" if elements > 1 else ""
        lines.append(f"    {count(run.threads, 'thread'):12} {found:34} {changing}".rstrip())
        lines.append(f"    {'':12} {count(run.orders, 'order')} of arrival")
    return lines


@screen.register
def _threads_growth(result: SpreadGrowth) -> list[str]:
    lines = [
        f"  {result.operation.capitalize()} in {result.dtype}: ulps from lowest to highest.",
        f"  threads: {count(result.tries, 'try')} by {result.threads}; drawn: in "
        f"{count(result.drawn, 'random order')};",
        "  estimate: if rounding errors cancel by chance; bound: no order can exceed it.",
        "",
        f"  {'numbers':>13} {'chunks':>7} {'threads':>9} {'drawn':>9} {'estimate':>9} {'bound':>9}",
    ]
    lines += [
        f"  {p.n:>13,} {p.chunks:>7,} {p.threads_spread:>9,.0f} {p.drawn_spread:>9,.0f} "
        f"{p.law:>9,.1f} {p.bound:>9,.0f}"
        for p in result.points
    ]
    return lines


@screen.register
def _strategies(result: Strategies) -> list[str]:
    threads = ", ".join(map(str, result.threads))
    lines = [
        *wrapped(
            f"{result.operation.capitalize()} of {count(result.n, result.dtype + ' term')} in "
            f"{count(result.chunks, 'chunk')}, by {threads} threads."
        ),
        "",
        f"  {'':20} {'time':>6}  {'results':>7} {'spread':>9} {'error':>9}  same bits",
    ]
    for row in result.rows:
        promised = "by design" if row.same_bits else "seen" if row.results == 1 else "no"
        lines.append(
            f"  {row.name:20} {row.times_arrival:>6.2f} {row.results:>8,} {row.spread:>9,} "
            f"{row.error:>9,.1f}  {promised}"
        )
    return [
        *lines,
        "",
        "  time: that of the order of arrival is 1. spread, error: largest, in ulps.",
        "  The sum in bins is several NumPy calls here; a compiled one takes less.",
    ]


@screen.register
def _spread(result: OrderSpread) -> list[str]:
    ulps = result.ulps
    found = count(result.distinct, "result")
    lines = [
        *wrapped(
            f"{count(result.n, result.dtype + ' number')} in {count(len(ulps), 'random order')}: "
            f"{found}, from {ulps.min():,.1f} to {ulps.max():,.1f} ulps off the exact sum."
        ),
        "  The same numbers as they really are added:",
    ]
    for name, sums in result.marks.items():
        off = result.in_ulps(sums)
        where = f"{off.min():,.1f}" if len(off) == 1 else f"{off.min():,.1f} to {off.max():,.1f}"
        several = f"  {count(len(off), 'result')}" if len(off) > 1 else ""
        lines.append(f"    {name:14} {where:>16} ulps{several}")
    bound = result.bound / result.ulp
    return [*lines, *wrapped(f"No order can be further off than {bound:,.0f} ulps.")]


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
            *_trees_tree(result.plan, "Its order" if known else "The tree that fits its probes"),
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
def _trees_tree(plan: Plan, lead: str = "Its order") -> list[str]:
    """Draw a tree where it fits, and say what it does."""
    if plan.n <= MOST_INPUTS:
        *rows, last = (f"{_MARGIN}{row}" for row in tree_text(plan))
        return [*rows, f"{last} sum", "", *words(plan, lead)]
    return [
        *words(plan, lead),
        "  A tree of so many inputs fits on no screen; --plot FILE draws it.",
    ]


def words(plan: Plan, lead: str = "Its order") -> list[str]:
    """Describe what a plan does."""
    deep = f"at most {count(plan.depth, 'addition')} in a row"
    return wrapped(f"{lead}: {in_words(plan) or 'none that has a name'}; {deep}.")


def _repeats(result: Revealed) -> list[str]:
    """Describe what a call that goes astray now and then would have had to do to be missed."""
    evidence = result.evidence
    if evidence.missed_rate is None:
        return []
    seldom = f"1 in {1 / evidence.missed_rate:,.0f} astray would have shown in 95 % of cases"
    return wrapped(f"{evidence.repeats} repeats gave the same bits; {seldom}.")


def _counterexample(result: Revealed) -> list[str]:
    evidence = result.evidence
    if evidence.observed is None or evidence.expected is None:
        return []
    against = f"{evidence.observed!s} against {evidence.expected!s}"
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


@screen.register
def _batches(result: BatchClasses) -> list[str]:
    lines = wrapped(
        f"One row in batches of {', '.join(map(str, result.batches))}. Sizes in one pair of "
        "brackets gave the same bits."
    )
    for run in result.runs:
        lines += screen(run)
    return [*lines, *_skipped(result.skipped)]


@screen.register
def _batch(run: BatchRun) -> list[str]:
    name = f"{run.library} {run.operation}"
    if run.unsteady:
        lines = [f"    {name:24} nondeterministic{_apart(run.equality)}"]
        return lines + wrapped(
            f"repeating the same batch changed the row's bits at {_sizes(run.unsteady)}: neither "
            "batch size, place nor neighbours can be blamed",
            6,
        )
    classes = " ".join(f"({' '.join(map(str, sizes))})" for sizes in run.sizes)
    lines = [f"    {name:24} {classes}{_apart(run.equality)}"]
    if run.neighbours_matter:
        lines += wrapped(
            f"the values of the other rows enter this row's result at "
            f"{_sizes(run.neighbours_matter)}: the operation works on the whole batch, so its size "
            "or the row's place cannot be blamed, and the difference is not rounding alone",
            6,
        )
    if run.place_matters:
        lines += wrapped(f"the row's place in the batch matters at {_sizes(run.place_matters)}", 6)
    return lines


def _sizes(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes))


@screen.register
def _matrix(result: ConditionMatrix) -> list[str]:
    lines = wrapped(
        f"One row in batches of {', '.join(map(str, result.batches))} under several conditions. "
        "What stands behind one = gave the same bits."
    )
    for run in result.runs:
        lines += screen(run)
    return [*lines, *_skipped(result.skipped)]


@screen.register
def _conditions(run: ConditionRun) -> list[str]:
    groups = run.equality.groups
    seen = "all the same bits" if len(groups) == 1 else count(len(groups), "result")
    lines = [f"  {run.library} {run.operation}: {seen}{_apart(run.equality)}"]
    for group in groups:
        lines += wrapped(", ".join(group), 4, mark="= ")
    if any(within.unsteady for within in run.within):
        lines += wrapped(
            "Repeating the same batch changed the bits: no condition can be blamed.", 4
        )
    return lines


def _apart(equality: Equality) -> str:
    most = equality.most_ulps
    return f"  up to {count(most, 'ulp')} apart" if most else ""


def _skipped(skipped: Mapping[str, str]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for name, why in skipped.items():
        by_reason.setdefault(why, []).append(name)
    lines = []
    for why, names in by_reason.items():
        lines += wrapped(f"Left out, {', '.join(names)}: {why}")
    return lines


@screen.register
def _gpu_sums(result: GpuSums) -> list[str]:
    lines = wrapped(f"{result.label}; {result.dtype}, {result.distribution} numbers.")
    if result.runs:
        lines += ["", f"  {'':26} {'numbers':>12} {'results':>12} {'max |V_s|':>10} {'max V_c':>8}"]
        lines += [_row(run) for run in result.runs]
        lines += ["", "  V_s: 1 - sum / reference. V_c: share of the output that differs from it."]
    for name in result.operations:
        lines += _gpu_growth(result, name)
    for cost in result.costs:
        lines += wrapped(
            f"The same bits each time for {cost.operation} of {cost.n:,} ({cost.switch}): "
            f"{cost.ratio:.2f} times the time (median of {count(len(cost.ratios), 'pair')}, "
            f"{cost.ratios.min():.2f} to {cost.ratios.max():.2f})."
        )
    for name, why in result.skipped.items():
        lines += wrapped(f"Left out, {name}: {why}")
    if result.validation is not None:
        lines += wrapped(result.validation)
    if result.origin == "simulated":
        lines += ["", *(line for limit in LIMITS for line in wrapped(limit))]
    return lines


def _row(run: GpuRun) -> str:
    name = f"{run.operation}{', same bits' if run.deterministic else ''}"
    results = f"{run.distinct:,} of {run.tries:,}"
    v_s = "-" if run.largest_v_s is None else f"{run.largest_v_s:.1e}"
    v_c = "-" if run.outputs == 1 else f"{100 * float(run.v_c.max()):.1f} %"
    return f"  {name:26} {run.n:>12,} {results:>12} {v_s:>10} {v_c:>8}"


def _gpu_growth(result: GpuSums, name: str) -> list[str]:
    runs = [run for run in result.runs if (run.operation, run.deterministic) == (name, False)]
    if len(runs) < FEWEST:  # a line through a few points is no law
        return []
    fit = result.growth(name)
    return (
        []
        if fit is None
        else [f"  {name}: the largest |V_s| grows as n to the power {fit[0]:.2f}."]
    )


@screen.register
def _gpu_tree(result: GpuTree) -> list[str]:
    found = result.revealed
    lines = wrapped(
        f"{result.origin}: {result.precision}, {count(found.n, 'term')}: {found.verdict}."
    )
    return lines if found.plan is None else [*lines, *words(found.plan)]


@screen.register
def _recording(result: GpuRecording) -> list[str]:
    lines: list[str] = screen(result.sums)
    for tree in result.trees:
        lines += screen(tree)
    for name, why in result.skipped.items():
        lines += wrapped(f"Left out, {name}: {why}")
    return lines
