"""What there is to show: one card for each picture, in the order of the lessons.

A claim is what is said to be so. What was found stands in the picture's title, with its figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift.errors import FpdriftError, shown
from fpdrift.slides.arithmetic_cards import ARITHMETIC_CARDS
from fpdrift.slides.card import Card
from fpdrift.slides.training_cards import TRAINING_CARDS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CARDS", "Card", "chosen"]

CARDS: tuple[Card, ...] = (*ARITHMETIC_CARDS, *TRAINING_CARDS)


def chosen(lessons: Iterable[str] | None = None) -> tuple[Card, ...]:
    """Give the cards of some lessons, or all.

    Raises
    ------
    FpdriftError
        If there is no card of a lesson.
    """
    if lessons is None:
        return CARDS
    known = tuple(dict.fromkeys(card.lesson for card in CARDS))
    wanted = [lesson.zfill(2) for lesson in lessons]
    for lesson in wanted:
        if lesson not in known:
            message = f"no slide for lesson {shown(lesson)}; there are: {', '.join(known)}"
            raise FpdriftError(message)
    return tuple(card for card in CARDS if card.lesson in wanted)
