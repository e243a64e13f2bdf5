"""Slides for a room: each measured picture with its claim, its origin and a question.

A slide draws a result and adds nothing to it. What cannot be computed here at once comes from this
machine's own results, or from what was recorded.
"""

from fpdrift.slides._cards import CARDS, Card, chosen
from fpdrift.slides._gather import Slide, gather, own_results
from fpdrift.slides._write import write_deck, write_pdf

__all__ = ["CARDS", "Card", "Slide", "chosen", "gather", "own_results", "write_deck", "write_pdf"]
