"""Build every picture, the gallery and the deck, from what was recorded and what is exact.

python figures/build.py            write them
python figures/build.py --check    exit 1 if one is stale
"""

import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from fpdrift.plotting import save_picture
from fpdrift.slides import CARDS, gather, write_deck, write_pdf

HERE = Path(__file__).parent
GALLERY = "README.md"
#: What decides the bytes of a picture or of the deck, beside fpdrift.
DRAWN_BY = ("matplotlib", "numpy", "pillow", "python-pptx")
_HEAD = """# What fpdrift shows

Every picture is drawn from a result that was measured, that has the same bits on every machine, or that was simulated
and says so; nothing is drawn by hand. `make figures` builds them all, this page, and the same pictures as slides: [fpdrift.pptx](fpdrift.pptx), with the
claim, the origin and a question for the room in the notes, and [fpdrift.pdf](fpdrift.pdf). `make recorded` measures
anew what is not in `fpdrift/recorded/`. [float.html](float.html) is a float to click. Each
recorded file names the machine, the versions and the hash of the code that measured it; the code is not the same for all.

fpdrift grew out of a forum question and its answer, called *the source* here; the network that the answer trains is
*the answer's network*. A claim that begins with "The source" or "The question" is theirs; the others are fpdrift's.
"""
_ENTRY = """
## {name}

![{alt}]({name}.png)

**{finding}** {more}

- Lesson {lesson}. Claim: {claim}
- {origin}
- `fpdrift {command}` ([SVG]({name}.svg))
"""


def tools():
    """Name what draws, and the kind of machine."""
    drawn_by = ", ".join(f"{name} {version(name)}" for name in DRAWN_BY)
    return f"{drawn_by}, {platform.system()} {platform.machine()}"


def build(folder):
    """Write everything into a folder."""
    slides = gather(CARDS)
    gallery = [_HEAD]
    for slide in slides:
        card = slide.card
        files = (folder / f"{card.name}.{kind}" for kind in ("png", "svg"))
        finding, *more = save_picture(slide.result, *files, alt=card.alt).split("\n")
        origin = slide.origin[0].upper() + slide.origin[1:]
        fields = {
            name: getattr(card, name) for name in ("name", "alt", "lesson", "claim", "command")
        }
        gallery.append(_ENTRY.format(**fields, finding=finding, more=" ".join(more), origin=origin))
    gallery.append(f"\nDrawn with {tools()}.\n")
    (folder / GALLERY).write_text("".join(gallery), encoding="utf-8")
    write_deck(slides, folder / "fpdrift.pptx")
    write_pdf(slides, folder / "fpdrift.pdf")


def stale():
    """Name what is not what a build would give, and pictures that it would not give."""
    with tempfile.TemporaryDirectory() as made:
        build(Path(made))
        new = {path.name: path.read_bytes() for path in Path(made).iterdir()}
    old = {path.name: path.read_bytes() for path in HERE.iterdir() if path.name in new}
    left = {path.name for kind in ("png", "svg") for path in HERE.glob(f"*.{kind}")} - new.keys()
    return sorted(left | {name for name, content in new.items() if old.get(name) != content})


def main():
    """Write the pictures, or check them."""
    if "--check" in sys.argv[1:]:
        names = stale()
        if names:
            print(f"stale: {', '.join(names)}; type: make figures")
        return int(bool(names))
    build(HERE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
