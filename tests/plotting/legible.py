"""What is wrong with the text of a picture for somebody at the back of a room."""

import itertools

from matplotlib.text import Text
from matplotlib.transforms import Bbox

#: Points of the smallest text on a slide of 13.33 inches, and inches that a slide is wide.
SMALLEST, WIDE = 18, 13.333
#: Pixels in 100 of an inch that lines may share, since a box is higher than its letters, and that
#: words lie apart.
_SHARED, _APART = 4.0, 4.0


def drawn_texts(figure, monkeypatch):
    """Draw a figure; give every text that was drawn, and no other."""
    seen = []
    draw = Text.draw

    def watched(text, renderer, *args, **kwargs):
        if text.get_visible() and text.get_text().strip():
            seen.append(text)
        return draw(text, renderer, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", watched)
        figure.draw_without_rendering()
    return seen


def faults(figure, monkeypatch, *, scale):
    """Name texts that are too small, leave the figure, or lie over or close by another.

    `scale` is how much larger the picture is on the slide than as it is drawn.
    """
    shared, apart = (pixels * figure.dpi / 100 for pixels in (_SHARED, _APART))
    texts = drawn_texts(figure, monkeypatch)
    boxes = [Text.get_window_extent(text) for text in texts]
    said = [" ".join(text.get_text().split()) for text in texts]
    found = []
    for text, box, words in zip(texts, boxes, said, strict=True):
        points = scale * text.get_fontsize() * (0.7 if "^" in words and "$" in words else 1)
        if points < SMALLEST:
            found.append(f"{points:.1f} points: {words}")
        edge = figure.bbox.padded(apart / 2)
        if not (edge.x0 <= box.x0 and box.x1 <= edge.x1):
            found.append(f"outside, left or right: {words}")
        if not (edge.y0 <= box.y0 and box.y1 <= edge.y1):
            found.append(f"outside, above or below: {words}")
    spaces = [box.padded(apart / 2, -shared / 2) for box in boxes]
    for (one, a), (other, b) in itertools.combinations(zip(said, spaces, strict=True), 2):
        if Bbox.intersection(a, b):
            found.append(f"over each other: {one} / {other}")
    return found
