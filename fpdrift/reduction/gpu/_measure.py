"""Measure sums on a real device, and the cost of making them deterministic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fpdrift.backends.devices import GPU_LIBRARIES, Device, Operation, open_device
from fpdrift.errors import FpdriftError
from fpdrift.provenance import current
from fpdrift.reduction.gpu._results import DeterminismCost, GpuRun, GpuSums, Inputs
from fpdrift.reduction.gpu._variability import Tally
from fpdrift.serialization import read_only

Progress = Callable[[int, int], None]

#: Average number of inputs per output element: enough for the order to matter.
_INPUTS_PER_PLACE = 64
#: Rows of the first matrix and columns of the second.
_ROWS = 64
#: Pairs of times, including a warm-up that is discarded.
_REPEATS = 11
#: Seconds after which no more tries, or pairs of times, of an operation are started.
_SECONDS = 10.0


def live(
    inputs: Inputs, tries: int, library: str | None, device: str, progress: Progress
) -> GpuSums:
    """Run every operation that the device supports, many times for each size.

    Parameters
    ----------
    inputs : Inputs
    tries : int
        Number of tries; fewer, but at least 2, if they take longer than 10 seconds.
    library : str or None
        By default the first that finds such a device.
    device : {"gpu", "cpu"}
    progress : callable
        Called with the number of operations done and the total.

    Returns
    -------
    GpuSums
        Without runs if no device was found; `skipped` says why.
    """
    skipped: dict[str, str] = {}
    found = first_device(library, device, skipped)
    if found is None:
        return inputs.result(origin="live", runs=(), costs=(), skipped=skipped)
    return on_device(found, inputs, tries, progress, skipped)


def on_device(
    device: Device, inputs: Inputs, tries: int, progress: Progress, skipped: dict[str, str]
) -> GpuSums:
    """Run the same operations on an open device."""
    session = _Session(device, inputs, tries, dict(skipped) | device.missing)
    if inputs.dtype not in device.dtypes:
        known = ", ".join(device.dtypes)
        session.skipped[inputs.dtype] = (
            f"{device.library} supports {known} here; choose one of them"
        )
    else:
        todo = [(n, operation) for n in inputs.sizes for operation in device.operations]
        for done, (n, operation) in enumerate(todo):
            progress(done, len(todo))
            session.measure(operation, n)
        progress(len(todo), len(todo))
    result = inputs.result(
        origin="live",
        device=device.name,
        on_gpu=device.on_gpu,
        library=device.library,
        runs=tuple(session.runs),
        costs=tuple(session.costs),
        skipped=session.skipped,
    )
    if device.on_gpu:
        object.__setattr__(result, "_provenance", replace(current(), device=device.name))
    return result


def first_device(library: str | None, device: str, reasons: dict[str, str]) -> Device | None:
    """Return the first device that a library finds; the others' errors are added to `reasons`."""
    for name in GPU_LIBRARIES if library is None else (library,):
        try:
            return open_device(name, device)
        except FpdriftError as error:
            reasons[name] = str(error)
    return None


