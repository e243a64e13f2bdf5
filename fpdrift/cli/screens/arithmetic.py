"""One float, the steps of the demo, and what the whole demo found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift.arithmetic import Chain, Orders
from fpdrift.cli.screens.blocks import (
    Blocks,
    Fit,
    Verbatim,
    detail,
    heading,
    headline,
    paragraph,
    table,
    terms,
)
from fpdrift.cli.screens.screen import layout
from fpdrift.cli.text_figures import CHART_WIDTHS, chart
from fpdrift.comparison import Comparison
from fpdrift.experiments import CnnDrift, ThreadsAndTree, TwoLoops
from fpdrift.floats import Anatomy, facts, ulp_distance
from fpdrift.perturbation import NudgeAccount
from fpdrift.reduction import ThreadSums
from fpdrift.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from fpdrift.serialization import Result

#: Characters of an exact value that a headline takes.
_LONGEST = 60


@layout.register
def _float(result: Anatomy) -> Blocks:
    parts = {
        "sign": result.sign_bits,
        "exponent": result.exponent_bits,
        "fraction": result.significand_bits,
    }
    if result.ulp is None:
        yield headline(f"{result.value!s} in {result.dtype} is not finite.")
    elif len(result.decimal) <= _LONGEST:
        yield headline(f"{result.value!s} in {result.dtype} is exactly {result.decimal}.")
    else:
        yield headline(f"{result.value!s} in {result.dtype} is {result.kind}.")
    yield ""
    yield table(list(parts), [list(parts.values())])
    yield ""
    yield terms(list(facts(result).items()), 2)


@layout.register
def _orders(result: Orders) -> Blocks:
    best = result.correctly_rounded
    values = [group[0].value for group in result.groups]
    number = plural(len(result.orders), "order")
    if len(values) == 1:
        yield headline(f"No drift seen: {number} of one expression gave the same bits.")
    else:
        apart = plural(ulp_distance(min(values), max(values)), "ulp")
        yield headline(
            f"{number} of one expression, equal on paper, gave {plural(len(values), 'result')}, "
            f"{apart} apart."
        )
    rows = [
        (f"{group[0].value!s}", "  ".join(order.text for order in group)) for group in result.groups
    ]
    yield ""
    yield table(("result", "orders"), rows)
    yield paragraph(f"The exact result rounds to {best!s}.")
    yield detail("An ulp is the step from one float to the next.")


@layout.register
def _two_loops(result: TwoLoops) -> Blocks:
    lost = [_lost(loop) for loop in (result.quotient, result.pair)]
    steps = f"{result.pair.steps:,} steps"
    if lost[0] == lost[1]:
        yield headline(f"No drift seen between the two loops: after {steps}, 1 - x = {lost[0]}.")
    else:
        yield headline(f"Two loops, equal on paper, end at different values after {steps}.")
    rows = [
        ("x *= A / B", lost[0], f"{result.quotient.stretches:,}"),
        ("x *= A; x /= B", lost[1], f"{result.pair.stretches:,}"),
    ]
    if result.exact is not None:
        rows.append(("exact arithmetic", repr(float(1 - result.exact)), ""))
    yield ""
    yield table(("loop", "1 - x at the end", ">runs skipped"), rows)
    yield detail(
        "A = 2/9*11, B = 2*11/9. Computed by skipping runs of identical steps; bit-identical to "
        "the plain loop."
    )


def _lost(loop: Chain) -> str:
    return "not finite" if loop.lost is None else repr(float(loop.lost))


@layout.register
def _threads(result: ThreadSums) -> Blocks:
    tries = plural(result.tries, "try")
    most = max(result.runs, key=lambda run: run.distinct)
    if most.distinct > 1:
        yield headline(
            f"Added in order of arrival, the same numbers gave {plural(most.distinct, 'result')} "
            f"in {tries} with {plural(most.threads, 'thread')}."
        )
    else:
        yield headline(f"No drift seen: every number of threads gave 1 result in {tries}.")
    yield detail(
        f"{plural(result.n, 'number')} in {plural(result.chunks, 'chunk')}; each chunk is added "
        "when its thread is done."
    )
    rows = [
        (f"{run.threads}", f"{run.distinct:,}", f"{run.spread:,}", f"{run.orders:,}")
        for run in result.runs
    ]
    yield ""
    yield table((">threads", ">results", ">spread, ulps", ">orders of arrival"), rows)
    fixed = {run.fixed[0] for run in result.runs}
    same = len(fixed) == 1 and all(run.distinct_fixed == 1 for run in result.runs)
    seen = "1 result, whatever the number of threads" if same else "still more than one result"
    yield paragraph(f"The same chunks added in a fixed order: {seen}.")


@layout.register
def _threads_and_tree(result: ThreadsAndTree) -> Blocks:
    yield from _threads(result.sums)
    tree = result.tree
    order = "in no order that fits a tree" if tree.plan is None else f"as {tree.plan}"
    yield paragraph(f"NumPy adds {plural(tree.n, 'number')} {order}: {tree.verdict}.")


@layout.register
def _nudge(result: NudgeAccount) -> Blocks:
    noise = result.perturbation
    yield headline(
        f"{result.meant:,} of {plural(result.count, 'weight')} selected; {result.changed:,} "
        f"changed; for {result.absorbed:,} the change was rounded away."
    )
    if noise.kind == "noise":
        yield paragraph(f"Noise of at most {noise.size:g} on {noise.fraction:.0%} of the weights.")
    else:
        yield paragraph(f"Nudge: {noise.label}.")
    are = "is" if result.small == 1 else "are"
    zeros = f"{result.zeros:,} of them {'is' if result.zeros == 1 else 'are'} zero"
    yield detail(
        f"{plural(result.small, 'weight')} {are} no larger in magnitude than the nudge; {zeros}."
    )


@layout.register
def _cnn(result: CnnDrift) -> Blocks:
    yield headline(_cnn_answer(result))
    yield detail(
        f"{plural(result.steps, 'step')} with the same network, data ({result.data}) and seed; "
        f"each run is compared with the run with {result.baseline}."
    )
    rows = []
    drawn: tuple[str, Comparison] | None = None
    for label, pair in zip(result.pairs.labels, result.pairs.comparisons, strict=True):
        rows.append((label, _where(pair), _end(pair), _churn(pair)))
        if drawn is None and pair.first_difference is not None:
            drawn = label, pair
    yield ""
    yield table(("run", "first difference", ">distance", ">churn"), rows)
    yield detail(
        "Distance: relative distance of the weights after the last step. Churn: share of "
        "predictions whose class changed."
    )
    if drawn is not None:
        label, pair = drawn
        title = f"Distance of the weights: {label} against {result.baseline}"
        steps, distances = pair.steps.tolist(), pair.distance.tolist()
        charts = [chart(steps, distances, title, width) for width in CHART_WIDTHS]
        yield ""
        yield heading(title)
        yield Fit(*(Verbatim(lines[1:], 0) for lines in charts))


def _where(pair: Comparison) -> str:
    first = pair.first_difference
    if first is None:
        return "never"
    more = len(first.tensors) - 1
    tensors = f"{first.tensors[0].name}{f' and {more} more' if more else ''}"
    return f"{f'step {first.step}' if first.step else 'at start'}, {tensors}"


def _end(pair: Comparison) -> str:
    last = float(pair.distance[-1]) if len(pair.distance) else np.nan
    return f"{last:.1e}" if last else "0"


def _churn(pair: Comparison) -> str:
    return "-" if pair.churn is None else f"{100 * pair.churn:.1f} %"


def verdict(results: Mapping[str, Result]) -> str:
    """Describe what the whole demo found, and no more than it measured."""
    told = [
        _VERDICTS[type(result)](result) for result in results.values() if type(result) in _VERDICTS
    ]
    if told:
        return "\n".join(f"Verdict, {text}" for text in told)
    if results:
        return "Verdict: rounding, the same each time. Threads and training were not tried."
    return "Verdict: none; nothing was measured."


def _cnn_answer(result: CnnDrift) -> str:
    if result.verdict == "nondeterministic":
        return "The training is nondeterministic: the same program, run again, gave different bits."
    if result.verdict == "thread-dependent":
        return (
            "Repeated with 1 thread, the training gave the same bits; with more threads it gave "
            "different bits."
        )
    return (
        f"No drift seen: no hash of {plural(result.tensors, 'tensor')} differed at any of "
        f"{plural(result.steps, 'step')}."
    )


def _cnn_verdict(result: CnnDrift) -> str:
    if result.verdict == "nondeterministic":
        return "training: nondeterministic. The same program, run again, gave different bits."
    if result.verdict == "thread-dependent":
        return (
            "training: a rerun with 1 thread gave the same bits; more threads gave\n"
            "different bits. The training is order-dependent if runs with more threads\n"
            "repeat too; that was not tested."
        )
    return (
        f"training: no drift seen. No hash of {plural(result.tensors, 'tensor')} differed at any\n"
        f"of {plural(result.steps, 'step')}."
    )


def _thread_verdict(result: ThreadSums) -> str:
    most = max(result.runs, key=lambda run: run.distinct)
    if most.distinct > 1:
        return (
            f"sums in order of arrival: nondeterministic, {plural(most.distinct, 'result')} in "
            f"{plural(result.tries, 'try')}."
        )
    seen = plural(max(run.orders for run in result.runs), "order")
    return (
        f"sums in order of arrival: no drift seen in {seen} of arrival.\n"
        "A difference of 1 ulp would have been detected."
    )


_VERDICTS: dict[type[Result], Callable[[Any], str]] = {
    ThreadsAndTree: lambda result: _thread_verdict(result.sums),
    CnnDrift: _cnn_verdict,
}
