"""Pictures: one function, `plot`, that knows how to draw each kind of result.

Nothing is computed here. What a picture shows stands in the result it is given.
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
