"""Deprecated name of `fpdrift.serialization`; it keeps working for one release."""

from fpdrift._deprecated import renamed

__getattr__ = renamed(__name__, {"*": "fpdrift.serialization"})
