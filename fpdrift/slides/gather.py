"""Find the result for each card: this machine's own, computed now, or recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.experiments import Settings
from fpdrift.recorded import load_recorded
from fpdrift.results import Result

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fpdrift.slides.cards import Card


@dataclass(frozen=True, kw_only=True, slots=True)
class Slide:
    """A card and the result it shows."""

    card: Card
    result: Result
    #: where the result is from, in one line
    origin: str


def gather(cards: Iterable[Card], own: Path | None = None) -> tuple[Slide, ...]:
    """Find each card's result.

    Parameters
    ----------
    cards : iterable of Card
    own : Path, optional
        Folder with this machine's results, each as ``NAME.json``; what is not there is computed,
        or taken from what was recorded.

    Raises
    ------
    FpdriftError
        If a file there is no result, or one of another kind.
    """
    return tuple(_find(card, own) for card in cards)


def _find(card: Card, own: Path | None) -> Slide:
    path = own / f"{card.name}.json" if own is not None else None
    if path is not None and path.exists():
        result = card.kind.from_json(path.read_text(encoding="utf-8"))
        return Slide(card=card, result=result, origin=f"own: {machine(result)}")
    if card.live is not None:
        return Slide(card=card, result=card.live(Settings()), origin="the same on every machine")
    recorded = load_recorded(card.name)
    return Slide(card=card, result=recorded, origin=f"recorded: {machine(recorded)}")


def machine(result: Result) -> str:
    """Name the machine and the libraries that gave a result."""
    its = result.provenance
    libraries = [f"{name} {its.packages[name]}" for name in ("tensorflow",) if name in its.packages]
    return ", ".join([f"{its.cores} cores of {its.cpu}", *libraries])
