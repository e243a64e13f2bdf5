"""A ledger watches NumPy's generators.

They are compiled classes, which take no new methods, so subclasses stand for them; the same bit
generator draws in the same order. Also the generator behind the functions of `numpy.random` is
replaced by such a one: scikit-learn and SciPy draw from it directly.
"""

from __future__ import annotations

import functools
import sys
from abc import ABCMeta
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from fpdrift.doctor._draw_digests import describe_seed, digest_of, digest_of_state
from fpdrift.doctor._draw_hooks import after_import
from fpdrift.doctor._draw_wrappers import FROM_DATA, Enter, attempt, first_of, watched

if TYPE_CHECKING:
    from fpdrift.doctor._draws import Ledger

#: NumPy's methods that do not draw.
_NO_DRAW = frozenset({"bit_generator", "get_state", "seed", "set_state", "spawn"})
NUMBER = "_fpdrift_number"


def watch_numpy(ledger: Ledger) -> None:
    """Have a ledger watch NumPy's generators, once a script imports them."""
    after_import("numpy.random", functools.partial(_watch_module, ledger))


class _StandsFor(ABCMeta):
    """The kind of a class that stands for another one: whatever is an instance of that is its.

    It derives from ABCMeta so that a script's class can inherit from an abstract one, too.
    """

    def __instancecheck__(cls, instance: object) -> bool:
        original = vars(cls).get("_fpdrift_original")
        return isinstance(instance, original) if original else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        original = vars(cls).get("_fpdrift_original")
        return issubclass(subclass, original) if original else super().__subclasscheck__(subclass)


def _watch_module(ledger: Ledger, module: ModuleType) -> None:
    legacy, new = (sys.modules[f"numpy.random.{name}"] for name in ("mtrand", "_generator"))
    pickling = sys.modules["numpy.random._pickle"]
    before: Any = legacy._rand  # noqa: SLF001 - scikit-learn uses it
    for owner, name in ((legacy, "RandomState"), (new, "Generator")):
        stand_in = _stand_in(ledger, getattr(owner, name))
        for holder in (owner, module, pickling):
            if hasattr(holder, name):
                setattr(holder, name, stand_in)
    _watch_global_numpy(legacy, module, before)
    default_rng = _default_rng(ledger, module.default_rng, module.Generator)
    for holder in (new, module):
        holder.default_rng = default_rng  # type: ignore[attr-defined]


def _watch_global_numpy(legacy: Any, module: Any, before: Any) -> None:
    """Have the functions of `numpy.random` be methods of a watched generator in the same state."""
    rand = legacy.RandomState(before._bit_generator)  # noqa: SLF001 - RandomState has no other
    rand.set_state(before.get_state(legacy=False))
    setattr(rand, NUMBER, 0)
    legacy._rand = rand  # noqa: SLF001 - as above
    for holder in (legacy, module):
        for name, value in list(vars(holder).items()):
            if getattr(value, "__self__", None) is before:
                setattr(holder, name, getattr(rand, value.__name__))


def _stand_in(ledger: Ledger, original: Any) -> Any:
    """Return a subclass of one of NumPy's generators, whose methods are watched."""
    kind = original.__name__
    inside: dict[str, Any] = {
        "__slots__": (NUMBER,),
        "__module__": original.__module__,
        "__qualname__": original.__qualname__,
        "__doc__": original.__doc__,
        "_fpdrift_original": original,
    }
    for name, value in vars(original).items():
        if name[0] != "_" and name not in _NO_DRAW and callable(value):
            inside[name] = watched(ledger, value, _enter_numpy(ledger, kind, name))
    for name in ("__init__", "seed", "set_state"):
        if hasattr(original, name):
            entered = _enter_numpy_seed(ledger, kind, name)
            inside[name] = watched(ledger, getattr(original, name), entered)
    return _StandsFor(kind, (original,), inside)


def _number_of(ledger: Ledger, this: Any) -> int:
    number = getattr(this, NUMBER, None)
    if number is None:
        number = ledger.next_number()
        setattr(this, NUMBER, number)
    return int(number)


def _digest_of_bits(this: Any) -> bytes:
    """Return the hash of the state of a NumPy generator's bit generator."""
    return digest_of_state(this._bit_generator.state)  # noqa: SLF001 - RandomState has no other


def _enter_numpy(ledger: Ledger, kind: str, name: str) -> Enter:
    generator = "numpy" if kind == "RandomState" else "numpy generator"
    of_all, of_one = f"np.random.{name}", f"{kind}.{name}"
    positions = name in FROM_DATA

    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> None:
        this = args[0]
        if type(value) is float and not positions:  # the quick way: draws in a loop
            digest = digest_of(value)
        else:
            digest = None if draws_from_data(args[1:], kwargs) else digest_of(value)
        if digest is None:
            digest = _digest_of_bits(this)
        number = _number_of(ledger, this)
        ledger.draw(frame, generator, of_one if number else of_all, digest, instance=number)

    def draws_from_data(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        given = [*args, *kwargs.values()]
        if positions and not isinstance(first_of(given), int):
            return True
        return any(hasattr(item, "__array__") for item in given)

    return enter


def _enter_numpy_seed(ledger: Ledger, kind: str, name: str) -> Enter:
    generator = "numpy" if kind == "RandomState" else "numpy generator"

    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], _value: Any) -> None:
        this, *given = args
        number = _number_of(ledger, this)
        value = describe_seed(first_of([*given, *kwargs.values()]))
        if name == "set_state":
            value = f"state {_digest_of_bits(this).hex()}"
        made = name == "__init__"
        call = f"{kind}.{name}" if number else f"np.random.{name}"
        call = f"np.random.{kind}" if made else call
        ledger.seed(frame, generator, call, value, instance=number)

    return enter


def _default_rng(ledger: Ledger, original: Any, stand_in: Any) -> Any:
    original_kind = vars(stand_in)["_fpdrift_original"]

    @functools.wraps(original)
    def default_rng(seed: Any = None) -> Any:
        made = original(seed)
        if made is seed:
            return made
        if type(made) is original_kind:
            made = stand_in(made.bit_generator)
        frame = sys._getframe(1)  # noqa: SLF001 - as above
        if not ledger.ignores(frame):
            attempt(ledger, enter, frame, (seed,), {}, made)
        return made

    def enter(frame: FrameType, args: tuple[Any, ...], _kwargs: Any, made: Any) -> None:
        call, value = "np.random.default_rng", describe_seed(args[0])
        number = _number_of(ledger, made)
        ledger.seed(frame, "numpy generator", call, value, instance=number)

    return default_rng
