"""Make slides for a talk: each plot of a result with its claim, its origin and a question.

A slide draws a result and adds nothing to it. Results that cannot be computed at once come from the
user's own result files, or from recorded results.
"""

from fpdrift.slides._cards import CARDS, Card, chosen
from fpdrift.slides._gather import Slide, gather, own_results
from fpdrift.slides._write import write_deck, write_pdf

__all__ = ["CARDS", "Card", "Slide", "chosen", "gather", "own_results", "write_deck", "write_pdf"]
