"""Records against the first one in 80 columns."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.cli.screens.many import left_out
from fpdrift.cli.screens.screen import WIDTH, count, screen, wrapped
from fpdrift.drift.circumstances import UNKNOWN
from fpdrift.experiments import ComparedPair, ComparedRecords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fpdrift.drift import Comparison, Growth
    from fpdrift.training import Gates, StepExplained

#: Columns of what a line is about.
_HEAD = 17
#: Differences in the condition, tensors and jumps that are written out.
_MOST_FACTS, _MOST_TENSORS, _MOST_JUMPS = 6, 3, 4
#: Characters that are written of a value.
_LONGEST = 45
#: Steps whose distance is told, besides the last.
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
    """Give what each line is about, and what it says."""
    for number, text in enumerate(_facts(pair.differs)):
        yield "" if number else "not the same", text
    if pair.first_difference is None:
        yield "drift", f"none seen: {_resolution(result)}"
    else:
        yield "first difference", _first(result)
        yield "distance", _distances(pair)
        yield "growth", _course(result.growth)
        largest = sorted(result.growth.jumps, key=lambda jump: -jump.factor)[:_MOST_JUMPS]
        for jump in sorted(largest, key=lambda jump: jump.step):
            yield "jump", str(jump)
        if len(result.growth.jumps) > _MOST_JUMPS:
            yield "", f"and {len(result.growth.jumps) - _MOST_JUMPS} smaller jumps"
    alone = len(pair.only_a) + len(pair.only_b)
    if alone:
        yield "not compared", f"{count(alone, 'step')} that one of the two did not record"
    yield "horizon", str(result.growth.horizon)
    if pair.churn is not None:
        share = f"{100 * pair.churn:.3g} % of the answers have another class"
        yield "churn", f"{share} at step {pair.churn_step}"
    yield "loss", _loss(pair)
    if result.inside is not None:
        yield "inside", _inside(result.inside)
    if result.judged is not None:
        yield "rounding?", f"{result.judged.verdict}: {result.judged.reason}"
    if result.gates is not None and result.gates.gate is not None:
        yield "gate", _gate(result.gates)


def _facts(differs: dict[str, tuple[Any, Any]]) -> Iterator[str]:
    """Tell what else differs between the runs, and what no record says."""
    known = {name: both for name, both in differs.items() if both != (UNKNOWN, UNKNOWN)}
    for name, (ours, others) in list(known.items())[:_MOST_FACTS]:
        yield f"{_plain(name)}: a {_plain(ours)}, b {_plain(others)}"
    if len(known) > _MOST_FACTS:
        yield f"and {len(known) - _MOST_FACTS} more; --json has all"
    if not known:
        yield "nothing that the records tell"
    missing = [name for name in differs if name not in known]
    if missing:
        yield f"neither tells: {', '.join(missing)}"


def _plain(value: Any) -> str:
    """Write a value of a stranger's record, who may have put anything into a text."""
    text = "default" if value is None else str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _resolution(result: ComparedPair) -> str:
    steps = result.comparison.recorded_steps
    return (
        f"the same bits in all {len(result.matrix.tensors)} tensors at all "
        f"{count(len(steps), 'step')} that both recorded ({steps[0]} to {steps[-1]}). "
        "One other bit in any of them would have shown."
    )


def _first(result: ComparedPair) -> str:
    pair, matrix = result.comparison, result.matrix
    assert pair.first_difference is not None  # noqa: S101 - asked for only where bits differ
    step = pair.first_difference.step
    names = [tensor.name for tensor in pair.first_difference.tensors]
    more = len(names) - _MOST_TENSORS
    text = ", ".join(names[:_MOST_TENSORS]) + (
        f" and {count(more, 'more')[:-1]}" if more > 0 else ""
    )
    when = f"at step {step}" if step else "before step 1"
    back = pair.re_merged
    merged = f"; the same bits again at {count(len(back), 'step')}" if len(back) else ""
    return f"{when}, in {len(names)} of {len(matrix.tensors)} tensors: {text}{merged}"


def _distances(pair: Comparison) -> str:
    """Tell the distance at the first, the tenth and the last step, where it was kept."""
    if not len(pair.steps):
        return "not known: the two kept no values at the same step"
    rows = [row for row, step in enumerate(pair.steps[:-1]) if step in _TOLD]
    told = [
        f"{_number(pair.distance[row])} at step {pair.steps[row]}"
        for row in (*rows, len(pair.steps) - 1)
    ]
    return ", ".join(told)


def _course(growth: Growth) -> str:
    """Tell the law between the jumps, and where it begins and ends."""
    if not growth.distance.any():
        return "none: the weights are equal at each step with a known distance"
    if growth.kind == "none":
        return str(replace(growth, horizon=None, churn=None))
    parts = []
    if growth.floor is not None:
        parts.append(f"level at {growth.floor.distance:.1e} up to step {growth.floor.last}")
    law = f"law: {growth.law}" if growth.kind == "cannot tell" else growth.law
    parts.append(law if growth.jumps else f"{law}, no jump")
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
