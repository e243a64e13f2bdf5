"""What belongs to a kind of result: its class, its picture and its screen.

Each is a table keyed by the kind's name, so it can be filled and asked without importing what it
is about. The rooms fill the tables where they define things. A room that nobody has imported yet
is imported at the first name that is missing; the top of the package says which rooms those are.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes longer than all the rest of this module
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])


class Table:
    """Name of a kind of result -> one thing about it; called with a result, that function of it."""

    def __init__(self) -> None:
        self._entries: dict[str, Any] = {}
        #: Modules to import when a name is missing; ``room.*`` is every module of a room.
        self._unread: list[str] = []

    def fill_from(self, *rooms: str) -> None:
        """Add rooms to import when a name is missing."""
        self._unread += rooms

    def add(self, kind: str, entry: Any) -> None:
        """Enter something about a kind of result."""
        self._entries[kind] = entry

    def register(self, function: F) -> F:
        """Enter a function for the kinds that its first argument is annotated with."""
        for kind in _named(next(iter(function.__annotations__.values()))):
            self.add(kind, function)
        return function

    def find(self, kind: str | type) -> Any:
        """Return what belongs to a kind of result, or to a class it is derived from; else None."""
        names = [kind] if isinstance(kind, str) else [base.__name__ for base in kind.__mro__]
        if names[0] not in self._entries:
            self._read_all()
        return next((self._entries[name] for name in names if name in self._entries), None)

    def known(self) -> Mapping[str, Any]:
        """Return what has been entered so far."""
        return self._entries

    def all(self) -> Mapping[str, Any]:
        """Return everything that there is to enter."""
        self._read_all()
        return self._entries

    def __call__(self, result: object, *args: Any) -> Any:
        """Call what belongs to a result's kind."""
        return self.find(type(result))(result, *args)

    def _read_all(self) -> None:
        for room in self._unread:
            _import(room)
        self._unread = []


def _named(annotation: Any) -> Iterator[str]:
    """Name the classes of an annotation, which is text where a module postpones them."""
    if isinstance(annotation, str):
        yield from annotation.split(" | ")
    else:
        yield from (kind.__name__ for kind in getattr(annotation, "__args__", (annotation,)))


def _import(room: str) -> None:
    import pkgutil
    from importlib import import_module

    try:
        module = import_module(room.removesuffix(".*"))
    except ImportError as error:
        if (error.name or "").startswith("fpdrift"):
            raise
        return  # that room's libraries are not installed
    if room.endswith(".*"):
        for found in pkgutil.iter_modules(module.__path__, f"{module.__name__}."):
            import_module(found.name)


#: Its class, for reading results.
classes = Table()
#: What draws it: a function of the result and the axes.
pictures = Table()
#: What prints it: a function of the result that yields the blocks of its screen.
screens = Table()
