"""``fpdrift slides``: a deck and a PDF of measured pictures, from this machine's results if any."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift import atomic
from fpdrift.cli.options import folder, make_folder, try_file, words
from fpdrift.cli.progress import reporting
from fpdrift.cli.screens.screen import WIDTH, wrapped
from fpdrift.errors import FpdriftError, MissingExtraError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from fpdrift.slides import Card, Slide

#: Where other commands leave their results.
_RESULTS = Path("fpdrift-out")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "slides",
        help="slides of measured pictures, with notes: .pptx and .pdf",
        description="Make slides for all lessons or some. Your own "
        "results come first; the rest is computed now or was recorded.",
        allow_abbrev=False,
    )
    command.add_argument("--lessons", type=words, metavar="NN,NN", help="only these, as 01,04,08")
    command.add_argument(
        "--results", type=folder, metavar="DIR", help=f"your results, JSON files; else {_RESULTS}"
    )
    command.add_argument(
        "--out", type=folder, required=True, metavar="DIR", help="for fpdrift.pptx and fpdrift.pdf"
    )
    command.add_argument("--overwrite", action="store_true", help="replace what is there")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make both files; return the exit code."""
    if importlib.util.find_spec("pptx") is None:
        raise MissingExtraError("pptx")
    from fpdrift.slides import chosen, gather, own_results, write_deck, write_pdf

    if "" in (arguments.lessons or ()):
        message = "--lessons names no lesson; give numbers with commas between, such as 01,04"
        raise FpdriftError(message)
    cards = chosen(arguments.lessons)
    results = _results(arguments.results)
    make_folder(arguments.out)
    deck, pdf = (arguments.out / name for name in ("fpdrift.pptx", "fpdrift.pdf"))
    for file in (deck, pdf):
        try_file(file)
        if file.exists() and not arguments.overwrite:  # somebody may have written into it
            message = f"{file} is there already; choose another --out, or say --overwrite"
            raise FpdriftError(message)
    with reporting() as report:
        report("looking for results", 0, 1)
        own, broken = own_results(cards, results)
        slides = gather(cards, own)
    _tell(cards, slides, broken)
    with reporting() as report, tempfile.TemporaryDirectory(dir=arguments.out) as draft:
        report("drawing the deck", 0, 2)
        write_deck(slides, Path(draft, deck.name))
        report("drawing the PDF", 1, 2)
        write_pdf(slides, Path(draft, pdf.name))
        for file in (deck, pdf):  # both are whole by now
            atomic.write(file, Path(draft, file.name).read_bytes())
    print(f"Saved: {deck}, {pdf}")
    return 0


def _results(given: Path | None) -> Path:
    if given is not None and not given.is_dir():
        message = f"--results {given} is no folder that can be read; name the one with your results"
        raise FpdriftError(message)
    return given or _RESULTS


def _tell(cards: Iterable[Card], slides: Iterable[Slide], broken: Mapping[Path, str]) -> None:
    """Report of each card where its result is from, and what could not be read.

    Raises
    ------
    FpdriftError
        If there is nothing to show.
    """
    found = {slide.card.name: slide.origin for slide in slides}
    for card in cards:
        origin = found.get(card.name, "left out: not recorded yet, and no result of yours")
        print(f"  {card.lesson} {card.name:20} {origin}"[:WIDTH])
    for path, why in broken.items():
        print("\n".join(wrapped(f"Left out, {path}: {why}")))
    if not found:
        message = "none of these slides has a result yet; choose other lessons"
        raise FpdriftError(message)
