"""Find the result for each card: the user's own, computed now, or recorded."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fpdrift import _kinds
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
#: Parts of a processor's name that carry no information.
_NOISE = ("(R)", "(TM)", "(r)", "(tm)", " CPU", " Processor")


@dataclass(frozen=True, kw_only=True, slots=True)
class Slide:
    """A card and the result that it shows."""

    card: Card
    result: Result
    place: Place

    @property
    def origin(self) -> str:
        """The origin of the result, in one line."""
        if self.place == "exact":
            return "Computed here, with the same bits on every machine"
        found = "Own result" if self.place == "own" else "Recorded"
        return f"{found}: {_machine(self.result.provenance)}"


def gather(cards: Iterable[Card], own: Mapping[str, Result] | None = None) -> tuple[Slide, ...]:
    """Return a slide for each card; a card without any result is left out.

    Parameters
    ----------
    cards : iterable of Card
    own : mapping of str to Result, optional
        Card name -> result, as returned by `own_results`. Missing results are computed, if they
        have the same bits on every machine, or taken from the recorded results.
    """
    own, recorded, found = own or {}, recorded_kinds(), []
    for card in cards:
        if card.name in own:
            found.append(Slide(card=card, result=own[card.name], place="own"))
        elif card.live is not None:
            found.append(Slide(card=card, result=card.live(Settings()), place="exact"))
        elif recorded.get(card.name) == card.kind:
            found.append(Slide(card=card, result=load_recorded(card.name), place="recorded"))
    return tuple(found)


def own_results(cards: Iterable[Card], folder: Path) -> tuple[dict[str, Result], dict[Path, str]]:
    """Return the results in a folder, whatever the names of the files.

    Results that are the same on every machine are not searched for.

    Parameters
    ----------
    cards : iterable of Card
    folder : Path
        Folder whose ``*.json`` files are read. Of several results for one card, the one in full
        size is taken, otherwise the most recent file.

    Returns
    -------
    dict of str to Result
        Card name -> result.
    dict of Path to str
        Files without a valid result, or with one that cannot be drawn -> the reason.
    """
    recorded = recorded_kinds()
    wanted = {
        (card.kind, _name_shown(card, recorded)): card.name for card in cards if card.live is None
    }
    found: dict[str, Result] = {}
    broken: dict[Path, str] = {}
    paths = [path for path in folder.glob("*.json") if path.is_file()]
    for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name)):
        try:
            result = Result.from_json(path.read_bytes())
            named = "name" in type(result).__annotations__
            name = wanted.get(
                (type(result).__name__, getattr(result, "name", None) if named else None)
            )
            if name is None or (name in found and _full(found[name]) > _full(result)):
                continue
            _try_to_draw(result)
        except (FpdriftError, OSError) as error:
            broken[path] = getattr(error, "strerror", None) or str(error)
        else:
            found[name] = result
    return found, broken


def _name_shown(card: Card, recorded: Mapping[str, str]) -> str | None:
    """Return the name of the results that a card shows, where results of its kind have names."""
    if "name" not in _kinds.classes.find(card.kind).__annotations__:
        return None
    name: str = load_recorded(card.name).name if recorded.get(card.name) == card.kind else card.name
    return name


def _full(result: Result) -> bool:
    return getattr(getattr(result, "study", result), "size", None) == "full"


def _try_to_draw(result: Result) -> None:
    """Raise FpdriftError if a result's fields are invalid, so that it cannot be drawn."""
    try:
        save_body(result, io.BytesIO())
    except Exception as error:  # noqa: BLE001 - drawing an invalid value may raise anything
        message = f"it cannot be drawn ({type(error).__name__}: {error})"
        raise FpdriftError(message) from None


def _machine(its: Provenance) -> str:
    """Return a machine's short name for a footer; its versions are in the notes."""
    if its.device:
        return its.device
    cpu = its.cpu
    for word in _NOISE:
        cpu = cpu.replace(word, "")
    cores = f"{its.cores} core{'' if its.cores == 1 else 's'}"
    # switches that change bits belong to the machine
    switches = "".join(f", {name}={value}" for name, value in sorted(its.switches.items()))
    return f"{cores} of {' '.join(cpu.split())}, {its.system}{switches}"
