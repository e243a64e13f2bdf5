"""Functions that stand for others and enter each of their calls in a ledger of draws."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fpdrift.doctor._draws import Ledger

#: Takes the caller's frame, the arguments and the value of a call, and enters it.
Enter = Callable[[FrameType, tuple[Any, ...], dict[str, Any], Any], None]

#: They draw positions in the caller's data, which may differ where the draw does not.
FROM_DATA = frozenset({"choice", "choices", "permutation", "permuted", "sample", "shuffle"})


def watched(ledger: Ledger, original: Any, enter: Enter, *, whole: bool = False) -> Any:
    """Return a function that calls another one and has `enter` enter the call.

    Parameters
    ----------
    whole : bool
        What the function draws or seeds inside is part of it, and not entered.
    """

    @functools.wraps(original)
    def entered(*args: Any, **kwargs: Any) -> Any:
        frame = sys._getframe(1)  # noqa: SLF001 - `inspect` has no cheaper way to the caller
        if ledger.ignores(frame):
            return original(*args, **kwargs)
        value = ledger.nested(original, *args, **kwargs) if whole else original(*args, **kwargs)
        try:
            enter(frame, args, kwargs, value)
        except Exception:  # noqa: BLE001 - a ledger that fails must not stop a training
            ledger.failures += 1
        return value

    return entered


def watched_choice(ledger: Ledger, original: Any, enter: Enter) -> Any:
    """Return Python's `choice`, having it choose a position, which is what it draws."""

    @functools.wraps(original)
    def choice(*args: Any, **kwargs: Any) -> Any:
        frame = sys._getframe(1)  # noqa: SLF001 - as above
        if kwargs or not args or ledger.ignores(frame):
            return original(*args, **kwargs)
        *of, sequence = args
        position = original(*of, range(len(sequence)))
        attempt(ledger, enter, frame, args, kwargs, position)
        return sequence[position]

    return choice


def attempt(ledger: Ledger, enter: Enter, *call: Any) -> None:
    """Enter a call, or count that it could not be."""
    try:
        enter(*call)
    except Exception:  # noqa: BLE001 - a ledger that fails must not stop a training
        ledger.failures += 1


def first_of(values: Iterable[Any]) -> Any:
    """Return the first of some values; None if there is none."""
    return next(iter(values), None)


def argument(args: tuple[Any, ...], kwargs: dict[str, Any], at: int, name: str) -> Any:
    """Return an argument that was given by position or by name; None if it was not."""
    return args[at] if len(args) > at else kwargs.get(name)


def watch_function(
    owner: Any, name: str, ledger: Ledger, enter: Enter, *, whole: bool = False
) -> None:
    """Replace a function of a module, or a method of a class, if there is one of that name."""
    if hasattr(owner, name):
        setattr(owner, name, watched(ledger, getattr(owner, name), enter, whole=whole))
