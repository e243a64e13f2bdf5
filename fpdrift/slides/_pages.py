"""The words of a talk: what stands on each slide, and what is said to it."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from fpdrift.lessons import find_lesson
from fpdrift.plotting import Page
from fpdrift.provenance import describe_machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fpdrift.slides._gather import Place, Slide

#: Of the file.
TITLE = "Floating-point drift"
_ASKED = "Same code, same data, same seed: why is the result different, and does it matter?"
_PLACES: dict[Place, str] = {
    "own": "from the speaker's own results",
    "exact": "computed here: the same bits on every machine",
    "recorded": "recorded once, on the machine that is named",
}
_OWN = (
    "python -m fpdrift.demo",
    "    your machine's drift, in five steps",
    "",
    "fpdrift lessons open 01",
    "    a lesson: predict, look, explain",
    "",
    "fpdrift experiment five-runs --json fpdrift-out/five-runs.json",
    "    one network, five runs; or another name",
    "",
    "fpdrift slides --results fpdrift-out --out my-talk",
    "    these slides, from what your machine gave",
)


def pages(slides: Iterable[Slide]) -> tuple[Page, ...]:
    """Put slides in the order of a talk: a title, each lesson's question and pictures, commands."""
    shown = sorted(slides, key=lambda slide: slide.card.lesson)
    return (_first(shown), *_middle(shown), _last())


def _first(slides: Sequence[Slide]) -> Page:
    counts = Counter(slide.place for slide in slides)
    places = [f"{counts[key]} {words}" for key, words in _PLACES.items() if counts[key]]
    return Page(
        title=(TITLE, _ASKED),
        body=("Pictures of results, none of them drawn by hand:", "", *places),
        foot="fpdrift",
        notes=(
            "Each slide's foot says where its result is from.",
            "Ask: Have you ever run a program twice and got two results?",
        ),
    )


def _middle(slides: Sequence[Slide]) -> Iterator[Page]:
    for number, its in groupby(slides, key=lambda slide: slide.card.lesson):
        lesson = find_lesson(number)
        command = f"fpdrift lessons open {number}"
        yield Page(
            title=(lesson.title, f"Lesson {number}"),
            body=(f"“{lesson.question}”",),
            foot=command,
            notes=(f"Ask: {lesson.question}", f"The whole lesson: {command}"),
        )
        for slide in its:
            yield Page(
                title=None,
                body=slide.result,
                foot=slide.origin,
                notes=_notes(slide),
                alt=slide.card.alt,
            )


def _notes(slide: Slide) -> tuple[str, ...]:
    """Describe what is claimed, what was measured where, and what to ask the room."""
    card, result = slide.card, slide.result
    held = getattr(result, "study", result)
    finding, size = getattr(held, "finding", None), getattr(held, "size", None)
    by = "" if slide.place == "exact" else f" {describe_machine(result.provenance)}"
    sized = {"full": " In the source's size.", "quick": " Quick, not in the source's size."}
    return (
        f"Said: {card.claim}",
        *([f"Measured: {finding}"] if finding else []),
        f"To be seen: {card.alt}.",
        f"From: {slide.origin}.{by}{sized.get(size or '', '')}",
        f"Ask: {card.question}",
        f"Lesson {card.lesson}: fpdrift lessons open {card.lesson}",
        f"To make it yourself: fpdrift {card.command}",
    )


def _last() -> Page:
    return Page(
        title=("See it on your own machine",),
        body=_OWN,
        foot="fpdrift",
        notes=("Ask: Which of these results do you expect to be different on your machine?",),
    )
