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
    seen = f"No bit differed in {last} steps." if first is None else f"They part {first}."
    return compared(answer, first is None, seen)


def tell(again: Comparison, pair: Comparison) -> str:
    """Describe what the repeated run and the one with two threads mean together."""
    verdict = judge(again, pair)
    steps = int(pair.recorded_steps[-1])
    if verdict == "nondeterministic":
        return (
            "Nondeterministic: one thread, run again, gave other bits. So what two threads did "
            "cannot be told from what happens anyway."
        )
    if verdict == "thread-dependent":
        return (
            "Order-dependent, if two threads repeat as well: one thread gave the same bits again, "
            f"two threads part from it {pair.first_difference}. After {steps} steps the weights "
            f"are {pair.distance[-1]:.1e} apart, relative to their size."
        )
    return (
        f"No drift seen in {steps} steps, neither in the repetition nor with the second thread: no "
        "hash of any weight or number that the optimiser keeps differed. Other "
        "machines do show it: see the recorded runs."
    )


def _recorded() -> GradientRuns:
    """Return the recorded runs with the loss's own gradient."""
    runs: GradientRuns = load_recorded("five-runs").gradients[1]
    return runs


def check_1(answer: Any, pair: Comparison) -> Feedback:
    """Check the step of the first difference; None where there is none."""
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
            "Every bit of every weight, and of every number that the optimiser keeps, was compared "
            "at every step."
        )
    return hint("pair.first_difference has a step; it counts the updates done.")


def _check_spread(answer: Any, values: list[float], what: str) -> Feedback:
    given, wanted = number(answer), largest(values)
    if math.isclose(given, wanted, rel_tol=_CLOSE):
        return right(f"{100 * wanted:.2g} % of the first run's {what}.")
    if math.isclose(given, 100 * wanted, rel_tol=_CLOSE):
        return hint("That is in percent. Give the plain ratio.")
    if math.isclose(given, wanted * values[0], rel_tol=_CLOSE):
        return hint("That is the difference itself. Divide it by the first run's value.")
    return hint("The largest difference to the first run, without its sign, over the first run's.")


@exercise
def check_2(answer: Any) -> Feedback:
    """Check how far the recorded losses lie apart."""
    said = _check_spread(answer, [run.loss for run in _recorded().runs], "loss")
    if not said.right:
        return said
    five: FiveRuns = load_recorded("five-runs")
    return right(
        f"{said.text} The text that fpdrift grew out of had {100 * five.source:.3g} %, with "
        "its own versions, processor and seed."
    )


@exercise
def check_3(answer: Any) -> Feedback:
    """Check how far the recorded accuracies lie apart."""
    values = [run.accuracy for run in _recorded().runs]
    said = _check_spread(answer, values, "accuracy")
    if not said.right:
        return said
    return right(f"{said.text} The losses of these five runs: {100 * _recorded().figure:.2g} %.")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check how much larger the jump of the accuracy is at the knife edge."""
    edge = knife_edge()
    accuracy = abs(edge.accuracy[1] - edge.accuracy[0]) / edge.accuracy[0]
    loss = abs(edge.loss[1] - edge.loss[0]) / edge.loss[0]
    given = number(answer)
    if math.isclose(given, accuracy / loss, rel_tol=1e-3):
        return right("One prediction at the edge, and the accuracy is of no use to compare runs.")
    if math.isclose(given, accuracy, rel_tol=1e-3):
        return hint("That is the accuracy's change alone. Divide by the loss's.")
    if given > 0 and math.isclose(1 / given, accuracy / loss, rel_tol=1e-3):
        return hint("The other way round: accuracy over loss.")
    return hint("(change of accuracy / accuracy before) / (change of loss / loss before).")


check_quiz = Quiz(
    Question(
        right="a",
        a="Each thread count has an order of its own, and repeats it.",
        b="It would be, if the control had other bits as well.",
        c="Both are right: each rounds its own way, within the same bounds.",
        d="The seeds were the same; a seed does not choose the order of additions.",
    ),
    Question(
        right="c",
        a="A warm machine may be faster; it does not round otherwise.",
        b="No mean is taken: bits are compared.",
        c="Without a control one cannot say what a difference comes from.",
        d="The first run is as good as any other.",
    ),
    Question(
        right="b",
        a="Every bit at every step is compared; within a step they come together.",
        b="A step is one look: all that inherits from the first other sum differs by its end.",
        c="Then they would differ before the first step.",
        d="It draws none: an update is plain arithmetic.",
    ),
    Question(
        right="d",
        a="By one image out of ten, which may hang on a rounding.",
        b="A training that diverges shows in the loss.",
        c="No seed is needed for such a difference: another thread count will do.",
        d="With few images each one weighs a lot.",
    ),
)
