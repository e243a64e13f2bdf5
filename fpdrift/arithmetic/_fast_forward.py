"""Fast-forward a chain: skip runs of steps that provably repeat, and loop over the others.

The proof uses integers only. Inside one binade a float is an integer n of ulps, and an operation
with a constant takes n to ``v = (n * scale + offset) / unit`` exactly (a *line*), then rounds v to
the nearest integer. Consider two periods of steps. If every n has moved by a whole number of ulps
from one period to the next,
then so will every v of the next period, and what rounding takes off each, the *residual*, moves by
a constant too. As long as no residual reaches half an ulp and no n leaves its binade, each rounding
goes in the same direction, so that by induction all those periods are known without running them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpdrift.arithmetic._loops import (
    Operation,
    Step,
    by_table,
    compiled,
    operations,
    run,
    same,
    walk,
)
from fpdrift.errors import FpdriftError
from fpdrift.floats import Format


def cycle(states: list[Any], size: int) -> int:
    """Return the number of steps after which the last state recurred, or 0 if it never did.

    Here and below, `states` holds the state after each operation, `size` operations per step.
    """
    last = states[-1]
    if last == last and last not in states[:-1]:  # the common case: neither NaN nor seen before
        return 0
    steps = range(1, (len(states) - 1) // size + 1)
    return next((period for period in steps if same(states[-1 - period * size], last)), 0)


def periods(states: list[Any], size: int) -> Iterator[int]:
    """Yield candidate periods: the last moves occurred twice and do not repeat a shorter period."""
    moves = [b - a for a, b in zip(states, states[size:], strict=False)]
    found: list[list[Any]] = []
    for length in range(size, len(moves) // 2 + 1, size):
        if moves[-1] != moves[-1 - length] or moves[-length:] != moves[-2 * length : -length]:
            continue
        if any(moves[-length:] == (length // len(short)) * short for short in found):
            continue
        found.append(moves[-length:])
        yield length // size


def repeats(states: list[Any], step: Step, most: int, fmt: Format) -> tuple[int, float]:
    """Return how many periods after two known ones provably round in the same way.

    Parameters
    ----------
    states : list of float or NumPy scalar
        The state before the two periods, then the state after each of their operations.
    step : Step
        The operations of one step.
    most : int
        Maximum number of periods.
    fmt : Format
        A format in which every operation rounds once, to nearest, ties to even.

    Returns
    -------
    times : int
        Number of periods proved, at most `most`; 0 if none could be proved.
    value : float
        The state after the two known periods and the proved ones.
    """
    if not (all(states) and all(map(math.isfinite, states))):
        return 0, 0.0
    precision, quantum = fmt.precision, fmt.quantum
    path = [_split(x, precision, quantum) for x in states]
    half = len(path) // 2
    first, second = path[: half + 1], path[half:]
    moves = [m - n for (n, _), (m, _) in zip(first, second, strict=True)]
    if moves[0] != moves[-1] or any(a != b for (_, a), (_, b) in zip(first, second, strict=True)):
        return 0, 0.0
    lines: dict[tuple[int, int, int], tuple[int, int, int]] = {}
    for i in range(half):
        (n, a), (m, b) = second[i], second[i + 1]
        key = (i % len(step), a, b)
        if key not in lines:
            lines[key] = _line(step[key[0]], a, b)
        scale, offset, unit = lines[key]
        residual = n * scale + offset - m * unit
        drift = moves[i] * scale - moves[i + 1] * unit
        lowest = 1 if b == quantum else (1 << (precision - 1)) + 1
        most = min(
            most,
            _rounding_holds(2 * residual, 2 * drift, unit, most),
            _binade_holds(m, moves[i + 1], lowest, (1 << precision) - 1, most),
        )
        if most <= 0:
            return 0, 0.0
    n, a = second[-1]
    return most, math.ldexp(n + most * moves[-1], a)


def _split(x: Any, precision: int, quantum: int) -> tuple[int, int]:
    """Write a finite float as n * 2**a, n in ulps; subnormals share the lowest binade's ulp."""
    fraction, exponent = math.frexp(x)
    a = exponent - precision
    if a < quantum:
        a = quantum
    return int(math.ldexp(fraction, exponent - a)), a


def _line(operation: Operation, a: int, b: int) -> tuple[int, int, int]:
    """Return scale, offset and unit of an operation from ulps of 2**a to ulps of 2**b."""
    factor, e = _split(operation.factor, 53, -1074)  # float64 holds the factor of any format
    if operation.name == "multiply":
        up = a + e - b
        return (factor << up, 0, 1) if up >= 0 else (factor, 0, 1 << -up)
    if operation.name == "divide":
        up = a - e - b
        sign = 1 if factor > 0 else -1
        return (sign << up, 0, abs(factor)) if up >= 0 else (sign, 0, abs(factor) << -up)
    low = min(a, b, e)
    offset = factor << (e - low)
    return 1 << (a - low), offset if operation.name == "add" else -offset, 1 << (b - low)


def _rounding_holds(residual: int, drift: int, unit: int, most: int) -> int:
    """Return for how many periods twice the residual, drifting by `drift`, stays below the unit.

    A tie that does not drift went to an even number of ulps in both known periods, so it always
    will.
    """
    if abs(residual) > unit:  # not rounded to nearest
        return 0
    if not drift:
        return most
    return (unit - 1 - (residual if drift > 0 else -residual)) // abs(drift)


def _binade_holds(n: int, move: int, lowest: int, highest: int, most: int) -> int:
    """Return for how many periods |n|, moving by `move` in each, stays between two bounds."""
    if n < 0:
        n, move = -n, -move
    if not lowest <= n <= highest:
        return 0
    if not move:
        return most
    return (highest - n) // move if move > 0 else (n - lowest) // -move


#: Number of states searched for a period; the longest period found has half as many steps.
_LONGEST_TAIL = 1024


@dataclass(slots=True)
class Progress:
    """The current state of a chain."""

    value: Any
    done: int = 0
    #: runs of steps skipped, and steps computed by plain loops
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

    A window of steps is computed; if its tail shows a period, as many further periods as can be
    proved are skipped. Windows grow until skipping pays, so that the search costs no more than the
    loop.

    Raises
    ------
    FpdriftError
        If it takes longer than `max_seconds`.
    """
    # Python's floats are float64 and faster, but raise an error when dividing by zero.
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
    """Compute a window of steps, skip ahead if it has a period; return the next window's size."""
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
    # The cost of a search for periods, in loop steps, and a block of a few milliseconds.
    worth, block = (4096, 1 << 22) if compiled(step, fmt) else (64, 1 << 16)
    return 2 * period if jumped >= worth else min(4 * window, block)


def _jump(states: list[Any], step: Step, left: int, fmt: Format) -> tuple[int, int, Any]:
    """Return the steps to skip (at most `left`), the period they repeat, and the state after them.

    A 16-bit format skips only when a state recurs: its table needs no proof, and bfloat16
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
