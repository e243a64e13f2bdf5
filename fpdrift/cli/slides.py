"""``fpdrift slides``: a deck and a PDF of measured pictures, with your own results if any."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import folder, make_folder, try_file, words
from fpdrift.cli.progress import reporting
from fpdrift.errors import FpdriftError, MissingExtraError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from fpdrift.slides import Card, Slide

#: Folder to which other commands write their results.
_RESULTS = Path("fpdrift-out")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "slides",
        help="make slides of measured results, with notes: .pptx and .pdf",
        description="Make slides with notes for all lessons or some, as .pptx and .pdf.",
        epilog="Your own results come first; the others are computed now or were recorded.",
        examples=("fpdrift slides --out talk", "fpdrift slides --lessons 01,04 --out talk"),
    )
    command.add_argument(
        "--lessons", type=words, metavar="NN,NN", help="such as 01,04,08 (default: all)"
    )
    command.add_argument(
        "--results",
        type=folder,
        metavar="DIR",
        help=f"your results, as JSON files (default: {_RESULTS})",
    )
    command.add_argument(
        "--out", type=folder, required=True, metavar="DIR", help="for both files; required"
    )
    command.add_argument("--overwrite", action="store_true", help="replace existing files")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make both files; return the exit code."""
    if importlib.util.find_spec("pptx") is None:
        raise MissingExtraError("pptx")
    import tempfile

    from fpdrift import atomic
    from fpdrift.slides import chosen, gather, own_results, write_deck, write_pdf

    if "" in (arguments.lessons or ()):
        message = "--lessons has an empty number; separate numbers by commas, as in 01,04"
        raise FpdriftError(message)
    cards = chosen(arguments.lessons)
    results = _results(arguments.results)
    make_folder(arguments.out)
    deck, pdf = (arguments.out / name for name in ("fpdrift.pptx", "fpdrift.pdf"))
    for file in (deck, pdf):
        try_file(file)
        if file.exists() and not arguments.overwrite:  # it may have been edited
            message = f"{file} already exists; choose another --out, or add --overwrite"
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
        for file in (deck, pdf):  # both are complete by now
            atomic.write(file, Path(draft, file.name).read_bytes())
    print(f"Saved: {deck}, {pdf}")
    return 0


def _results(given: Path | None) -> Path:
    if given is not None and not given.is_dir():
        message = f"--results {given} is not a readable folder; give the one with your results"
        raise FpdriftError(message)
    return given or _RESULTS


def _tell(cards: Iterable[Card], slides: Iterable[Slide], broken: Mapping[Path, str]) -> None:
    """Print where each card's result is from, and which files could not be read.

    Raises
    ------
    FpdriftError
        If no card has a result.
    """
    from fpdrift.cli.screens.screen import WIDTH, wrapped

    found = {slide.card.name: slide.origin for slide in slides}
    for card in cards:
        origin = found.get(card.name, "left out: not recorded yet, and not among your results")
        print(f"  {card.lesson} {card.name:20} {origin}"[:WIDTH])
    for path, why in broken.items():
        print("\n".join(wrapped(f"Left out, {path}: {why}")))
    if not found:
        message = "none of these lessons has a result yet; choose others"
        raise FpdriftError(message)
