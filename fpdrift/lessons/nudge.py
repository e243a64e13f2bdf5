"""Lesson 07: what its cells say and how its exercises are checked."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.floats import anatomy, format_of
from fpdrift.lessons.grading import (
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
from fpdrift.perturbation import NudgeAccount, nudge

_SIZE = 1e-8
_SEED = 1
_WEIGHT = 0.125


def weights(dtype: str = "float32") -> dict[str, npt.NDArray[Any]]:
    """Return the starting weights of the answer's network, rounded to a dtype."""
    from fpdrift.training._networks import starting_weights

    kind = format_of(dtype).dtype
    return {name: w.astype(kind) for name, w in starting_weights("answer", _SEED).items()}


@cache
def _account(dtype: str) -> NudgeAccount:
    account: NudgeAccount = nudge(weights(dtype), size=_SIZE, seed=_SEED)[1]
    return account


def check_prediction(answer: Any, account: NudgeAccount) -> Feedback:
    """Compare the prediction with the account."""
    seen = f"Of {account.meant:,} selected weights, {account.absorbed:,} did not change at all."
    return compared(answer, account.absorbed == 0, seen)


@exercise
def check_1(answer: Any) -> Feedback:
    """Check half an ulp of 0.125 in float32."""
    given, ulp = number(answer), float(anatomy(_WEIGHT, "float32").ulp or 0)
    if given == ulp / 2:
        return right(
            "So at this weight, a nudge of at most 1e-8 survives only if it is near that maximum."
        )
    if given == ulp:
        return hint("That is a whole ulp. A nudge is rounded back if it is less than half of that.")
    if given == float(anatomy(_WEIGHT).ulp or 0) / 2:
        return hint("That is the value for float64. The weight is a float32.")
    return hint('Divide fpdrift.anatomy(0.125, "float32").ulp by two.')


@exercise
def check_2(answer: Any) -> Feedback:
    """Check the smallest power of two that absorbs the nudge."""
    given = number(answer)
    if not 0 < given < 2.0**100 or np.frexp(given)[0] != 0.5:
        return hint("Give a power of two: one, a half, a quarter and so on.")
    size = np.float32(_SIZE)
    w, less = np.float32(given), np.float32(given / 2)
    if w + size != w:
        return hint(f"{w!s} + 1e-8 and {w!s} are different float32 numbers. Try a larger weight.")
    if less + size == less:
        return hint(f"The nudge is absorbed there, but also at {less!s}.")
    return right(
        f"Half an ulp above it is more than the nudge. Downwards {w!s} does change: below a power "
        "of two, floats are twice as dense."
    )


@exercise
def check_3(answer: Any) -> Feedback:
    """Check how many weights are tiny without being zero."""
    given, account = whole(answer), _account("float32")
    if given == account.small - account.zeros:
        return right(
            "So before training, hardly any weight is that small, apart from those at zero."
        )
    if given == account.small:
        return hint("That counts the zeros. Biases start at exactly zero.")
    return hint("account.small counts them including zeros; account.zeros counts the zeros.")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check how many weights change in bfloat16."""
    given, account = whole(answer), _account("bfloat16")
    if given == account.changed:
        return right(
            f"{account.changed:,} of {account.meant:,} selected weights; the rest was absorbed."
        )
    if given == _account("float32").changed:
        return hint('That is the number in float32. Use nudge.weights("bfloat16").')
    if given == account.meant:
        return hint(
            "That is the number of selected weights. The account also counts those that changed."
        )
    return hint("fpdrift.nudge returns arrays and an account; use .changed of the account.")


check_quiz = Quiz(
    Question(
        right="a",
        a="The sum is closer to the old weight than to any other float.",
        b="The smallest float is far smaller; a nudge need not be that small to be absorbed.",
        c="Floats are dense near zero: nearly every nudge survives there.",
        d="The direction makes no difference, except at a power of two.",
    ),
    Question(
        right="c",
        a="They have the widest steps around them, so they absorb the most.",
        b="Look at the table: in some layers all change, in others none.",
        c="There the step to the next float is far smaller than the nudge.",
        d="An integer is a float like any other.",
    ),
    Question(
        right="b",
        a="The exponent determines the range; for a small update the digits matter.",
        b="That is why frameworks keep a float32 copy of such weights.",
        c="A small update does not bring a weight anywhere near the limit of its range.",
        d="They are rounded, but in the same way each time.",
    ),
    Question(
        right="d",
        a="A rounding error depends on the number that is rounded; this noise does not.",
        b="For a weight of one, a rounding error can be larger than this.",
        c="Every addition and multiplication of a training step rounds.",
        d="So it is a fair substitute for some weights, and too large or too small for others.",
    ),
)
