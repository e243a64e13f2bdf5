"""Records against the first one in 80 columns."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.cli.screens.runs import left_out
from fpdrift.cli.screens.screen import WIDTH, count, screen, wrapped
from fpdrift.cli.screens.settings import change, differing, plain, unrecorded
from fpdrift.comparison._metadata import UNKNOWN
from fpdrift.experiments import ComparedPair, ComparedRecords

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from fpdrift.comparison import Churn, Comparison, Growth
    from fpdrift.step_debug import Gates, StepExplained

#: Columns of what a line is about.
_HEAD = 17
#: Tensors, jumps and phases that are written out.
_MOST_TENSORS, _MOST_JUMPS, _MOST_PHASES = 3, 4, 4
#: Ranges of steps that are written out.
_MOST_SPANS = 2
#: Characters that are written of a record's name.
_LONGEST = 45
#: Steps whose distance is told, besides the first above zero and the last.
_TOLD = (1, 10)


@screen.register
def _records(result: ComparedRecords) -> list[str]:
    lines: list[str] = []
    for pair in result.pairs:
        title = f"{_plain(pair.label)} (b) against {_plain(result.baseline)} (a)"
        lines += ["", *wrapped(title), *screen(pair)]
    lines = lines[1:]
    if any(pair.comparison.first_difference for pair in result.pairs):
        lines += ["", *wrapped(_explained(result))]
    return [*lines, *([""] if result.left_out else []), *left_out(result.left_out)]


def _explained(result: ComparedRecords) -> str:
    text = "Distance: ||a - b|| / ||a|| of the weights"
    if any(pair.growth.without_zero_gradient for pair in result.pairs):
        text += "; growth leaves out those whose true gradient is zero"
    return f"{text}."


@screen.register
def _pair(result: ComparedPair) -> list[str]:
    pair = result.comparison
    return [line for head, text in _told(result, pair) for line in _row(head, text or "not known")]


def _told(result: ComparedPair, pair: Comparison) -> Iterator[tuple[str, str]]:
    """Return what each line is about, and what it says."""
    for number, text in enumerate(differing(pair.differs)):
        yield "" if number else "settings a | b", text
    yield from _around(result, pair)
    if pair.first_difference is None:
        yield "drift", f"none seen: {_resolution(result)}"
    else:
        yield "first difference", _first(result)
        yield "distance", _distances(pair)
        yield "growth", _course(pair, result.growth)
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
        yield "rounding?", f"{result.diagnosis.verdict}: {result.diagnosis.reason}"
    if result.gates is not None and result.gates.gate is not None:
        yield "gate", _gate(result.gates)


def _around(result: ComparedPair, pair: Comparison) -> Iterator[tuple[str, str]]:
    """Tell what a difference must not be read without: what is not known, and how runs began."""
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
            yield "", f"{run}: and {count(len(phases) - _MOST_PHASES, 'more phase')}"
    start = _start(pair)
    if start:
        yield "start", start
    yield from _left_over(pair)


def _left_over(pair: Comparison) -> Iterator[tuple[str, str]]:
    """Describe which steps one run alone has, whether it ended, and where its numbers stop."""
    alone = [("a", pair.only_a), ("b", pair.only_b)]
    if any(len(steps) for _, steps in alone):
        told = [f"{_spans(steps)}, only in {run}" for run, steps in alone if len(steps)]
        yield "not compared", "; ".join(told)
    for run, whole in zip("ab", pair.differs.get("complete", ()), strict=False):
        if not whole:
            yield "incomplete", f"{run}: the run was interrupted or is still running"
    for run, found in zip("ab", pair.non_finite, strict=True):
        if found is not None:
            yield "inf or NaN", f"{run}, first in {plain(found)}"


def _unshared(result: ComparedPair, pair: Comparison) -> Iterator[tuple[str, str]]:
    """Describe which tensors one run alone has, or both in two dtypes, and what a step is."""
    unshared = (("a", pair.only_in_a), ("b", pair.only_in_b))
    if any(names for _, names in unshared):
        shared = f"the {count(len(result.matrix.tensors), 'tensor')} that both have"
        told = [f"in {run} alone: {_listed(names)}" for run, names in unshared if names]
        yield "compared", "; ".join([shared, *told])
    if pair.of_two_dtypes:
        yield "two dtypes", _two_dtypes(pair)
    if pair.batches[0] != pair.batches[1]:
        ours, others = (count(number, "batch") for number in pair.batches)
        yield "steps", f"counted in updates; a makes one from {ours}, b from {others}"


def _spans(steps: npt.NDArray[np.int64]) -> str:
    """Write steps as ranges; of many ranges, how many steps there are."""
    parts = np.split(steps, np.flatnonzero(np.diff(steps) > 1) + 1)
    if len(parts) > _MOST_SPANS:
        return f"{count(len(steps), 'step')} between {steps[0]} and {steps[-1]}"
    spans = [f"{p[0]} to {p[-1]}" if len(p) > 1 else f"{p[0]}" for p in parts]
    return f"step{'s' if len(steps) > 1 else ''} {' and '.join(spans)}"


def _start(pair: Comparison) -> str:
    """Report of the start what is not as it should be."""
    seeds = ""
    if pair.different_weights and pair.differs.get("seed") == (UNKNOWN, UNKNOWN):
        seeds = "; no seed is recorded: call keras.utils.set_random_seed before making the model"
    if pair.start == "not seen":
        return _not_seen(pair) + seeds
    if pair.start == "later":
        late = "ab"[int(np.argmax(pair.start_steps))]
        return f"{late} resumes at step {max(pair.start_steps)}; steps are lined up"
    first = pair.first_difference
    if pair.start == "equal" or first is None:
        return ""
    if pair.different_weights:
        return f"the runs started from different weights{seeds}"
    return f"the same weights, but not the same {_listed([t.name for t in first.tensors])}"


def _not_seen(pair: Comparison) -> str:
    """Describe what follows where the first recorded state is one that training has reached."""
    runs = [run for run, seen in zip("ab", pair.start_seen, strict=True) if not seen]
    text = (
        f"not recorded for {' and '.join(runs)} (a model without an Input makes its weights in the "
        "first step)"
    )
    if pair.different_weights:
        first, second = pair.steps[:2]
        return (
            f"{text}. The runs started from different weights: they are "
            f"{pair.distance_at_first:.1e} apart after step {first}, and training moves them by "
            f"{max(pair.first_move):.1e} to step {second}"
        )
    if pair.first_difference is None or pair.first_difference.last_equal is not None:
        return text
    return f"{text}; cannot tell whether the starts were equal"


def _two_dtypes(pair: Comparison) -> str:
    return (
        f"{count(len(pair.of_two_dtypes), 'tensor')} whose bits cannot be compared, which count as "
        f"differing: {_listed(pair.of_two_dtypes)}"
    )


def _answers(pair: Comparison) -> Iterator[tuple[str, str]]:
    """Describe how many predictions changed class, or why that cannot be counted."""
    answers = pair.answers
    if answers is None:  # a result of an older version
        if pair.churn is not None:
            share = f"{100 * pair.churn:.3g} % of the predictions changed class"
            yield "churn", f"{share} at step {pair.churn_step}"
        return
    if answers.share is None:
        why = _NO_CHURN[answers.reason or "no probe"]
        if np.isfinite(answers.distance):
            why += f" The predictions differ by {answers.distance:.1e} of their norm"
            why += f" at step {answers.step}."
        if answers.reason != "no probe":
            yield "churn", why
        return
    text = (
        f"{100 * answers.share:.3g} % of the predictions changed class at step {answers.step}: "
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
    ends = f"{100 * its.low:.2g} to {100 * its.high:.2g} %"
    if not answers.changed:
        ends = f"at most {100 * its.high:.2g} %"
    return f"95 % interval {ends}, {its.method}"


#: Why no classes were compared.
_NO_CHURN = {
    "no probe": "",
    "no common step": "cannot tell: no step at which both predicted.",
    "another probe": "cannot tell: the two runs predicted different samples.",
    "another shape": "cannot tell: the two runs' predictions have different shapes.",
    "regression": "none: a regression has no classes.",
    "unknown loss": "cannot tell: the loss does not say what the classes are.",
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
        f"the same bits in all {len(result.matrix.tensors)} tensors at all "
        f"{count(len(steps), 'step')} that both recorded ({steps[0]} to {steps[-1]}). "
        "A single differing bit would have been detected."
    )


def _first(result: ComparedPair) -> str:
    pair, matrix = result.comparison, result.matrix
    assert pair.first_difference is not None  # noqa: S101 - asked for only where bits differ
    names = [tensor.name for tensor in pair.first_difference.tensors]
    back = pair.re_merged
    merged = f"; the same bits again at {count(len(back), 'step')}" if len(back) else ""
    when = pair.first_difference.when.removesuffix(",")
    return f"{when}, in {len(names)} of {len(matrix.tensors)} tensors: {_listed(names)}{merged}"


def _distances(pair: Comparison) -> str:
    """Tell the distance at steps 1 and 10, where it is first above zero, and at the last."""
    if not len(pair.steps):
        return "not known: the two kept no values at the same step"
    if not pair.weights:
        return "not known: the model has no trainable weight"
    rows = {row for row, step in enumerate(pair.steps) if step in _TOLD}
    rows |= {*np.flatnonzero(pair.distance)[:1].tolist(), len(pair.steps) - 1}
    told = [f"{_number(pair.distance[row])} at step {pair.steps[row]}" for row in sorted(rows)]
    return ", ".join(told)


def _course(pair: Comparison, growth: Growth) -> str:
    """Tell the law between the jumps, and where it begins and ends."""
    if pair.far_from_the_start:
        return (
            f"no law: the weights are {pair.distance_at_first:.1e} apart at step "
            f"{pair.recorded_steps[0]} already, and a law describes how a small difference grows"
        )
    if not growth.distance.any():
        return "none: the weights are equal at each step with a known distance"
    if growth.kind == "none":
        return str(replace(growth, horizon=None, churn=None))
    parts = []
    if growth.floor is not None:
        parts.append(f"level at {growth.floor.distance:.1e} up to step {growth.floor.last}")
    law = growth.law
    if growth.kind == "cannot tell":
        law = f"cannot tell which law{f': {growth.trend.doubt}' if growth.trend.doubt else ''}"
    parts.append(law if growth.jumps or growth.kind == "cannot tell" else f"{law}, no jump")
    if growth.plateau is not None:
        parts.append(f"level at {growth.plateau.distance:.1e} from step {growth.plateau.first}")
    return "; ".join(parts)


def _number(value: np.float64) -> str:
    return "not known" if np.isnan(value) else f"{value:.1e}" if value else "0"


def _loss(pair: Comparison) -> str:
    known = np.flatnonzero(np.isfinite(pair.loss).all(axis=0))
    if not len(known):
        return "none that both recorded"
    ours, others = pair.loss[:, known[-1]]
    return f"a {ours:.6g}, b {others:.6g} at step {pair.recorded_steps[known[-1]]}"


def _inside(inside: StepExplained) -> str:
    if inside.first is None:
        text = f"step {inside.step}: no difference in {inside.compared} tensors"
    else:
        text = (
            f"step {inside.step}, first {inside.first}; "
            f"{len(inside.differences)} of {inside.compared} tensors differ"
        )
    if inside.exact:
        return f"{text}. Repeated with the runs' own bits."
    runs = [str(run) for run in (inside.run_a, inside.run_b) if run and not run.exact]
    return f"{text}. Beware, {'; '.join(runs)}."


def _gate(gates: Gates) -> str:
    """Name the ReLU behind the largest jump: what went into it, and what came of it."""
    gate = gates.gate
    assert gate is not None and gates.share is not None  # noqa: S101, PT018 - asked for only then
    text = (
        f"step {gates.step}, {gate}: open in {gate.open_in} alone. "
        f"This unit's weights then hold {gates.share:.1%} of their layer's squared distance"
    )
    runs = [str(run) for run in (gates.run_a, gates.run_b) if run and not run.exact]
    return f"{text}. Beware, {'; '.join(runs)}." if runs else f"{text}."


def _row(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"    {head:{_HEAD}}",
        subsequent_indent=" " * (4 + _HEAD),
    )
