"""Pictures: one function, `plot`, that knows how to draw each kind of result.

Nothing is computed here. What a picture shows stands in the result it is given.
"""

from fpdrift.plotting.draw import plot, save, save_picture

__all__ = ["plot", "save", "save_picture"]
