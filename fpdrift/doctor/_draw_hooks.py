"""Call a function as soon as a module is loaded, without loading it earlier than its user does.

A script sets environment variables before it imports TensorFlow or NumPy, so an observer that is
installed before the script must not import them itself. It asks to be called back instead.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

TYPE_CHECKING = False  # `typing` takes longer than all the rest of this module
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Callback = Callable[[ModuleType], None]


class _Finder:
    """A finder that finds nothing itself: it has the others find, and wraps the loading."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Callback]] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that the other finders give, with callbacks after its loading."""
        if name not in self.waiting:
            return None
        spec = self._spec_of_others(name, path, target)
        # The built-in and frozen importers are classes, shared by all their modules.
        if spec is None or spec.loader is None or isinstance(spec.loader, type):
            return spec
        loader, load = spec.loader, spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            load(module)
            for callback in self.waiting.pop(name, []):
                callback(module)

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _spec_of_others(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None


_finder = _Finder()


def after_import(name: str, callback: Callback) -> None:
    """Call a function with a module once it is loaded: now, if it already is.

    The callback runs before the statement that imports the module goes on, so nobody holds a name
    of the module earlier, except the module's own submodules. If it raises, so does the import.

    Parameters
    ----------
    name : str
        Full name of a module or package, such as ``"numpy"`` or ``"numpy.random"``; not of a
        built-in module, such as ``"sys"``.
    callback : callable
        Takes the module. Called once; several callbacks are called in the order they were given.
    """
    module = sys.modules.get(name)
    if module is not None:
        callback(module)
        return
    _finder.waiting.setdefault(name, []).append(callback)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