@dataclass(slots=True)
class _Session:
    device: Device
    inputs: Inputs
    tries: int
    skipped: dict[str, str]
    runs: list[GpuRun] = field(default_factory=list)
    costs: list[DeterminismCost] = field(default_factory=list)

    def measure(self, operation: Operation, n: int) -> None:
        """Run one operation in both modes; if the library raises, record the reason."""
        if operation.name == "matmul TF32" and self.inputs.dtype != "float32":
            self.skipped[operation.name] = "TF32 requires float32"
            return
        try:
            arguments = self._arguments(operation, n)
            stable = self._deterministic_mode(operation, arguments, n)
            self._run_both(operation, arguments, n, stable)
        except Exception as error:  # noqa: BLE001 - libraries raise errors of any kind
            self.skipped[f"{operation.name}, n = {n:,}"] = reason(error)

    def _run_both(
        self, operation: Operation, arguments: Any, n: int, stable: _DeterministicMode | None
    ) -> None:
        def plain() -> Any:
            return operation.call(*arguments)

        reference = self.device.get(plain()) if stable is None else stable.tally.reference
        source = "the first try" if stable is None else stable.by
        tally = Tally(reference)
        for _ in _in_time(self.tries, 2):
            tally.add(self.device.get(plain()))
        always = self.device.always
        self.runs.append(_run(tally, operation, n, deterministic=always, reference_is=source))
        if stable is not None:
            same = stable.operation
            self.runs.append(_run(stable.tally, same, n, deterministic=True, reference_is=source))
            self.costs.append(
                DeterminismCost(
                    operation=operation.name,
                    n=n,
                    switch=stable.by,
                    ratios=read_only(self._ratios(plain, stable), np.float64),
                )
            )

    def _deterministic_mode(
        self, operation: Operation, arguments: Any, n: int
    ) -> _DeterministicMode | None:
        """Run the deterministic operation first: the others are measured against it."""
        what = f"{operation.name}, deterministic"
        if operation.twin is not None:
            twin = operation.twin
            stable = _DeterministicMode(twin, twin.name, nullcontext, lambda: twin.call(*arguments))
        elif self.device.deterministic_mode is not None:
            switch, around = self.device.switch, self.device.deterministic_mode
            stable = _DeterministicMode(
                operation, switch, around, lambda: operation.call(*arguments)
            )
        else:
            if not self.device.always:
                self.skipped[what] = self.device.switch
            return None
        try:
            with stable.around():
                stable.tally = Tally(self.device.get(stable.call()))
                for _ in _in_time(self.tries, 2):
                    stable.tally.add(self.device.get(stable.call()))
        except Exception as error:  # noqa: BLE001 - libraries raise errors of any kind
            self.skipped[f"{what}, n = {n:,}"] = reason(error)
            return None
        return stable

    def _ratios(self, plain: Callable[[], Any], stable: _DeterministicMode) -> list[float]:
        """Time both alternately, and reverse their order in every other pair."""
        ratios = []
        for repeat in _in_time(_REPEATS + 1, 4):
            took = {}
            for fixed in (True, False) if repeat % 2 else (False, True):
                with stable.around() if fixed else nullcontext():
                    began = time.perf_counter()
                    self.device.wait(stable.call() if fixed else plain())
                    took[fixed] = time.perf_counter() - began
            ratios.append(took[True] / max(took[False], 1e-9))
        return ratios[1:]

    def _arguments(self, operation: Operation, n: int) -> tuple[Any, ...]:
        values = self.inputs.draw(n)
        put = self.device.put
        if operation.takes == "numbers":
            return (put(values),)
        if operation.takes == "matrices":
            rows = min(_ROWS, n)
            values = values[: n // rows * rows]
            return put(values.reshape(rows, -1)), put(values[::-1].reshape(-1, rows).copy())
        outputs = max(1, n // _INPUTS_PER_PLACE)
        places = np.random.default_rng([self.inputs.seed, n]).integers(outputs, size=n)
        return put(values), put(places.astype(np.int32)), outputs


@dataclass(slots=True)
class _DeterministicMode:
    """An operation in its deterministic mode."""

    operation: Operation
    #: what makes it deterministic
    by: str
    around: Callable[[], AbstractContextManager[None]]
    call: Callable[[], Any]
    tally: Tally = field(init=False)


def _in_time(most: int, least: int) -> Iterator[int]:
    """Count up to `most`, or stop early once the time is up."""
    began = time.perf_counter()
    for number in range(most):
        if number >= least and time.perf_counter() - began > _SECONDS:
            return
        yield number


def _run(tally: Tally, operation: Operation, n: int, **known: Any) -> GpuRun:
    return tally.run(operation.name, n, function=operation.function, **known)


def reason(error: Exception) -> str:
    """Return a library's error as one line."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return words if len(words) <= 200 else f"{words[:197]}..."
