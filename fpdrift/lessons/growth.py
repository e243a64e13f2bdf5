"""Lesson 09: what its cells say and how its exercises are checked."""

from __future__ import annotations

from itertools import accumulate, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.experiments import Long
from fpdrift.lessons.grading import (
    Feedback,
    NotYet,
    Question,
    Quiz,
    call,
    compared,
    exercise,
    hint,
    number,
    numbers,
    right,
    whole,
)
from fpdrift.lessons.runtime import can_train, train_three
from fpdrift.recorded import load_recorded

Array = npt.NDArray[np.float64]

_START, _STEPS, _AT, _APART = 0.3, 60, 30, 0.1
LOGITS = np.array([0.3, -1.2, 2.0])
#: They sum to two.
LABELS = np.array([1.0, 1.0, 0.0])
_SHIFT = 1e-6
_CLOSE = 1e-7


def _long() -> Long:
    result: Long = load_recorded("long")
    return result


def check_prediction(answer: Any) -> Feedback:
    """Compare the prediction with the recorded churn."""
    last = _long().epochs[-1]
    seen = f"{100 * last.churn:.1f} in a hundred after {last.step:,} steps."
    return compared(answer, round(100 * last.churn), seen)


def live() -> str:
    """Describe the law of growth of two short runs on this machine."""
    if not can_train():
        return "Skipped: TensorFlow is not installed. (pip install 'fpdrift[cnn]')"
    from fpdrift.comparison import compare, growth

    runs = train_three()
    pair = compare(runs["1 thread"], runs["2 threads"])
    return f"{pair}\n{growth(pair)}"


def one(x: float) -> float:
    """Return the map, written as a product."""
    return 4 * x * (1 - x)


def other(x: float) -> float:
    """Return the map, written as a difference."""
    return 4 * x - 4 * x * x


def two_writings(steps: int) -> tuple[list[float], list[float]]:
    """Return the values of both writings for some steps from the same start."""
    first = accumulate(repeat(None, steps), lambda x, _: one(x), initial=_START)
    second = accumulate(repeat(None, steps), lambda x, _: other(x), initial=_START)
    return list(first), list(second)


def softmax(logits: Array) -> Array:
    """Turn logits into probabilities."""
    powers = np.exp(logits - logits.max())
    chances: Array = powers / powers.sum()
    return chances


def by_differences(logits: Array, labels: Array) -> Array:
    """Return the gradient of -sum(labels * log(softmax)) by central differences."""

    def loss(at: Array) -> float:
        return float(-(labels * np.log(softmax(at))).sum())

    steps = _SHIFT * np.eye(len(logits))
    slopes = [(loss(logits + s) - loss(logits - s)) / (2 * _SHIFT) for s in steps]
    return np.array(slopes)


@exercise
def check_1(answer: Any) -> Feedback:
    """Check the step of the largest recorded jump."""
    jumps = {jump.step: jump for jump in _long().growth.jumps}
    given = whole(answer)
    if given not in jumps:
        return hint(f"There is no jump at that step. Print long.growth.jumps; it has {len(jumps)}.")
    factor = jumps[given].factor
    if factor == max(jump.factor for jump in jumps.values()):
        return right(f"The distance was multiplied by {factor:.0f} there.")
    return hint(f"That jump multiplies the distance by {factor:.2g}; there is a larger one.")


@exercise
def check_2(answer: Any) -> Feedback:
    """Check the first step at which the two writings are clearly apart."""
    given = whole(answer)
    apart = [abs(a - b) for a, b in zip(*two_writings(_STEPS), strict=True)]
    if not 0 <= given <= _STEPS:
        return hint(f"Give a step from 0 to {_STEPS}.")
    if apart[given] <= _APART:
        return hint(
            f"At step {given} they are {apart[given]:.2g} apart, which is not more than {_APART}."
        )
    if max(apart[:given]) > _APART:
        return hint("They are more than a tenth apart there, but not for the first time.")
    return right("Doubling took the difference from the last bit to the first digit.")


@exercise
def check_3(answer: Any) -> Feedback:
    """Check what one step injects."""
    given, (first, second) = number(answer), two_writings(_STEPS)
    if given == abs(one(second[_AT]) - other(second[_AT])):
        return right(
            "At most an ulp of 1.0, and in many steps nothing. The existing difference grows."
        )
    if given == abs(first[_AT] - second[_AT]):
        return hint("That is the existing distance. Start both writings from second[30].")
    if given == abs(first[_AT + 1] - second[_AT + 1]):
        return hint("That is the whole distance after the step, amplified and injected.")
    return hint("Compute the size of growth.one(second[30]) - growth.other(second[30]).")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check a gradient against central differences, for labels of several sums."""
    for labels in (LABELS, np.array([0.0, 1.0, 0.0]), np.array([1.0, 1.0, 1.0])):
        given = np.array(numbers(call(answer, LOGITS, labels), len(LOGITS)))
        if not np.abs(given - by_differences(LOGITS, labels)).max() <= _CLOSE:
            break
    else:
        return right("It agrees with the differences of the loss for labels of any sum.")
    if np.abs(given - (softmax(LOGITS) - labels)).max() <= _CLOSE:
        message = "That is the shortcut; it is right only for labels that sum to one."
        raise NotYet(message)
    return hint(f"For labels that sum to {labels.sum():g}, it is not the slope of the loss.")


check_quiz = Quiz(
    Question(
        right="d",
        a="Roundings alone add up to very little: look at what is injected in each step.",
        b="A single step adds little; it works on the difference that is already there.",
        c="The runs are repeatable, which faulty hardware would not be.",
        d="Each step works on the existing difference and usually makes it larger.",
    ),
    Question(
        right="a",
        a="A whole column of weights then gets a gradient in one run only.",
        b="Both runs see the same batches, of the same size.",
        c="The learning rate is always the same in both runs.",
        d="The end of an epoch does not change the weights.",
    ),
    Question(
        right="b",
        a="Both may have learnt equally well; look at the losses.",
        b="Many weights can change without changing the prediction.",
        c="Compare the last distance of the recorded runs with their last churn.",
        d="The losses of the recorded runs are much closer than the weights.",
    ),
    Question(
        right="c",
        a="Rounding errors grow over many steps; at the first step they are still small.",
        b="In a single step, another order of additions changes only the last digits.",
        c="Check labels, dropout masks and loss before you blame rounding.",
        d="One ulp in a weight changes a gradient by about as little.",
    ),
)
