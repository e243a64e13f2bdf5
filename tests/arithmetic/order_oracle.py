"""What Python itself makes of the text of an order."""

import operator
import re

import numpy as np

from fpdrift.floats import FORMATS

NAMES = tuple(FORMATS)
TYPES = {name: fmt.dtype.type for name, fmt in FORMATS.items()}
EXACT = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
LITERAL = re.compile(r"\d+(?:\.\d+)?")


def in_numpy(text, scalar, names=None):
    """What Python makes of the text when each literal is a scalar of the dtype."""
    source = LITERAL.sub(lambda found: f"scalar('{found.group()}')", text)
    with np.errstate(all="ignore"):
        return eval(source, {"scalar": scalar}, names or {})


def on_paper(text, read, names=None):
    """What exact arithmetic makes of the text; `read` says what each literal stands for."""
    source = LITERAL.sub(lambda found: f"read('{found.group()}')", text)
    return eval(source, {"read": read}, names or {})
