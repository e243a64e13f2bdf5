"""Four questions at a lesson's end, with the reason for each wrong answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fpdrift.lessons.feedback import UNANSWERED, Feedback, hint, right

LETTERS = ("a", "b", "c", "d")


@dataclass(frozen=True, slots=True)
class Question:
    """What to say of each answer; the question itself stands in the notebook."""

    #: the letter that holds
    right: str
    a: str
    b: str
    c: str
    d: str

    def reason(self, letter: str) -> str:
        """Say why a letter holds or does not."""
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
