"""Lesson 08: what its cells say and how its exercises are checked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fpdrift.experiments import FiveRuns, GradientRuns
from fpdrift.experiments._demo import judge
from fpdrift.experiments._five_runs import largest
from fpdrift.experiments._metric import knife_edge
from fpdrift.lessons.grading import (
    UNANSWERED,
    Feedback,
    Question,
    Quiz,
    compared,
    exercise,
    hint,
    number,
    right,
    whole,
)
from fpdrift.lessons.runtime import train_three
from fpdrift.recorded import load_recorded

if TYPE_CHECKING:
    from fpdrift.comparison import Comparison

__all__ = ["check_prediction", "check_quiz", "knife_edge", "tell", "train_three"]

_CLOSE = 1e-6


def check_prediction(answer: Any, pair: Comparison) -> Feedback:
    """Compare the prediction with what two thread counts gave."""
    first = pair.first_difference
    last = pair.recorded_steps[-1]
    seen = f"No bit differed in {last} steps." if first is None else f"They diverge {first}."
    return compared(answer, first is None, seen)


def tell(again: Comparison, pair: Comparison) -> str:
    """Describe what the repeated run and the one with two threads mean together."""
    verdict = judge(again, pair)
    steps = int(pair.recorded_steps[-1])
    if verdict == "nondeterministic":
        return (
            "Nondeterministic: one thread, run again, gave different bits. So the effect of two "
            "threads cannot be separated from differences between equal runs."
        )
    if verdict == "thread-dependent":
        return (
            "Order-dependent, if two threads are repeatable too: one thread gave the same bits "
            f"again, two threads diverge from it {pair.first_difference}. After {steps} steps the "
            f"weights are {pair.distance[-1]:.1e} apart, relative to their size."
        )
    return (
        f"No drift seen in {steps} steps, neither in the repeated run nor with the second thread: "
        "no hash of any weight or optimiser variable differed. Other machines do show drift: "
        "see the recorded runs."
    )


def _recorded() -> GradientRuns:
    """Return the recorded runs with the loss's own gradient."""
    runs: GradientRuns = load_recorded("five-runs").gradients[1]
    return runs


def check_1(answer: Any, pair: Comparison) -> Feedback:
    """Check the step of the first difference; None if there is none."""
    if answer is ...:
        return UNANSWERED
    first = pair.first_difference
    if answer is None:
        if first is None:
            return right("No bit of any tensor differed on this machine.")
        return hint("There is a difference: look at pair.first_difference.")
    return _check_step(answer, None if first is None else first.step)


@exercise
def _check_step(answer: Any, step: int | None) -> Feedback:
    if whole(answer) == step:
        return right(
            "Every bit of every weight and of every optimiser variable was compared at every step."
        )
    return hint("pair.first_difference has a step, which counts completed updates.")


def _check_spread(answer: Any, values: list[float], what: str) -> Feedback:
    given, wanted = number(answer), largest(values)
    if math.isclose(given, wanted, rel_tol=_CLOSE):
        return right(f"{100 * wanted:.2g} % of the first run's {what}.")
    if math.isclose(given, 100 * wanted, rel_tol=_CLOSE):
        return hint("That is in percent. Give the plain ratio.")
    if math.isclose(given, wanted * values[0], rel_tol=_CLOSE):
        return hint("That is the difference itself. Divide it by the first run's value.")
    return hint(
        "Take the largest difference from the first run, without its sign, and divide it by the "
        "first run's value."
    )


@exercise
def check_2(answer: Any) -> Feedback:
    """Check how far apart the recorded losses are."""
    said = _check_spread(answer, [run.loss for run in _recorded().runs], "loss")
    if not said.right:
        return said
    five: FiveRuns = load_recorded("five-runs")
    return right(
        f"{said.text} In the forum answer it was {100 * five.source:.3g} %, with other "
        "versions, another processor and another seed."
    )


@exercise
def check_3(answer: Any) -> Feedback:
    """Check how far apart the recorded accuracies are."""
    values = [run.accuracy for run in _recorded().runs]
    said = _check_spread(answer, values, "accuracy")
    if not said.right:
        return said
    return right(
        f"{said.text} For the losses of these five runs: {100 * _recorded().figure:.2g} %."
    )


@exercise
def check_4(answer: Any) -> Feedback:
    """Check how much larger the jump of the accuracy is at the knife edge."""
    edge = knife_edge()
    accuracy = abs(edge.accuracy[1] - edge.accuracy[0]) / edge.accuracy[0]
    loss = abs(edge.loss[1] - edge.loss[0]) / edge.loss[0]
    given = number(answer)
    if math.isclose(given, accuracy / loss, rel_tol=1e-3):
        return right(
            "With one prediction near the threshold, the accuracy is useless for comparing runs."
        )
    if math.isclose(given, accuracy, rel_tol=1e-3):
        return hint("That is only the change of the accuracy. Divide it by the change of the loss.")
    if given > 0 and math.isclose(1 / given, accuracy / loss, rel_tol=1e-3):
        return hint("It is the other way round: accuracy over loss.")
    return hint("(change of accuracy / accuracy before) / (change of loss / loss before).")


check_quiz = Quiz(
    Question(
        right="a",
        a="Each thread count has its own order and repeats it.",
        b="It would be if the control had different bits as well.",
        c="Both are right: each rounds in its own way, within the same bounds.",
        d="The seeds were the same; a seed does not choose the order of additions.",
    ),
    Question(
        right="c",
        a="A warm machine may be faster, but it does not round differently.",
        b="There is no mean here: bits are compared.",
        c="Without a control you cannot tell what causes a difference.",
        d="The first run is as good as any other.",
    ),
    Question(
        right="b",
        a="Every bit is compared at every step; the tensors differ within the same step.",
        b="States are compared once per step: by its end, all that depends on that sum differs.",
        c="In that case they would differ before the first step.",
        d="It does not draw any: an update is plain arithmetic.",
    ),
    Question(
        right="d",
        a="The difference is one image out of ten, and that may depend on a rounding.",
        b="If training diverges, the loss shows it.",
        c="Such a difference does not need another seed: another thread count is enough.",
        d="With few images, each one counts for a lot.",
    ),
)
