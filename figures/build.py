"""Build every picture, the gallery and the deck, from what was recorded and what is exact.

python figures/build.py            write them
python figures/build.py --check    exit 1 if one is stale
"""

import sys
import tempfile
from pathlib import Path

from fpdrift.plotting import save
from fpdrift.slides import CARDS, gather, write_deck, write_pdf

HERE = Path(__file__).parent


def build(folder):
    """Write everything into a folder."""
    slides = gather(CARDS)
    for slide in slides:
        save(slide.result, folder / slide.card.name)
    write_deck(slides, folder / "fpdrift.pptx")
    write_pdf(slides, folder / "fpdrift.pdf")


def stale():
    """Name what is not what a build would give."""
    with tempfile.TemporaryDirectory() as made:
        build(Path(made))
        return [
            new.name
            for new in sorted(Path(made).iterdir())
            if not (old := HERE / new.name).exists() or old.read_bytes() != new.read_bytes()
        ]


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
