"""Run one phase of a check whether a script's training resumes: all of it, one half, the other.

The script runs unchanged up to its first call of `fit` with two epochs or more; that call is cut
in two, and the script ends after it.
"""

from __future__ import annotations

import functools
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fpdrift.doctor._draw_hooks import after_import

if TYPE_CHECKING:
    from fpdrift.doctor._draws import Ledger

#: What the phases leave for each other in their common folder.
_MIDDLE, _MODEL, _WEIGHTS = "middle.pickle", "model.keras", "model.weights.h5"


class ResumeHooks:
    """One phase.

    Parameters
    ----------
    task : dict
        ``phase`` ("full", "first" or "second"), ``shared`` (a folder of all phases), ``save``
        ("model" or "weights"), and ``restore``, the kinds of state that the second half gets from
        the full run.
    ledger : Ledger
        It knows whose code a frame runs.
    """

    def __init__(self, task: dict[str, Any], ledger: Ledger) -> None:
        self._phase, self._save = task["phase"], task["save"]
        self._restored = task["restore"]
        self._shared = Path(task["shared"])
        self._found: dict[str, Any] = {}
        self._ledger = ledger
        self._busy = False

    def install(self) -> None:
        """Watch `fit` as soon as the script imports Keras."""
        after_import("keras", self._wrap)

    def finish(self) -> dict[str, Any]:
        """Return what was found: ``middle``, ``end``, ``epochs``, ``cut``, ``data``, ``place``."""
        return {"digest": self._found.get("end", ""), "steps": self._found.get("steps", 0)} | {
            "resume": self._found
        }

    def _place(self) -> tuple[str, int]:
        """Return file and line of the script's call of `fit`."""
        frame = sys._getframe(1)  # noqa: SLF001 - the way that is documented
        return self._ledger.places.of(frame) or ("", 0)

    def _wrap(self, keras: ModuleType) -> None:
        fit = keras.Model.fit

        @functools.wraps(fit)
        def cut(model: Any, *args: Any, **kwargs: Any) -> Any:
            import inspect

            bound = inspect.signature(fit).bind_partial(model, *args, **kwargs)
            begin = bound.arguments.get("initial_epoch", 0)
            epochs = bound.arguments.get("epochs", 1)
            if self._busy or epochs - begin < 2:
                return fit(model, *args, **kwargs)
            self._busy = True
            middle = begin + (epochs - begin) // 2
            self._found |= {"epochs": epochs - begin, "cut": middle - begin}
            self._found |= {"data": _describe(bound.arguments), "place": self._place()}
            self._run(fit, model, bound, middle)
            sys.exit(0)

        keras.Model.fit = cut

    def _run(self, fit: Any, model: Any, bound: Any, middle: int) -> None:
        given, theirs = bound.arguments, _callbacks(bound.arguments.get("callbacks"))
        first, last = self._watchers(model, theirs, middle)
        given["callbacks"] = _around(given.get("callbacks"), first, last)
        if self._phase == "first":
            given["epochs"] = middle
        elif self._phase == "second":
            given["initial_epoch"] = middle
            if model.built:
                self._load(model)
        fit(*bound.args, **bound.kwargs)
        if self._phase == "first":
            self._write(model)
        self._found["end"] = _digest_of_model(model)
        self._found["steps"] = int(model.optimizer.iterations)

    def _watchers(self, model: Any, theirs: list[Any], middle: int) -> tuple[Any, Any]:
        """Return a callback to be called before all others, and one after them."""
        import keras

        from fpdrift.doctor._resume_state import digests, read_state, restore

        load = None if model.built or self._phase != "second" else functools.partial(self._load)
        here = self

        class First(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
            def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
                if load is not None:
                    load(self.model)

        class Last(keras.callbacks.Callback):  # type: ignore[misc]  # as above
            def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
                if here._phase == "second":
                    here._found["middle"] = digests(read_state(self.model, theirs))
                    if here._restored:
                        kept = here._read_middle()
                        chosen = {kind: kept[kind] for kind in here._restored if kind in kept}
                        restore(self.model, theirs, chosen)

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
                if epoch == middle - 1 and here._phase != "second":
                    state = read_state(self.model, theirs)
                    here._found["middle"] = digests(state)
                    if here._phase == "full":
                        here._keep_middle(state)

        return First(), Last()

    # -- files

    def _keep_middle(self, state: dict[str, Any]) -> None:
        import pickle

        (self._shared / _MIDDLE).write_bytes(pickle.dumps(state))

    def _read_middle(self) -> dict[str, Any]:
        import pickle

        content: dict[str, Any] = pickle.loads((self._shared / _MIDDLE).read_bytes())
        return content

    def _write(self, model: Any) -> None:
        if self._save == "model":
            model.save(self._shared / _MODEL)
        else:
            model.save_weights(self._shared / _WEIGHTS)

    def _load(self, model: Any) -> None:
        """Load what the first half saved, as a script would: a whole model has its optimizer."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the check itself reports what was not loaded
            if self._save == "weights":
                fresh = [variable.numpy() for variable in model.optimizer.variables]
                model.load_weights(self._shared / _WEIGHTS)
                # a script loads weights before its optimizer is built; Keras skips it then
                for variable, value in zip(model.optimizer.variables, fresh, strict=True):
                    variable.assign(value)
                return
            if not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
            model.load_weights(self._shared / _MODEL)


def _callbacks(given: Any) -> list[Any]:
    """Return the callbacks that the script gave to `fit`."""
    import keras

    if isinstance(given, keras.callbacks.CallbackList):
        return list(given.callbacks)
    return list(keras.tree.flatten(given or []))


def _around(given: Any, first: Any, last: Any) -> Any:
    import keras

    if isinstance(given, keras.callbacks.CallbackList):
        given.callbacks.insert(0, first)
        first.set_model(given.model if hasattr(given, "model") else None)
        given.append(last)
        return given
    return [first, *_callbacks(given), last]


def _describe(given: dict[str, Any]) -> str:
    """Describe the data of a training, and how they are ordered."""
    x = given.get("x")
    if hasattr(x, "__array__") or isinstance(x, list | tuple | dict):
        return "arrays, shuffled by fit" if given.get("shuffle", True) else "arrays"
    module = type(x).__module__
    if module.startswith("tensorflow."):
        return "a tf.data pipeline"
    return "a generator" if hasattr(x, "__next__") else type(x).__name__


def _digest_of_model(model: Any) -> str:
    """Return a digest of all variables of a model and its optimizer."""
    from fpdrift.doctor._draw_digests import digest_of, hash_bytes

    variables = [*model.variables, *model.optimizer.variables]
    return hash_bytes(b"".join(digest_of(v) or b"" for v in variables)).hex()
