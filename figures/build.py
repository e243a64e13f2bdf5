"""Build all figures, the gallery and the deck from recorded and exact results.

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
#: Libraries that determine the bytes of a figure or of the deck, apart from fpdrift.
DRAWN_BY = ("matplotlib", "numpy", "pillow", "python-pptx")
_HEAD = """# Gallery

This page shows all figures of fpdrift. Every figure is drawn from a result. The result was measured, has the same bits on
every machine, or was simulated and is labelled so. `make figures` builds the figures, this page, and slides with the same
figures: [fpdrift.pptx](fpdrift.pptx), whose notes contain the claim, the origin and a question for the audience, and
[fpdrift.pdf](fpdrift.pdf). `make recorded` measures what is missing in `fpdrift/recorded/`. [float.html](float.html) is an
interactive float. Each recorded file names the machine, the versions and the hash of the code that measured it. The
code is not the same for all files.

fpdrift grew out of a question on a programming forum, and its answer, about nondeterminism in TensorFlow. This page calls
them *the forum question* and *the forum answer*. A claim that begins with one of these names is theirs; the other claims are
fpdrift's.
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
    """Return the drawing libraries and the kind of machine."""
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
    """Return the files that a build would change, and figures that it would not make."""
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
