"""Pictures: one function, `plot`, that knows how to draw each kind of result.

Nothing is computed here. What a picture shows stands in the result it is given.
"""

from fpdrift.plotting.draw import plot, save, save_picture
from fpdrift.plotting.fit import Paragraph
from fpdrift.plotting.slide import (
    BODY,
    FOOT,
    HEAD,
    MIDDLE,
    NUMBER,
    SLIDE,
    Page,
    fit_foot,
    fit_title,
    fit_words,
    save_body,
    save_pages,
)

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
