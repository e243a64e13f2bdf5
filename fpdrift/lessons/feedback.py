"""What a student reads after an exercise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feedback:
    """Right or not yet, and the reason or a hint; a notebook shows it as text."""

    right: bool
    text: str

    def __repr__(self) -> str:
        return f"{'Right.' if self.right else 'Not yet.'} {self.text}"


def right(text: str) -> Feedback:
    """Say that the answer holds, and why."""
    return Feedback(True, text)


def hint(text: str) -> Feedback:
    """Say what to look at next."""
    return Feedback(False, text)


#: For an exercise that nobody has touched.
UNANSWERED = hint("Replace the ... by your answer, then run the cell again.")
