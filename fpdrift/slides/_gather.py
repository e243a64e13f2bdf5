"""Find the result for each card: one's own, computed now, or recorded."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fpdrift.errors import FpdriftError
from fpdrift.experiments import Settings
from fpdrift.plotting import save_body
from fpdrift.recorded import load_recorded, recorded_kinds
from fpdrift.serialization import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from fpdrift.provenance import Provenance
    from fpdrift.slides._cards import Card

Place = Literal["own", "exact", "recorded"]
#: Words of a processor's name that tell nothing.
_NOISE = ("(R)", "(TM)", "(r)", "(tm)", " CPU", " Processor")


@dataclass(frozen=True, kw_only=True, slots=True)
class Slide:
    """A card and the result it shows."""

    card: Card
    result: Result
    place: Place

    @property
    def origin(self) -> str:
        """Where the result is from, in one line."""
        if self.place == "exact":
            return "Computed here; the same bits on every machine"
        found = "Own result" if self.place == "own" else "Recorded"
        return f"{found}: {_machine(self.result.provenance)}"


def gather(cards: Iterable[Card], own: Mapping[str, Result] | None = None) -> tuple[Slide, ...]:
    """Find each card's result; a card that has none anywhere is left out.

    Parameters
    ----------
    cards : iterable of Card
    own : mapping of str to Result, optional
        By the names of cards, as `own_results` finds them. What it lacks is computed, where that
        gives the same bits on every machine, or taken from what was recorded.
    """
    own, recorded, found = own or {}, recorded_kinds(), []
    for card in cards:
        if card.name in own:
            found.append(Slide(card=card, result=own[card.name], place="own"))
        elif card.live is not None:
            found.append(Slide(card=card, result=card.live(Settings()), place="exact"))
        elif recorded.get(card.name) == card.kind.__name__:
            found.append(Slide(card=card, result=load_recorded(card.name), place="recorded"))
    return tuple(found)


def own_results(cards: Iterable[Card], folder: Path) -> tuple[dict[str, Result], dict[Path, str]]:
    """Look for results in a folder, whatever their files are called.

    What is the same on every machine is not looked for.

    Parameters
    ----------
    cards : iterable of Card
    folder : Path
        Its ``*.json`` are read; of several results for one card the one in the source's size is
        taken, else the file that was written last.

    Returns
    -------
    dict of str to Result
        By the names of cards.
    dict of Path to str
        Files that hold no result, or one that cannot be drawn -> why.
    """
    recorded = recorded_kinds()
    wanted = {_identity(card, recorded): card.name for card in cards if card.live is None}
    found: dict[str, Result] = {}
    broken: dict[Path, str] = {}
    paths = [path for path in folder.glob("*.json") if path.is_file()]
    for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name)):
        try:
            result = Result.from_json(path.read_bytes())
            name = wanted.get((type(result).__name__, getattr(result, "name", None)))
            if name is None or (name in found and _full(found[name]) > _full(result)):
                continue
            _try_to_draw(result)
        except (FpdriftError, OSError) as error:
            broken[path] = getattr(error, "strerror", None) or str(error)
        else:
            found[name] = result
    return found, broken


def _identity(card: Card, recorded: Mapping[str, str]) -> tuple[str, str | None]:
    """Describe how a card's result is recognised: its kind, and the name that some kinds have."""
    kind = card.kind.__name__
    if "name" not in card.kind.__annotations__:
        return kind, None
    return kind, load_recorded(card.name).name if recorded.get(card.name) == kind else card.name


def _full(result: Result) -> bool:
    return getattr(getattr(result, "study", result), "size", None) == "full"


def _try_to_draw(result: Result) -> None:
    """Refuse a result whose fields hold something else than they should."""
    try:
        save_body(result, io.BytesIO())
    except Exception as error:  # noqa: BLE001 - whatever a strange value makes of a drawing
        message = f"it cannot be drawn ({type(error).__name__}: {error})"
        raise FpdriftError(message) from None


def _machine(its: Provenance) -> str:
    """Name a machine in short, for a foot; its versions stand in the notes."""
    if its.device:
        return its.device
    cpu = its.cpu
    for word in _NOISE:
        cpu = cpu.replace(word, "")
    cores = f"{its.cores} core{'' if its.cores == 1 else 's'}"
    # switches that change bits belong to the machine
    switches = "".join(f", {name}={value}" for name, value in sorted(its.switches.items()))
    return f"{cores} of {' '.join(cpu.split())}, {its.system}{switches}"
