"""One float in 80 columns.

The demo's steps in 80 columns, and its verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift.arithmetic import Chain, Orders
from fpdrift.cli.screens.screen import count, screen, wrapped
from fpdrift.cli.text_figures import chart
from fpdrift.comparison import Comparison
from fpdrift.experiments import CnnDrift, ThreadsAndTree, TwoLoops
from fpdrift.floats import Anatomy, float_lines, ulp_distance
from fpdrift.perturbation import NudgeAccount
from fpdrift.reduction import ThreadSums

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from fpdrift.serialization import Result


@screen.register
def _float(result: Anatomy) -> list[str]:
    letters, bits, *said = float_lines(result)
    lines = [f"  {result.dtype}: s = sign, e = exponent, f = fraction", f"  {letters}", f"  {bits}"]
    for line in said:
        lines += wrapped(line)
    return lines


@screen.register
def _orders(result: Orders) -> list[str]:
    best = result.correctly_rounded
    lines = ["  On paper equal. Here?"]
    for group in result.groups:
        texts = "  ".join(order.text for order in group)
        lines.append(f"    {group[0].value!s:20} {texts}"[:80])
    values = [group[0].value for group in result.groups]
    if len(values) == 1:
        return [*lines, "  All orders give the same bits."]
    apart = ulp_distance(min(values), max(values))
    return [
        *lines,
        f"  {count(apart, 'ulp')} (step from float to float) apart; exact rounds to {best!s}.",
    ]


@screen.register
def _two_loops(result: TwoLoops) -> list[str]:
    lines = [f"  Multiply 1 by A / B, {result.pair.steps:,} times; A = 2/9*11, B = 2*11/9."]
    for text, loop in (("x *= A / B", result.quotient), ("x *= A; x /= B", result.pair)):
        lines.append(f"    {text:18} 1 - x = {_lost(loop):<24}{count(loop.stretches, 'stretch')}")
    if result.exact is not None:
        lines.append(f"    {'exact arithmetic':18} 1 - x = {float(1 - result.exact)!r}")
    return [*lines, "  A stretch is jumped over where a plain loop walks, to the same bits."]


def _lost(loop: Chain) -> str:
    return "not finite" if loop.lost is None else repr(float(loop.lost))


@screen.register
def _threads(result: ThreadSums) -> list[str]:
    lines = [
        f"  Sum {result.n:,} numbers {result.tries} times, in {result.chunks} chunks,",
        "  each added when its thread is done.",
    ]
    for run in result.runs:
        found = count(run.distinct, "result")
        if run.distinct > 1:
            found += f", up to {count(run.spread, 'ulp')} apart"
        orders = f"{count(run.orders, 'order')} of arrival"
        lines.append(f"    {count(run.threads, 'thread'):12} {found:34} {orders}")
    fixed = {run.fixed[0] for run in result.runs}
    same = len(fixed) == 1 and all(run.distinct_fixed == 1 for run in result.runs)
    seen = "1 result at every thread count" if same else "still more than one result"
    return [*lines, f"  The same chunks added in a fixed order: {seen}."]


@screen.register
def _threads_and_tree(result: ThreadsAndTree) -> list[str]:
    tree = result.tree
    order = "no tree" if tree.plan is None else str(tree.plan)
    line = f"  NumPy adds {count(tree.n, 'number')} as {order}: {tree.verdict}."
    return [*_threads(result.sums), line]


@screen.register
def _nudge(result: NudgeAccount) -> list[str]:
    noise = result.perturbation
    return [
        f"  Add noise of at most {noise.size:g} to half of the {result.count:,} weights."
        if noise.fraction == 0.5
        else f"  {noise.label}, {result.count:,} weights.",
        f"    {result.meant:,} meant: {result.changed:,} changed, "
        f"{result.absorbed:,} too small to register",
        f"    {result.small:,} weights are no larger than that, {result.zeros:,} of them zeros.",
    ]


@screen.register
def _cnn(result: CnnDrift) -> list[str]:
    lines = [
        f"  Same network, data ({result.data}) and seed; {count(result.steps, 'step')}.",
        f"    against {result.baseline:12} {'first differs':34} distance   churn",
    ]
    drawn: Comparison | None = None
    for label, pair in zip(result.pairs.labels, result.pairs.comparisons, strict=True):
        lines.append(f"    {label:20} {_where(pair):34} {_end(pair):>8} {_churn(pair):>7}")
        if drawn is None and pair.first_difference is not None:
            drawn, title = pair, f"distance of the weights, {label} against {result.baseline}"
    if result.verdict == "no drift seen":
        seen = f"{count(result.tensors, 'tensor')} at any of {count(result.steps, 'step')}"
        lines.append(f"    Never: no hash differed of any of {seen}.")
    if drawn is not None:
        lines.append("    +n: n more tensors at that step. Churn: predictions of the probe that")
        lines.append("    have another class, in one run each.")
        lines += ["", *chart(drawn.steps.tolist(), drawn.distance.tolist(), title)]
    return lines


def _where(pair: Comparison) -> str:
    first = pair.first_difference
    if first is None:
        return "never"
    more = f" +{len(first.tensors) - 1}" if len(first.tensors) > 1 else ""
    when = f"step {first.step}" if first.step else "before step 1"
    return f"{when}, {first.tensors[0].name}{more}"[:34]


def _end(pair: Comparison) -> str:
    last = float(pair.distance[-1]) if len(pair.distance) else np.nan
    return f"{last:.1e}" if last else "0"


def _churn(pair: Comparison) -> str:
    return "-" if pair.churn is None else f"{100 * pair.churn:.1f} %"


def verdict(results: Mapping[str, Result]) -> str:
    """Describe what the whole demo saw, and no more than it measured."""
    told = [
        _VERDICTS[type(result)](result) for result in results.values() if type(result) in _VERDICTS
    ]
    if told:
        return "\n".join(f"Verdict, {text}" for text in told)
    if results:
        return "Verdict: rounding, the same each time. Threads and training were left out."
    return "Verdict: none; nothing was measured."


def _cnn_verdict(result: CnnDrift) -> str:
    if result.verdict == "nondeterministic":
        return "training: nondeterministic. The same program, run again, gave other bits."
    if result.verdict == "thread-dependent":
        return (
            "training: 1 thread gave the same bits again, more threads did not.\n"
            "Order-dependent, if those repeat as well: not tried here."
        )
    return (
        f"training: no drift seen. No hash differed of any of {result.tensors} tensors at\n"
        f"any of {count(result.steps, 'step')}."
    )


def _thread_verdict(result: ThreadSums) -> str:
    most = max(result.runs, key=lambda run: run.distinct)
    if most.distinct > 1:
        return (
            f"sums as they arrive: nondeterministic, {count(most.distinct, 'result')} in "
            f"{count(result.tries, 'try')}."
        )
    seen = count(max(run.orders for run in result.runs), "order")
    return f"sums as they arrive: no drift seen, in {seen} of arrival. 1 ulp would have shown."


_VERDICTS: dict[type[Result], Callable[[Any], str]] = {
    ThreadsAndTree: lambda result: _thread_verdict(result.sums),
    CnnDrift: _cnn_verdict,
}
