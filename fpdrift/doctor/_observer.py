"""Observe the trainings of a script in its own process, without changing a bit of them."""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fpdrift.doctor._draw_hooks import after_import
from fpdrift.doctor._place import called_by_user, is_users

if TYPE_CHECKING:
    from fpdrift.doctor._draws import Ledger

#: Trainings that get a record, and steps of own loops that get an entry.
_RECORDS, _STEPS = 8, 1_000
#: Bytes of final weights that are kept to measure how far two runs are apart.
_KEPT = 1 << 28

Event = dict[str, Any]


class StepsDone(Exception):  # noqa: N818 - not an error: it ends a training that was cut short
    """The number of steps that a training may take is reached."""


class Observer:
    """Enter what happens to models into a list of events: trainings, steps, states, pipelines.

    Parameters
    ----------
    ledger : Ledger
        The draws of the same process; it knows whose code a frame runs.
    folder : str
        Where the records of the trainings are written.
    steps : int, optional
        Steps after which each call of `fit` ends.
    nudged : bool
        Move one weight by one ulp before the first training.
    """

    def __init__(
        self, ledger: Ledger, folder: str, steps: int | None = None, *, nudged: bool = False
    ) -> None:
        self.events: list[Event] = []
        self._ledger = ledger
        self._folder = folder
        self._steps = steps
        self._nudged = nudged
        self._depth = 0
        self._fits = 0
        self._own_steps = 0
        #: files that were asked for, and where
        self._asked: set[tuple[Any, tuple[str, int]]] = set()
        #: id of a model -> where it was compiled last
        self._compiled: dict[int, tuple[str, int]] = {}
        #: id of an optimizer -> its class, and the variables that it trains, in order of building
        self._trained: dict[int, tuple[Any, list[Any]]] = {}

    def install(self) -> None:
        """Observe what the script does from now on."""
        after_import("keras", self._observe_keras)
        after_import("tensorflow", self._observe_tensorflow)
        self._observe_threads()
        self._observe_clocks()
        self._observe_arrivals()
        self._observe_files()
        sys.addaudithook(self._audit)

    def enter(self, event: str, **more: Any) -> Event:
        """Enter an event with the line of the script that caused it, and the draws before it."""
        file, line = self._place()
        found = {"event": event, "file": file, "line": line, "draws": len(self._ledger), **more}
        self.events.append(found)
        return found

    def _place(self) -> tuple[str, int]:
        """Return the line of the script that led here."""
        frame = sys._getframe(1)  # noqa: SLF001 - the way that is documented
        return self._ledger.places.of(frame) or ("", 0)

    # -- Keras

    def _observe_keras(self, keras: ModuleType) -> None:
        keras.Model.fit = self._wrap_fit(keras.Model.fit)
        keras.Model.compile = self._wrap_compile(keras.Model.compile)
        keras.Model.train_on_batch = self._wrap_step(keras.Model.train_on_batch)
        keras.optimizers.Optimizer.build = self._wrap_build(keras.optimizers.Optimizer.build)
        keras.optimizers.Optimizer.apply = self._wrap_apply(keras.optimizers.Optimizer.apply)
        init = keras.utils.PyDataset.__init__

        @functools.wraps(init)
        def observed(data: Any, workers: int = 1, *args: Any, **kwargs: Any) -> None:
            if workers > 1:
                self.enter("parallel", call="PyDataset", workers=workers)
            init(data, workers, *args, **kwargs)

        keras.utils.PyDataset.__init__ = observed

    def _wrap_fit(self, fit: Any) -> Any:
        @functools.wraps(fit)
        def observed(model: Any, *args: Any, **kwargs: Any) -> Any:
            if self._depth or self._fits >= _RECORDS:
                return fit(model, *args, **kwargs)
            return self._fit(fit, model, args, kwargs)

        return observed

    def _fit(self, fit: Any, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        import inspect

        bound = inspect.signature(fit).bind_partial(model, *args, **kwargs)
        given = bound.arguments
        self._fits += 1
        self._nudge(model.weights)
        record = f"fit-{self._fits}.fpdrift"
        event = self.enter(
            "fit",
            call=f"{type(model).__name__}.fit",
            record=record,
            start=_digest(model.weights),
            data=_digest([given.get(name) for name in ("x", "y", "sample_weight")]),
            improper_labels=_are_improper(model, given.get("y")),
            compiled=self._compiled.get(id(model)),
        )
        given["callbacks"], recorder = self._callbacks(given.get("callbacks"), record)
        begun = time.process_time()
        self._depth += 1
        try:
            return fit(*bound.args, **bound.kwargs)
        except StepsDone as done:
            recorder.on_train_end()
            # the epoch that was cut short has a loss, too
            model.history.on_epoch_end(len(model.history.epoch), done.args[0])
            return model.history
        finally:
            self._depth -= 1
            event["seconds"] = time.process_time() - begun

    def _callbacks(self, given: Any, record: str) -> Any:
        import warnings

        import keras

        from fpdrift.errors import FpdriftWarning
        from fpdrift.recorder import DriftRecorder

        # the script may turn warnings into errors, and they are not about it
        warnings.filterwarnings("ignore", category=FpdriftWarning)
        ours = [DriftRecorder(Path(self._folder, record))]
        if self._steps is not None:
            ours.append(_stop_after(keras, self._steps))
        if isinstance(given, keras.callbacks.CallbackList):
            for callback in ours:
                given.append(callback)
            return given, ours[0]
        return [*keras.tree.flatten(given or []), *ours], ours[0]

    def _wrap_compile(self, compile_: Any) -> Any:
        @functools.wraps(compile_)
        def observed(model: Any, *args: Any, **kwargs: Any) -> Any:
            self._compiled[id(model)] = self._place()
            return compile_(model, *args, **kwargs)

        return observed

    def _wrap_step(self, train_on_batch: Any) -> Any:
        @functools.wraps(train_on_batch)
        def observed(model: Any, *args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            try:
                return train_on_batch(model, *args, **kwargs)
            finally:
                self._depth -= 1
                if not self._depth:
                    self._own_step(model.optimizer)

        return observed

    def _wrap_build(self, build: Any) -> Any:
        @functools.wraps(build)
        def observed(optimizer: Any, variables: Any) -> Any:
            variables = list(variables)
            if id(optimizer) not in self._trained:
                self._trained[id(optimizer)] = (optimizer, variables)
                if not self._depth:
                    self._nudge(variables)
                    name = type(optimizer).__name__
                    self.enter("loop", call=name, digest=_digest(variables))
            return build(optimizer, variables)

        return observed

    def _wrap_apply(self, apply: Any) -> Any:
        @functools.wraps(apply)
        def observed(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            try:
                return apply(optimizer, *args, **kwargs)
            finally:
                self._depth -= 1
                if not self._depth:
                    self._own_step(optimizer)

        return observed

    def _nudge(self, variables: list[Any]) -> None:
        """Move the first weight by one ulp, if that was asked for, and only once."""
        if self._nudged and variables and (first := _values(variables[0])) is not None:
            import numpy as np

            first = first.copy()
            first.flat[0] = np.nextafter(first.flat[0], first.dtype.type(np.inf))
            variables[0].assign(first)
            self._nudged = False

    def _own_step(self, optimizer: Any) -> None:
        """Enter the state after a step that the script's own loop has made."""
        self._own_steps += 1
        if self._own_steps > _STEPS or id(optimizer) not in self._trained:
            return
        digest = _digest(self._trained[id(optimizer)][1])
        if digest:  # a step that is being traced has no values
            self.enter("step", digest=digest, number=self._own_steps)

    # -- TensorFlow's pipelines

    def _observe_tensorflow(self, tensorflow: ModuleType) -> None:
        dataset = tensorflow.data.Dataset
        for name in ("map", "interleave"):
            setattr(dataset, name, self._wrap_parallel(name, getattr(dataset, name)))

    def _wrap_parallel(self, name: str, method: Any) -> Any:
        @functools.wraps(method)
        def observed(dataset: Any, *args: Any, **kwargs: Any) -> Any:
            calls = kwargs.get("num_parallel_calls", _positional(name, args))
            if calls is not None and calls != 1 and called_by_user():
                self.enter("parallel", call=f"Dataset.{name}", workers=int(calls))
            return method(dataset, *args, **kwargs)

        return observed

    # -- the process

    def _once(self, event: str, name: str, function: Any) -> Any:
        """Return a function that enters each line of the script that calls another one, once."""
        lines: set[tuple[str, int]] = set()

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if called_by_user() and (place := self._place()) not in lines:
                lines.add(place)
                self.enter(event, call=name)
            return function(*args, **kwargs)

        return call

    def _observe_clocks(self) -> None:
        """Enter each line that reads a clock or the number of the process."""
        for name in ("time", "perf_counter", "monotonic"):
            for full in (name, f"{name}_ns"):
                setattr(time, full, self._once("clock", f"time.{full}", getattr(time, full)))
        os.getpid = self._once("clock", "os.getpid", os.getpid)

    def _observe_arrivals(self) -> None:
        """Enter each line that takes results in the order in which they arrive."""
        import multiprocessing.pool
        import queue
        from concurrent import futures

        owners: tuple[tuple[Any, str], ...] = (
            (queue.Queue, "get"),
            (futures, "as_completed"),
            (multiprocessing.pool.Pool, "imap_unordered"),
        )
        for owner, name in owners:
            setattr(owner, name, self._once("arrival", name, getattr(owner, name)))

    def _observe_threads(self) -> None:
        threads: Any = threading.Thread
        start = threads.start

        @functools.wraps(start)
        def observed(thread: threading.Thread) -> None:
            caller = sys._getframe(1)  # noqa: SLF001 - as above
            if self._place()[0] and _is_direct(caller, "concurrent"):
                self.enter("thread", call="threading.Thread.start")
            start(thread)

        threads.start = observed

    def _audit(self, name: str, args: tuple[Any, ...]) -> None:
        if name in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.system"):
            if self._place()[0]:
                self.enter("process", call=name)
        elif name == "open":
            self._enter_file(args[0])

    def _enter_file(self, path: Any) -> None:
        """Enter that the script opens a file under its folder, or asks whether there is one."""
        place = self._place()
        if not isinstance(path, str | os.PathLike) or not place[0] or (path, place) in self._asked:
            return
        self._asked.add((path, place))
        whole = os.path.abspath(path)  # noqa: PTH100 - `Path.resolve` would ask for it, too
        if whole.startswith(os.getcwd()):  # noqa: PTH109 - as above
            self.enter("file", path=whole)

    def _observe_files(self) -> None:
        """Enter questions for files; `open` is observed by the interpreter itself."""

        def observed(ask: Any) -> Any:
            @functools.wraps(ask)
            def call(path: Any, *args: Any, **kwargs: Any) -> Any:
                if _is_direct(sys._getframe(1), "pathlib"):  # noqa: SLF001 - as above
                    self._enter_file(path)
                return ask(path, *args, **kwargs)

            return call

        for owner, name in ((os, "stat"), (os.path, "exists"), (os.path, "isfile")):
            setattr(owner, name, observed(getattr(owner, name)))

    # -- the end

    def finish(self) -> Event:
        """Read what all trainings left.

        Returns
        -------
        dict
            ``digest`` of all trained variables, ``steps`` of all optimizers, ``events``, and
            ``cpu``, seconds of all cores for the calls of `fit`, or for everything without any.
        """
        fits = [event["seconds"] for event in self.events if event["event"] == "fit"]
        cpu = sum(fits) if fits else time.process_time()
        if not self._trained:
            return {"digest": "", "steps": 0, "cpu": cpu, "events": self.events}
        import numpy as np

        variables = [v for _, trained in self._trained.values() for v in trained]
        arrays = [array for v in variables if (array := _values(v)) is not None]
        if sum(array.nbytes for array in arrays) <= _KEPT:
            numbers = [a.astype(np.float64).ravel() for a in arrays]
            np.save(Path(self._folder, "final.npy"), np.concatenate(numbers))
        steps = [_values(optimizer.iterations) for optimizer, _ in self._trained.values()]
        return {
            "digest": _digest(arrays),
            "steps": int(sum(int(s) for s in steps if s is not None)),
            "cpu": cpu,
            "events": self.events,
        }


def _is_direct(frame: Any, between: str) -> bool:
    """Return whether the user's code calls, itself or through one module of Python's."""
    while frame is not None and between in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None and is_users(frame.f_code.co_filename)


def _positional(name: str, args: tuple[Any, ...]) -> Any:
    """Return the number of parallel calls among positional arguments."""
    place = {"map": 1, "interleave": 3}[name]
    return args[place] if len(args) > place else None


def _stop_after(keras: Any, steps: int) -> Any:
    class StopAfter(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
        def __init__(self) -> None:
            super().__init__()
            self.left = steps
            self.logs: dict[str, Any] = {}

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.left -= 1
            self.logs = dict(logs or {})

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            if self.left <= 0:
                raise StepsDone(self.logs)

    return StopAfter()


def _are_improper(model: Any, labels: Any) -> bool:
    """Return whether labels for categorical cross-entropy do not sum to 1.

    With such labels, two ways to compute the loss have different gradients.
    """
    import numpy as np

    loss = model.loss if getattr(model, "compiled", False) else None
    name = loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", ""))
    if name != "categorical_crossentropy" or not isinstance(labels, np.ndarray):
        return False
    return bool(labels.ndim == 2 and np.any(np.abs(labels.sum(axis=-1) - 1) > 1e-3))


def _values(variable: Any) -> Any:
    import keras
    import numpy as np

    try:
        if isinstance(variable, np.ndarray):
            return variable
        return np.asarray(keras.ops.convert_to_numpy(variable))
    except Exception:  # noqa: BLE001 - deleted, symbolic, or not numbers at all
        return None


def _digest(values: list[Any]) -> str:
    """Return a digest of the bits of arrays; empty if one of them cannot be read now."""
    import hashlib

    import keras
    import numpy as np

    digest = hashlib.blake2b(digest_size=8)
    for value in keras.tree.flatten(values):
        if value is None:
            continue
        if not hasattr(value, "__array__"):
            return ""
        array = _values(value)
        if array is None:
            return ""
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        held = array.dtype.hasobject  # their bytes would be addresses
        digest.update(repr(array.tolist()).encode() if held else np.ascontiguousarray(array).data)
    return digest.hexdigest()
