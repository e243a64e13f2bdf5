"""Draw results: `plot` draws every kind of result that has a picture.

Nothing is computed here; a picture shows what its result contains.
"""

from fpdrift.plotting._pages import (
    BODY,
    FOOT,
    HEAD,
    MIDDLE,
    NUMBER,
    SLIDE,
    Page,
    Paragraph,
    fit_foot,
    fit_title,
    fit_words,
    save_body,
    save_pages,
)
from fpdrift.plotting._plot import plot, save, save_picture

__all__ = [
    "BODY",
    "FOOT",
    "HEAD",
    "MIDDLE",
    "NUMBER",
    "SLIDE",
    "Page",
    "Paragraph",
    "fit_foot",
    "fit_title",
    "fit_words",
    "plot",
    "save",
    "save_body",
    "save_pages",
    "save_picture",
]
