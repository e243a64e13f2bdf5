"""A ledger watches Python's generators and the operating system's entropy."""

from __future__ import annotations

import functools
import random
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from fpdrift.doctor._draw_digests import describe_seed, digest_of, digest_of_state
from fpdrift.doctor._draw_hooks import after_import
from fpdrift.doctor._draw_places import LIBRARY
from fpdrift.doctor._draw_wrappers import (
    FROM_DATA,
    Enter,
    first_of,
    watch_function,
    watched,
    watched_choice,
)

if TYPE_CHECKING:
    from fpdrift.doctor._draws import Ledger

_PYTHON = (
    *("random", "uniform", "triangular", "randint", "choice", "randrange", "sample", "shuffle"),
    *("choices", "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate"),
    *("gammavariate", "gauss", "betavariate", "binomialvariate", "paretovariate"),
    *("weibullvariate", "getrandbits", "randbytes"),
)
_SECRETS = ("choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe")


def watch_python(ledger: Ledger) -> None:
    """Have a ledger watch `random`, and what a script takes from the operating system's entropy."""
    _watch_generators(ledger)
    _watch_entropy(ledger)


def _watch_generators(ledger: Ledger) -> None:
    numbers: WeakKeyDictionary[random.Random, int] = WeakKeyDictionary()
    for name in filter(functools.partial(hasattr, random.Random), _PYTHON):
        wrap = watched_choice if name == "choice" else watched
        method = _enter_python_method(ledger, name, numbers)
        bound = getattr(random, name)
        for kind in (random.Random, random.SystemRandom):
            if kind is random.Random or name in vars(kind):
                setattr(kind, name, wrap(ledger, getattr(kind, name), method))
        setattr(random, name, wrap(ledger, bound, _enter_python(ledger, name)))
    # `random.shuffle` takes a `getrandbits` for each item: on the instance it finds the plain one.
    shared: Any = random.seed.__self__  # type: ignore[attr-defined]
    for name in ("random", "getrandbits"):
        setattr(shared, name, getattr(random, name).__wrapped__)
    for name in ("seed", "setstate"):
        watch_function(random, name, ledger, _enter_python_seed(ledger, f"random.{name}"))
    for name in ("__init__", "seed", "setstate", "__setstate__"):
        call = "random.Random" if name == "__init__" else f"Random.{name.strip('_')}"
        watch_function(random.Random, name, ledger, _enter_python_seed(ledger, call, numbers))


def _enter_python(ledger: Ledger, name: str) -> Enter:
    call, from_state = f"random.{name}", name in FROM_DATA and name != "choice"

    def enter(frame: FrameType, _args: Any, _kwargs: Any, value: Any) -> None:
        digest = digest_of_state(random.getstate()) if from_state else digest_of(value)
        ledger.draw(frame, "python", call, digest or b"")

    return enter


def _enter_python_method(
    ledger: Ledger, name: str, numbers: WeakKeyDictionary[random.Random, int]
) -> Enter:
    from_state = name in FROM_DATA and name != "choice"
    entropy = _enter_entropy(ledger, f"SystemRandom.{name}")

    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> None:
        this = args[0]
        if isinstance(this, random.SystemRandom):
            entropy(frame, args[1:], kwargs, value)
            return
        if this not in numbers:
            numbers[this] = ledger.next_number()
        number = numbers[this]
        if number > 0:
            digest = digest_of_state(this.getstate()) if from_state else digest_of(value)
            ledger.draw(frame, "python", f"Random.{name}", digest or b"", instance=number)

    return enter


def _enter_python_seed(
    ledger: Ledger, call: str, numbers: WeakKeyDictionary[random.Random, int] | None = None
) -> Enter:
    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], _value: Any) -> None:
        number, given = 0, args
        if numbers is not None:
            this, *rest = args
            given = tuple(rest)
            if isinstance(this, random.SystemRandom):
                return
            made = call.endswith(".Random")
            # A library's own generator chooses names, or waits; the script's results need none.
            if made and ledger.places.library(frame):
                numbers[this] = -1
            elif made or this not in numbers:
                numbers[this] = ledger.next_number()
            number = numbers[this]
        if number >= 0:
            value = first_of([*given, *kwargs.values()])
            text = describe_seed(value)
            if call.endswith("setstate"):
                text = f"state {digest_of_state(value).hex()}"
            ledger.seed(frame, "python", call, text, instance=number)

    return enter


def _watch_entropy(ledger: Ledger) -> None:
    for owner, names in (("os", ("urandom", "getrandom")), ("secrets", _SECRETS)):
        after_import(owner, functools.partial(_watch_entropy_of, ledger, names))
    after_import("uuid", functools.partial(_watch_entropy_of, ledger, ("uuid1", "uuid4")))


def _watch_entropy_of(ledger: Ledger, names: tuple[str, ...], module: ModuleType) -> None:
    for name in names:
        watch_function(module, name, ledger, _enter_entropy(ledger, f"{module.__name__}.{name}"))


def _enter_entropy(ledger: Ledger, call: str) -> Enter:
    def enter(frame: FrameType, args: tuple[Any, ...], _kwargs: Any, value: Any) -> None:
        # A library takes it for names and keys, all the time.
        if ledger.places.kind(frame.f_code.co_filename) < LIBRARY:
            drawn = args[0] if value is None and args else value
            drawn = drawn.bytes if hasattr(drawn, "bytes") else drawn
            ledger.draw(frame, "entropy", call, digest_of(drawn) or b"")

    return enter
