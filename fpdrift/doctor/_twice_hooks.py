"""Run a script twice in one process, as in a notebook whose cells are all run again."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fpdrift.doctor._draw_hooks import after_import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fpdrift.doctor._draws import Ledger


class TwiceHooks:
    """What the two runs train, and what is left over between them.

    Parameters
    ----------
    task : dict
        ``fresh``: kinds of leftovers to take away before the second run ("script variables",
        "modules", "Keras' settings").
    ledger : Ledger
        The draws of both runs.
    root : str
        Folder of the script; modules in it are its own.
    """

    def __init__(self, task: dict[str, Any], ledger: Ledger, root: str) -> None:
        self._fresh, self._ledger, self._root = task["fresh"], ledger, Path(root).resolve()
        #: id of an optimizer -> itself, its variables, and its steps before the present run
        self._trained: dict[int, tuple[Any, list[Any], int]] = {}
        self._found: dict[str, Any] = {}
        self._settings: dict[str, str] = {}
        self._first: tuple[str, int] = ("", 0)

    def install(self) -> None:
        """Watch optimizers as soon as the script imports Keras."""
        after_import("keras", self._wrap)

    def _wrap(self, keras: ModuleType) -> None:
        self._settings = _settings(keras)
        build = keras.optimizers.Optimizer.build

        @functools.wraps(build)
        def observed(optimizer: Any, variables: Any) -> Any:
            variables = list(variables)
            self._trained.setdefault(id(optimizer), (optimizer, variables, 0))
            return build(optimizer, variables)

        keras.optimizers.Optimizer.build = observed

    def begin_second(self, namespace: dict[str, Any]) -> None:
        """Read what the first run left, and take away what the task says."""
        self._first = self._result()
        own = dict(self._own_modules())
        self._found = {
            "draws": len(self._ledger),
            "modules": sorted(own),
            "variables": sorted(name for name in namespace if not name.startswith("__")),
            "settings": self._changed_settings(),
        }
        # draws of the same call and line are one entry: this ends it
        self._ledger._enter(("mark", "", "", "", 0, 0, None, None), b"")  # noqa: SLF001 - same room
        self._trained = {key: (o, vs, _steps(o)) for key, (o, vs, _) in self._trained.items()}
        if "script variables" in self._fresh:
            namespace.clear()
        if "modules" in self._fresh:
            for name in own:
                del sys.modules[name]
        if "Keras' settings" in self._fresh and "keras" in sys.modules:
            _reset(sys.modules["keras"], self._settings)

    def finish(self) -> dict[str, Any]:
        """Return ``digest`` and ``steps`` of the first run, and as ``twice`` all of the second."""
        if not self._found:  # there was one run only
            digest, steps = self._result()
            return {"digest": digest, "steps": steps}
        digest, steps = self._result()
        found = self._found | {"digest": digest, "steps": steps}
        return {"digest": self._first[0], "steps": self._first[1], "twice": found}

    def _result(self) -> tuple[str, int]:
        """Return a digest of all variables trained in the present run, and its steps."""
        from fpdrift.doctor._draw_digests import digest_of, hash_bytes

        digests, steps = [], 0
        for optimizer, variables, before in self._trained.values():
            if (made := _steps(optimizer) - before) > 0:
                digests += [digest_of(variable) or b"" for variable in variables]
                steps += made
        return hash_bytes(b"".join(digests)).hex() if digests else "", steps

    def _own_modules(self) -> Iterator[tuple[str, ModuleType]]:
        """Yield the modules that the script has imported from its own folder."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if name != "__main__" and file and Path(file).resolve().is_relative_to(self._root):
                yield name, module

    def _changed_settings(self) -> list[str]:
        if "keras" not in sys.modules:
            return []
        now = _settings(sys.modules["keras"])
        return [f"{n}: {v}, then {now[n]}" for n, v in self._settings.items() if now[n] != v]


def _steps(optimizer: Any) -> int:
    return int(optimizer.iterations)


def _settings(keras: ModuleType) -> dict[str, str]:
    """Return the settings of Keras that hold for the whole process."""
    return {name: str(read()) for name, (read, _) in _functions(keras).items()}


def _functions(keras: ModuleType) -> dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]]:
    """Return how each setting is read and set."""
    config = keras.config
    return {
        "dtype policy": (lambda: config.dtype_policy().name, config.set_dtype_policy),
        "floatx": (config.floatx, config.set_floatx),
        "epsilon": (config.epsilon, lambda text: config.set_epsilon(float(text))),
        "image data format": (config.image_data_format, config.set_image_data_format),
    }


def _reset(keras: ModuleType, settings: dict[str, str]) -> None:
    """Set Keras as it was after its import; the counters of names start over."""
    keras.backend.clear_session()
    for name, (_, write) in _functions(keras).items():
        write(settings[name])
