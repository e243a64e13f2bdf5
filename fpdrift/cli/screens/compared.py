"""Records compared with the first one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.cli.screens.blocks import Blocks, detail, headline, terms
from fpdrift.cli.screens.runs import left_out
from fpdrift.cli.screens.screen import layout
from fpdrift.cli.screens.settings import change, differing, plain, unrecorded
from fpdrift.comparison._metadata import UNKNOWN
from fpdrift.experiments import ComparedPair, ComparedRecords
from fpdrift.text import percent, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from fpdrift.comparison import Churn, Comparison, Growth
    from fpdrift.step_debug import Gates, StepExplained

#: Tensors, jumps and phases that are written out.
_MOST_TENSORS, _MOST_JUMPS, _MOST_PHASES = 3, 4, 4
#: Ranges of steps that are written out.
_MOST_SPANS = 2
#: Characters that are written of a record's name.
_LONGEST = 45
#: Where another cause than rounding is known.
_NO_LAW = (
    "not analysed: a law describes how rounding grows, and the runs differ in more than rounding"
)
#: Steps whose distance is shown, besides the first above zero and the last.
_SHOWN = (1, 10)


@layout.register
def _records(result: ComparedRecords) -> Blocks:
    for pair in result.pairs:
        yield headline(_answer(pair, result.baseline))
        yield from layout(pair)
        yield ""
    if any(pair.comparison.first_difference for pair in result.pairs):
        yield detail(_explained(result))
    yield from left_out(result.left_out)


def _answer(result: ComparedPair, baseline: str) -> str:
    """Say whether, and where, a run diverges from the baseline."""
    other, base = f"{_plain(result.label)} (b)", f"{_plain(baseline)} (a)"
    first = result.comparison.first_difference
    if first is None:
        steps = plural(len(result.comparison.recorded_steps), "step")
        return f"No drift seen: {other} has the same bits as {base} at all {steps} compared."
    return f"{other} diverges from {base} {first.when.removesuffix(',')}."


def _explained(result: ComparedRecords) -> str:
    text = "Distance: ||a - b|| / ||a|| over the weights"
    if any(pair.growth.without_zero_gradient for pair in result.pairs):
        text += "; growth leaves out weights whose true gradient is zero"
    return f"{text}. Churn: share of predictions whose class changed."


@layout.register
def _pair(result: ComparedPair) -> Blocks:
    pair = result.comparison
    yield terms([(term, text or "unknown") for term, text in _said(result, pair)])


def _said(result: ComparedPair, pair: Comparison) -> Iterator[tuple[str, str]]:
    """Return what each line is about, and what it says."""
    verdict = pair.verdict
    yield "verdict", str(verdict)
    if verdict.remedy:
        yield "next", verdict.remedy
    for number, text in enumerate(differing(pair.differs)):
        yield "" if number else "settings a | b", text
    yield from _around(result, pair)
    if pair.first_difference is None:
        yield "drift", f"none seen: {_resolution(result)}"
    else:
        yield "first difference", _first(result)
        yield "distance", _distances(pair)
        yield "growth", _course(pair, result.growth) if verdict.may_be_rounding else _NO_LAW
        largest = sorted(result.growth.jumps, key=lambda jump: -jump.factor)[:_MOST_JUMPS]
        for jump in sorted(largest, key=lambda jump: jump.step):
            yield "jump", str(jump)
        if len(result.growth.jumps) > _MOST_JUMPS:
            yield "", f"and {len(result.growth.jumps) - _MOST_JUMPS} smaller jumps"
    yield "horizon", str(result.growth.horizon)
    yield from _answers(pair)
    yield "loss", _loss(pair)
    if result.inside is not None:
        yield "inside", _inside(result.inside)
    if result.diagnosis is not None:
        yield "diagnosis", f"{result.diagnosis.verdict}: {result.diagnosis.reason}"
    if result.gates is not None and result.gates.gate is not None:
        yield "gate", _gate(result.gates)


def _around(result: ComparedPair, pair: Comparison) -> Iterator[tuple[str, str]]:
    """Describe what qualifies a difference: what is not recorded, and how the runs began."""
    unseen = pair.start == "not seen"  # which has a line of its own
    missing = unrecorded(
        {n: v for n, v in pair.differs.items() if not unseen or n != "starting weights"}
    )
    if missing and pair.first_difference is not None:
        yield "not recorded", missing
    yield from _unshared(result, pair)
    for run, phases in zip("ab", pair.phases, strict=True):
        for phase in phases[1:_MOST_PHASES]:
            changes = "; ".join(map(change, phase.changes)) or "training resumed"
            yield "new phase", f"{run}, after step {phase.step}: {changes}"
        if len(phases) > _MOST_PHASES:
            yield "", f"{run}: and {plural(len(phases) - _MOST_PHASES, 'more phase')}"
    start = _start(pair)
    if start:
        yield "start", start
    yield from _left_over(pair)


def _left_over(pair: Comparison) -> Iterator[tuple[str, str]]:
    """Describe which steps only one run has, whether it ended, and its first NaN or infinity."""
    alone = [("a", pair.only_a), ("b", pair.only_b)]
    if any(len(steps) for _, steps in alone):
        spans = [f"{_spans(steps)}, only in {run}" for run, steps in alone if len(steps)]
        yield "not compared", "; ".join(spans)
    for run, whole in zip("ab", pair.differs.get("complete", ()), strict=False):
        if not whole:
            yield "incomplete", f"{run}: the run was interrupted or is still running"
    for run, found in zip("ab", pair.non_finite, strict=True):
        if found is not None:
            yield "inf or NaN", f"{run}, first in {plain(found)}"


def _unshared(result: ComparedPair, pair: Comparison) -> Iterator[tuple[str, str]]:
    """Describe which tensors only one run has, or both in two dtypes, and what a step is."""
    unshared = (("a", pair.only_in_a), ("b", pair.only_in_b))
    if any(names for _, names in unshared):
        shared = f"the {plural(len(result.matrix.tensors), 'tensor')} that both have"
        alone = [f"only in {run}: {_listed(names)}" for run, names in unshared if names]
        yield "compared", "; ".join([shared, *alone])
    if pair.of_two_dtypes:
        yield "two dtypes", _two_dtypes(pair)
    if pair.batches[0] != pair.batches[1]:
        ours, others = (plural(number, "batch") for number in pair.batches)
        yield "steps", f"counted in updates: of {ours} in a, of {others} in b"


def _spans(steps: npt.NDArray[np.int64]) -> str:
    """Write steps as ranges; of many ranges, how many steps there are."""
    parts = np.split(steps, np.flatnonzero(np.diff(steps) > 1) + 1)
    if len(parts) > _MOST_SPANS:
        return f"{plural(len(steps), 'step')} between {steps[0]} and {steps[-1]}"
    spans = [f"{p[0]} to {p[-1]}" if len(p) > 1 else f"{p[0]}" for p in parts]
    return f"{plural(len(steps), 'step').partition(' ')[2]} {' and '.join(spans)}"


def _start(pair: Comparison) -> str:
    """Describe a start that makes a difference hard to interpret."""
    seeds = ""
    if pair.different_weights and pair.differs.get("seed") == (UNKNOWN, UNKNOWN):
        seeds = "; no seed is recorded; call keras.utils.set_random_seed before building the model"
    if pair.start == "not seen":
        return _not_seen(pair) + seeds
    if pair.start == "later":
        late = "ab"[int(np.argmax(pair.start_steps))]
        return f"{late} resumes at step {max(pair.start_steps)}; the same steps are compared"
    first = pair.first_difference
    if pair.start == "equal" or first is None:
        return ""
    if pair.different_weights:
        return f"the runs started from different weights{seeds}"
    return f"the same weights, but different {_listed([t.name for t in first.tensors])}"


def _not_seen(pair: Comparison) -> str:
    """Describe what is known of a start that was not recorded."""
    runs = [run for run, seen in zip("ab", pair.start_seen, strict=True) if not seen]
    text = (
        f"not recorded for {' and '.join(runs)} (a model without an Input creates its weights in "
        "the first step)"
    )
    if pair.different_weights:
        first, second = pair.steps[:2]
        return (
            f"{text}. The runs started from different weights: their distance is "
            f"{pair.distance_at_first:.1e} after step {first}, and training moves each by only "
            f"{max(pair.first_move):.1e} until step {second}"
        )
    if pair.first_difference is None or pair.first_difference.last_equal is not None:
        return text
    return f"{text}; whether the starts were equal is unknown"


def _two_dtypes(pair: Comparison) -> str:
    return (
        f"{plural(len(pair.of_two_dtypes), 'tensor')} whose bits cannot be compared and count as "
        f"different: {_listed(pair.of_two_dtypes)}"
    )


def _answers(pair: Comparison) -> Iterator[tuple[str, str]]:
    """Describe how many predictions changed class, or why that is unknown."""
    answers = pair.answers
    if answers is None:  # a result of an older version
        if pair.churn is not None:
            share = f"{percent(pair.churn, 3)} % of the predictions changed class"
            yield "churn", f"{share} at step {pair.churn_step}"
        return
    if answers.share is None:
        why = _NO_CHURN[answers.reason or "no probe"]
        if np.isfinite(answers.distance):
            why += f" The predictions differ by {answers.distance:.1e}, relative to their norm,"
            why += f" at step {answers.step}."
        if answers.reason != "no probe":
            yield "churn", why
        return
    text = (
        f"{percent(answers.share, 3)} % of the predictions changed class at step {answers.step}: "
        f"{answers.changed:,} of {answers.predictions:,}"
    )
    text += f" ({_interval(answers)})"
    if answers.same_probe is None:
        text += ". Whether both predicted the same samples is not recorded"
    yield "churn", text


def _interval(answers: Churn) -> str:
    """Write the interval of a share; it has no lower end where nothing changed."""
    its = answers.interval
    if not its:
        return f"no interval: {its.reason}"
    ends = f"{percent(its.low)} to {percent(its.high)} %"
    if not answers.changed:
        ends = f"at most {percent(its.high)} %"
    return f"95 % interval {ends}, {its.method}"


#: Why no classes were compared.
_NO_CHURN = {
    "no probe": "",
    "no common step": "unknown: there is no step at which both predicted.",
    "another probe": "unknown: the two runs predicted different samples.",
    "another shape": "unknown: the predictions have different shapes.",
    "regression": "none: a regression has no classes.",
    "unknown loss": "unknown: the loss does not define classes.",
}


def _listed(names: Sequence[str]) -> str:
    """Name the first few of many tensors."""
    more = len(names) - _MOST_TENSORS
    text = ", ".join(map(plain, names[:_MOST_TENSORS]))
    return f"{text} and {more} more" if more > 0 else text


def _plain(value: Any) -> str:
    """Write a name of a stranger's, cut to what a title takes."""
    text = plain(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _resolution(result: ComparedPair) -> str:
    steps = result.comparison.recorded_steps
    return (
        f"the same bits in {plural(len(result.matrix.tensors), 'tensor')} at all "
        f"{plural(len(steps), 'step')} that both recorded ({steps[0]} to {steps[-1]}). "
        "A single differing bit would have been detected."
    )


def _first(result: ComparedPair) -> str:
    pair, matrix = result.comparison, result.matrix
    assert pair.first_difference is not None  # noqa: S101 - asked for only where bits differ
    names = [tensor.name for tensor in pair.first_difference.tensors]
    back = pair.re_merged
    merged = f"; the same bits again at {plural(len(back), 'step')}" if len(back) else ""
    when = pair.first_difference.when.removesuffix(",")
    of = plural(len(matrix.tensors), "tensor")
    return f"{when}, in {len(names)} of {of}: {_listed(names)}{merged}"


def _distances(pair: Comparison) -> str:
    """Write the distance at steps 1 and 10, where it is first above zero, and at the last."""
    if not len(pair.steps):
        return "unknown: no step at which both kept values"
    if not pair.weights:
        return "unknown: the model has no trainable weight"
    rows = {row for row, step in enumerate(pair.steps) if step in _SHOWN}
    rows |= {*np.flatnonzero(pair.distance)[:1].tolist(), len(pair.steps) - 1}
    return ", ".join(
        f"{_number(pair.distance[row])} at step {pair.steps[row]}" for row in sorted(rows)
    )


def _course(pair: Comparison, growth: Growth) -> str:
    """Describe the law between the jumps, and where it begins and ends."""
    if pair.far_from_the_start:
        return (
            f"no law: the distance is {pair.distance_at_first:.1e} already at step "
            f"{pair.recorded_steps[0]}, and a law describes how a small difference grows"
        )
    if not growth.distance.any():
        return "none: the weights are equal at every step whose distance is known"
    if growth.kind == "none":
        return str(replace(growth, horizon=None, churn=None))
    parts = []
    if growth.floor is not None:
        parts.append(f"level at {growth.floor.distance:.1e} up to step {growth.floor.last}")
    law = growth.law
    if growth.kind == "cannot tell":
        law = f"no law named{f': {growth.trend.doubt}' if growth.trend.doubt else ''}"
    parts.append(law if growth.jumps or growth.kind == "cannot tell" else f"{law}, no jump")
    if growth.plateau is not None:
        parts.append(f"level at {growth.plateau.distance:.1e} from step {growth.plateau.first}")
    return "; ".join(parts)


def _number(value: np.float64) -> str:
    return "unknown" if np.isnan(value) else f"{value:.1e}" if value else "0"


def _loss(pair: Comparison) -> str:
    known = np.flatnonzero(np.isfinite(pair.loss).all(axis=0))
    if not len(known):
        return "no step at which both recorded it"
    ours, others = pair.loss[:, known[-1]]
    return f"a {ours:.6g}, b {others:.6g} at step {pair.recorded_steps[known[-1]]}"


def _inside(inside: StepExplained) -> str:
    if inside.first is None:
        text = f"step {inside.step}: no difference in {plural(inside.compared, 'tensor')}"
    else:
        text = (
            f"step {inside.step}, first {inside.first}; "
            f"{len(inside.differences)} of {inside.compared} tensors differ"
        )
    if inside.exact:
        return f"{text}. The reruns reproduced the recorded bits."
    runs = [str(run) for run in (inside.run_a, inside.run_b) if run and not run.exact]
    return f"{text}. Warning: {'; '.join(runs)}."


def _gate(gates: Gates) -> str:
    """Name the ReLU behind the largest jump, its inputs, and its share of the distance."""
    gate = gates.gate
    assert gate is not None and gates.share is not None  # noqa: S101, PT018 - asked for only then
    text = (
        f"step {gates.step}, {gate}: open only in {gate.open_in}. "
        f"After it, this unit's weights account for {gates.share:.1%} of their layer's squared "
        "distance"
    )
    runs = [str(run) for run in (gates.run_a, gates.run_b) if run and not run.exact]
    return f"{text}. Warning: {'; '.join(runs)}." if runs else f"{text}."
