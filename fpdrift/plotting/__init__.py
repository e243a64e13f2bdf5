"""Pictures: one function, `plot`, that knows how to draw each kind of result.

Nothing is computed here. What a picture shows stands in the result it is given.
"""

from fpdrift.plotting.draw import plot, save, save_picture
from fpdrift.plotting.slide import BODY, SLIDE, Page, save_body, save_pages

__all__ = ["BODY", "SLIDE", "Page", "plot", "save", "save_body", "save_pages", "save_picture"]
