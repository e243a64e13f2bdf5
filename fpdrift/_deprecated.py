"""Keep renamed names working for one release, with a `DeprecationWarning`."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def renamed(module: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module's ``__getattr__`` that resolves old names to their new locations.

    Parameters
    ----------
    module : str
        Name of the module that used to hold the names.
    homes : mapping of str to str
        Old name -> new location, such as ``"fpdrift.step_debug:diagnose_step"``, or
        ``"fpdrift.comparison"`` for a module. The key ``"*"`` names the module in which every
        other name is looked up.
    """

    def find(name: str) -> Any:
        place = homes.get(name)
        if place is None and "*" in homes and not name.startswith("_"):
            place = f"{homes['*']}:{name}"
        if place is None:
            message = f"module {module!r} has no attribute {name!r}"
            raise AttributeError(message)
        home, _, new = place.partition(":")
        value = getattr(import_module(home), new) if new else import_module(home)
        message = f"{module}.{name} is deprecated; use {place.replace(':', '.')}"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return value

    return find
