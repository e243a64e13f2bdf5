"""Feedback on what a student predicts, computes and chooses, shared by all lessons.

A check never raises, whatever a student types: it gives a hint. A quiz has four questions, with a
reason for each wrong answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec

import numpy as np

from fpdrift.errors import FpdriftError, short_repr

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Feedback:
    """Right or not yet, and the reason or a hint; a notebook shows it as text."""

    right: bool
    text: str

    def __repr__(self) -> str:
        return f"{'Right.' if self.right else 'Not yet.'} {self.text}"


class Compared(Feedback):
    """A prediction and the result; a wrong prediction is not an error."""

    __slots__ = ()

    def __repr__(self) -> str:
        return self.text


class NotYet(Exception):  # noqa: N818 - not an error: it carries a hint
    """Leaves a check with a hint."""


def right(text: str) -> Feedback:
    """Return feedback that the answer is right, and why."""
    return Feedback(True, text)


def hint(text: str) -> Feedback:
    """Return a hint on what to look at next."""
    return Feedback(False, text)


#: For an exercise without an answer.
UNANSWERED = hint("Replace the ... with your answer, then run the cell again.")
_UNFINISHED = "There is still a ... in your function; replace it."
#: For a missing prediction.
UNPREDICTED = Compared(False, "You made no prediction. Guess first: a wrong guess costs nothing.")


def exercise(
    check: Callable[Concatenate[Any, P], Feedback],
) -> Callable[Concatenate[Any, P], Feedback]:
    """Wrap a check so that a missing or unreadable answer gives a hint."""

    @wraps(check)
    def checked(answer: Any, /, *args: P.args, **named: P.kwargs) -> Feedback:
        if answer is ...:
            return UNANSWERED
        try:
            return check(answer, *args, **named)
        except (NotYet, FpdriftError) as reason:
            return hint(str(reason))

    return checked


def compared(predicted: Any, seen: Any, text: str) -> Feedback:
    """Compare a prediction with the result, which `text` describes."""
    if predicted is ...:
        return UNPREDICTED
    if type(predicted) is not type(seen):
        wanted = {bool: "True or False", int: "a whole number", str: "a text in quotes"}
        return Compared(False, f"Your prediction should be {wanted[type(seen)]}. {text}")
    if predicted == seen:
        return Compared(True, f"You said {predicted}. {text} You saw it coming.")
    return Compared(False, f"You said {predicted}. {text} That is what this lesson is about.")


def whole(answer: Any) -> int:
    """Read a whole number, or leave with a hint."""
    if isinstance(answer, bool | np.bool) or not isinstance(answer, int | np.integer):
        message = f"Give a whole number, not {short_repr(answer)}."
        raise NotYet(message)
    return int(answer)


def number(answer: Any) -> float:
    """Read a number, or leave with a hint."""
    if isinstance(answer, bool | np.bool) or not isinstance(
        answer, int | float | np.integer | np.floating
    ):
        message = f"Give a number, not {short_repr(answer)}."
        raise NotYet(message)
    try:
        return float(answer)
    except OverflowError:
        message = "That number is larger than any float."
        raise NotYet(message) from None


def text(answer: Any) -> str:
    """Read a text, or leave with a hint."""
    if not isinstance(answer, str):
        message = f"Give a text in quotes, not {short_repr(answer)}."
        raise NotYet(message)
    return answer


def one_of(answer: Any, *known: str) -> str:
    """Read one of some texts, or leave with a hint."""
    if not isinstance(answer, str) or answer.strip().lower() not in known:
        message = f"Choose one of: {', '.join(repr(name) for name in known)}."
        raise NotYet(message)
    return answer.strip().lower()


def yes_no(answer: Any) -> bool:
    """Read True or False, or leave with a hint."""
    if not isinstance(answer, bool | np.bool):
        message = f"Write True or False, without quotes, not {short_repr(answer)}."
        raise NotYet(message)
    return bool(answer)


def numbers(answer: Any, count: int | None = None) -> list[float]:
    """Read a list of numbers, of a length if one is given, or leave with a hint."""
    if not isinstance(answer, list | tuple | np.ndarray) or (
        isinstance(answer, np.ndarray) and answer.ndim != 1
    ):
        message = f"Give a list of numbers, such as [1.0, 2.0], not {short_repr(answer)}."
        raise NotYet(message)
    if count is not None and len(answer) != count:
        message = f"Give {count} numbers, not {len(answer)}."
        raise NotYet(message)
    return [number(item) for item in answer]


def call(function: Any, *args: Any) -> Any:
    """Call a student's function; an exception, or a returned ..., becomes a hint."""
    if not callable(function):
        message = f"Give a function, not {short_repr(function)}."
        raise NotYet(message)
    try:
        given = function(*args)
    except Exception as error:  # noqa: BLE001 - a student's function may raise anything
        unfinished = "Ellipsis" in str(error) or "ellipsis" in str(error)
        message = (
            _UNFINISHED
            if unfinished
            else f"Your function stopped with {type(error).__name__}: {short_repr(str(error))}"
        )
        raise NotYet(message) from None
    if given is ...:
        raise NotYet(_UNFINISHED)
    return given


LETTERS = ("a", "b", "c", "d")


@dataclass(frozen=True, slots=True)
class Question:
    """The reason for each answer; the question itself is in the notebook."""

    #: the letter of the right answer
    right: str
    a: str
    b: str
    c: str
    d: str

    def reason(self, letter: str) -> str:
        """Return why a letter is right or wrong."""
        said: str = getattr(self, letter)
        return said


class Quiz:
    """A lesson's questions; calling it checks an answer."""

    #: questions of a lesson
    COUNT: ClassVar[int] = 4

    def __init__(self, *questions: Question) -> None:
        self.questions = questions

    def __call__(self, number: int, answer: Any) -> Feedback:
        """Check the answer to question `number`, counted from 1: a letter in quotes."""
        if answer is ...:
            return UNANSWERED
        letter = answer.strip().lower() if isinstance(answer, str) else answer
        if letter not in LETTERS:
            return hint('Answer with a letter in quotes: "a", "b", "c" or "d".')
        question = self.questions[number - 1]
        reason = question.reason(letter)
        return right(reason) if letter == question.right else hint(reason)
