"""Bring a chain forward: by jumps where a stretch can be proved, by plain loops where not."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpdrift.arithmetic.loops import Step, by_table, compiled, operations, run, walk
from fpdrift.arithmetic.stretch import cycle, periods, repeats
from fpdrift.errors import FpdriftError
from fpdrift.floats import Format

#: Longest tail of states in which a period is looked for: periods of up to half as many steps.
_LONGEST_TAIL = 1024


@dataclass(slots=True)
class Progress:
    """Where a chain stands."""

    value: Any
    done: int = 0
    #: stretches jumped over, and steps done by plain loops
    stretches: int = 0
    looped: int = 0


def advance(
    start: Any,
    factors: tuple[tuple[str, Any], ...],
    count: int,
    fmt: Format,
    max_seconds: float,
) -> Progress:
    """Take `count` steps from `start`.

    A window of steps is walked; if its tail shows a period, as many further periods as can be
    proved are jumped. Windows grow until that pays, so that looking costs no more than looping.

    Raises
    ------
    FpdriftError
        If it takes longer than `max_seconds`.
    """
    # Python's floats are float64 and faster, but they refuse to divide by zero.
    as_float = fmt.name == "float64" and all(f for name, f in factors if name == "divide")
    step = operations(factors, as_float=as_float)
    at = Progress(float(start) if as_float else start)
    began, window = time.monotonic(), 2
    with np.errstate(all="ignore"):
        while at.done < count:
            window = _move(at, step, count, window, fmt)
            seconds = time.monotonic() - began
            if seconds > max_seconds and at.done < count:
                raise _too_long(at, count, seconds, max_seconds)
        at.value = fmt.dtype.type(at.value)
    return at


def _move(at: Progress, step: Step, count: int, window: int, fmt: Format) -> int:
    """Walk a window of steps, jump if it shows a period, and give the next window's size."""
    size = min(window, count - at.done)
    tail = min(size, _LONGEST_TAIL)
    states = walk(run(at.value, step, size - tail, fmt), step, tail)
    at.value = states[-1]
    at.done += size
    at.looped += size
    left = count - at.done
    if not left:
        return window
    if fmt.bits == 16 and window >= _LONGEST_TAIL:
        jumped, period, at.value = left, left, by_table(at.value, step, left, fmt)
    else:
        jumped, period, at.value = _jump(states, step, left, fmt)
    at.done += jumped
    at.stretches += jumped > 0
    # What a look for periods costs, in steps of a loop, and a block of some milliseconds.
    worth, block = (4096, 1 << 22) if compiled(step, fmt) else (64, 1 << 16)
    return 2 * period if jumped >= worth else min(4 * window, block)


def _jump(states: list[Any], step: Step, left: int, fmt: Format) -> tuple[int, int, Any]:
    """Give steps to jump (at most `left`), the period they repeat, and the state after them.

    A 16-bit format jumps only when a state comes back: its table needs no proof, and bfloat16's
    arithmetic goes through float32, which rounds a subnormal result twice.
    """
    last, size = states[-1], len(step)
    if period := cycle(states, size):
        return left // period * period, period, last
    best = (0, 1, last)
    for period in periods(states, size) if fmt.bits > 16 else ():
        known = states[-1 - 2 * period * size :]
        times, value = repeats(known, step, left // period, fmt)
        if times * period > best[0]:
            best = (times * period, period, type(last)(value))
        if best[0] > len(states):
            break
    return best


def _too_long(at: Progress, count: int, seconds: float, max_seconds: float) -> FpdriftError:
    message = (
        f"chain: {at.done:,} of {count:,} steps in {seconds:.3g} s, at the value {at.value!s}; all "
        f"would take about {seconds * count / at.done:.2g} s; "
        f"take fewer steps or raise max_seconds={max_seconds!r}"
    )
    return FpdriftError(message)
