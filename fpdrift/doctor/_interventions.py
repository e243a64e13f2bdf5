"""Take away one source of differences between the runs of a script, from outside the script.

A source is taken away in a fresh process before the script begins, so that the script itself stays
as it is. If two runs are equal with a source taken away, and were not before, it is a cause.
"""

from __future__ import annotations

import builtins
import functools
import itertools
import os
import queue
import random
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any

from fpdrift.doctor._draw_hooks import after_import
from fpdrift.doctor._place import called_by_user, is_ours, is_users

#: Seed of every generator that an intervention seeds.
SEED = 20210411
#: Name of an intervention -> changes of the environment, made before the process starts.
ENVIRONMENT: dict[str, dict[str, str]] = {
    "hash seed": {"PYTHONHASHSEED": "0"},
    "pinned seeds": {"PYTHONHASHSEED": "0"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
#: Seconds that a clock of the script advances each time that it is read, and where it starts.
_TICK, _EPOCH = 0.05, 1_600_000_000.0
#: Seconds to wait for a thread before the next one is started, in all and while it waits itself.
_PATIENCE, _IDLE = 300.0, 1.0
#: Files through which a script asks the system for randomness.
_BETWEEN = {random.__file__, secrets.__file__, uuid.__file__}


def intervene(names: list[str], pinned: list[Any]) -> None:
    """Make interventions in this process.

    Parameters
    ----------
    names : list of str
        From `INTERVENTIONS`.
    pinned : list
        Seeds for "pinned seeds": the k-th call that sets a seed gets the k-th one.
    """
    for name in names:
        if name == "pinned seeds":
            # what a varying seed is made of may reach the training in other ways, too
            _pin_seeds(iter(pinned), lambda seed: seed)
            _fixed_clock()
            _fixed_entropy()
        elif name == "another seed":
            _pin_seeds(iter(()), lambda seed: seed + 1 if isinstance(seed, int) else seed)
            for seeding in (_seed_python, _seed_numpy, _seed_tensorflow):
                seeding(SEED + 1)
        elif name in INTERVENTIONS:
            INTERVENTIONS[name]()


def _seed_python(number: int = SEED) -> None:
    random.seed(number)
    random.seed = _reseeding(random.seed, number)
    kind = random.Random

    class Seeded(kind):  # type: ignore[valid-type, misc]
        """A generator that starts from a fixed seed where the script gives none."""

        def __init__(self, x: Any = None) -> None:
            super().__init__(SEED if x is None and called_by_user() else x)

    random.Random = Seeded  # type: ignore[misc]


def _seed_numpy(number: int = SEED) -> None:
    def install(generators: ModuleType) -> None:
        generators.seed(number)
        generators.seed = _reseeding(generators.seed, number)  # type: ignore[attr-defined]

    after_import("numpy.random", install)


def _reseeding(seed: Any, number: int) -> Any:
    """Return a function that seeds a generator with a number where it is called without one."""

    @functools.wraps(seed)
    def call(a: Any = None, *args: Any, **kwargs: Any) -> Any:
        return seed(number if a is None and not kwargs else a, *args, **kwargs)

    call.__self__ = getattr(seed, "__self__", None)  # type: ignore[attr-defined]
    return call


def _seed_generators() -> None:
    def seeded(make: Any, numbers: Any) -> Any:
        @functools.wraps(make)
        def default(seed: Any = None, *args: Any) -> Any:
            return make(next(numbers) if seed is None else seed, *args)

        return default

    def install(numpy: ModuleType) -> None:
        numpy.random.default_rng = seeded(numpy.random.default_rng, itertools.count(SEED))

        state = numpy.random.RandomState
        numbers = itertools.count(SEED)

        class Seeded(state):  # type: ignore[valid-type, misc]
            def __init__(self, seed: Any = None) -> None:
                super().__init__(next(numbers) if seed is None else seed)

        numpy.random.RandomState = Seeded

    after_import("numpy", install)


def _seed_tensorflow(number: int = SEED) -> None:
    def install(tensorflow: ModuleType) -> None:
        tensorflow.random.set_seed(number)
        numbers = itertools.count(number)
        generator = tensorflow.random.Generator
        generator.from_non_deterministic_state = staticmethod(
            lambda alg="philox": generator.from_seed(next(numbers), alg)
        )

    after_import("tensorflow", install)


def _fixed_entropy() -> None:
    stream = random.Random(SEED)  # noqa: S311 - it takes the place of a better one
    system, lock = os.urandom, threading.Lock()

    def urandom(size: int) -> bytes:
        if not _for_user():
            return system(size)
        with lock:
            return stream.randbytes(size)

    os.urandom = urandom
    random._urandom = urandom  # type: ignore[attr-defined]  # noqa: SLF001 - for SystemRandom


def _for_user() -> bool:
    """Return whether the system's randomness is for the script, through at most one library."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the way that is documented
    while frame is not None and is_between(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None and is_users(frame.f_code.co_filename)


def is_between(file: str) -> bool:
    """Return whether code passes a request for randomness on."""
    return is_ours(file) or file in _BETWEEN


def _serial_data() -> None:
    def install(tensorflow: ModuleType) -> None:
        dataset = tensorflow.data.Dataset
        for name, place in (("map", 1), ("interleave", 3)):
            setattr(dataset, name, _serial(getattr(dataset, name), place))

    def serial_workers(keras: ModuleType) -> None:
        init = keras.utils.PyDataset.__init__

        @functools.wraps(init)
        def alone(data: Any, *_: Any, **__: Any) -> None:
            init(data, workers=1, use_multiprocessing=False)

        keras.utils.PyDataset.__init__ = alone

    after_import("tensorflow", install)
    after_import("keras", serial_workers)


def _serial(method: Any, place: int) -> Any:
    @functools.wraps(method)
    def alone(dataset: Any, *args: Any, **kwargs: Any) -> Any:
        args = args[:place]
        for name in ("num_parallel_calls", "deterministic"):
            kwargs.pop(name, None)
        return method(dataset, *args, **kwargs)

    return alone


def _ordered_threads() -> None:
    """Have threads run one after another, and results come in the order of their tasks."""
    import multiprocessing.pool
    from concurrent import futures

    thread: Any = threading.Thread
    pool: Any = futures.ThreadPoolExecutor
    modules: Any = futures
    start, init, as_completed = thread.start, pool.__init__, modules.as_completed

    @functools.wraps(start)
    def start_alone(thread: threading.Thread) -> None:
        start(thread)
        if called_by_user():
            _join(thread)

    @functools.wraps(init)
    def one_worker(pool: Any, max_workers: Any = None, *args: Any, **kwargs: Any) -> None:
        init(pool, 1 if called_by_user() else max_workers, *args, **kwargs)

    @functools.wraps(as_completed)
    def in_order(tasks: Any, timeout: Any = None) -> Any:
        ordered = called_by_user() and not isinstance(tasks, set)
        return iter(list(tasks)) if ordered else as_completed(tasks, timeout)

    thread.start, pool.__init__, modules.as_completed = start_alone, one_worker, in_order
    # a producer must not wait for its consumer, which has not been started yet
    queues: Any = queue.Queue
    make = queues.__init__
    queues.__init__ = functools.wraps(make)(lambda self, maxsize=0: make(self, 0 * maxsize))
    pools: Any = multiprocessing.pool.Pool
    pools.imap_unordered = pools.imap


def _join(thread: threading.Thread) -> None:
    """Wait until a thread has ended, or waits for somebody who has not been started yet."""
    begun = waiting_since = time.monotonic()
    while thread.is_alive() and time.monotonic() - begun < _PATIENCE:
        thread.join(_IDLE / 10)
        frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - it is documented
        if frame is None or frame.f_code.co_filename not in (threading.__file__, queue.__file__):
            waiting_since = time.monotonic()
        elif time.monotonic() - waiting_since > _IDLE:
            return


def _fixed_clock() -> None:
    """Have the script's clocks advance by a fixed amount each time that they are read."""
    ticks = itertools.count()

    def tick(scale: float, kind: Callable[[float], Any], real: Any) -> Any:
        @functools.wraps(real)
        def read() -> Any:
            return kind((_EPOCH + _TICK * next(ticks)) * scale) if called_by_user() else real()

        return read

    for name in ("time", "perf_counter", "monotonic", "process_time"):
        setattr(time, name, tick(1, float, getattr(time, name)))
        setattr(time, f"{name}_ns", tick(1e9, int, getattr(time, f"{name}_ns")))
    own = os.getpid
    os.getpid = lambda: 4242 if called_by_user() else own()
    _fix_dates(ticks)


def _fix_dates(ticks: Iterator[int]) -> None:
    """Give the script, and nobody else, a `datetime` module whose clock is fixed.

    Compiled libraries rely on the layout of the real classes.
    """
    import datetime as real  # noqa: ICN001 - it is the module itself that is replaced

    class Fixed(real.datetime):
        """The date and time of the script's own clock."""

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(_EPOCH + _TICK * next(ticks), tz)

        @classmethod
        def today(cls) -> Any:
            return cls.now()

        @classmethod
        def utcnow(cls) -> Any:
            return cls.now(real.UTC).replace(tzinfo=None)

    class FixedDate(real.date):
        """The day of the script's own clock."""

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(_EPOCH)

    given = ModuleType("datetime")
    vars(given).update(vars(real), datetime=Fixed, date=FixedDate)
    find = builtins.__import__

    @functools.wraps(find)
    def fixed_import(name: str, *args: Any, **kwargs: Any) -> Any:
        return given if name == "datetime" and called_by_user() else find(name, *args, **kwargs)

    builtins.__import__ = fixed_import


def _op_determinism() -> None:
    def install(tensorflow: ModuleType) -> None:
        tensorflow.config.experimental.enable_op_determinism()

    after_import("tensorflow", install)


def _one_thread() -> None:
    def install(tensorflow: ModuleType) -> None:
        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)

    after_import("tensorflow", install)


def _pin_seeds(seeds: Iterator[Any], other: Callable[[Any], Any]) -> None:
    """Give every call that sets a seed the one that it got in an earlier run, or another."""

    def pinned(function: Any) -> Any:
        @functools.wraps(function)
        def call(seed: Any = None, *args: Any, **kwargs: Any) -> Any:
            if not called_by_user() or (seed is None and not kwargs):
                return function(seed, *args, **kwargs)
            return function(next(seeds, other(seed)))

        call.__self__ = getattr(function, "__self__", None)  # type: ignore[attr-defined]
        return call

    random.seed = pinned(random.seed)

    def pin(path: str) -> Callable[[ModuleType], None]:
        def install(module: ModuleType) -> None:
            *owners, name = path.split(".")
            owner: Any = functools.reduce(getattr, owners, module)
            setattr(owner, name, pinned(getattr(owner, name)))

        return install

    for library, path in SEEDING:
        after_import(library, pin(path))


#: Calls that take a seed: library, and place in it.
SEEDING = (
    ("numpy", "random.seed"),
    ("numpy", "random.default_rng"),
    ("tensorflow", "random.set_seed"),
    ("keras", "utils.set_random_seed"),
    ("torch", "manual_seed"),
)

INTERVENTIONS: dict[str, Callable[..., None]] = {
    "python seed": _seed_python,
    "numpy seed": _seed_numpy,
    "generator seeds": _seed_generators,
    "tensorflow seed": _seed_tensorflow,
    "fixed entropy": _fixed_entropy,
    "serial data": _serial_data,
    "ordered threads": _ordered_threads,
    "fixed clock": _fixed_clock,
    "op determinism": _op_determinism,
    "one thread": _one_thread,
}
