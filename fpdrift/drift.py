"""Deprecated name of `fpdrift.comparison`; it keeps working for one release."""

from fpdrift._deprecated import renamed

__getattr__ = renamed(__name__, {"*": "fpdrift.comparison"})
