"""Prove for how long a chain goes on repeating itself, with integers alone.

Inside one binade a float is an integer n of ulps, and an operation with a constant takes n to
``v = (n * scale + offset) / unit`` exactly (a *line*), then rounds v to the nearest integer. Watch
two periods of steps. If every n has moved by a whole number of ulps from one period to the next,
then so will the v of the period after, and what rounding takes off each, the *residual*, moves by
a constant too. As long as no residual reaches half an ulp and no n leaves its binade, each rounding
decides as before, so that by induction all those periods are known without running them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from fpdrift.arithmetic.loops import Operation, Step, same
from fpdrift.floats import Format


def cycle(states: list[Any], size: int) -> int:
    """Give the steps after which the last state came back, or 0 if it never did.

    Here and below `states` are those after each operation, `size` operations a step.
    """
    last = states[-1]
    if last == last and last not in states[:-1]:  # quickly: neither NaN nor seen before
        return 0
    steps = range(1, (len(states) - 1) // size + 1)
    return next((period for period in steps if same(states[-1 - period * size], last)), 0)


def periods(states: list[Any], size: int) -> Iterator[int]:
    """Guess periods: the last moves look twice the same, and are no shorter period repeated."""
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
    """Count the periods that follow two known ones and round just like them.

    Parameters
    ----------
    states : list of float or NumPy scalar
        The state before the two periods, then that after each of their operations.
    step : Step
        What one step does.
    most : int
        Periods wanted.
    fmt : Format
        A format in which every operation rounds once, to nearest, ties to even.

    Returns
    -------
    times : int
        Periods proved, at most `most`; 0 where nothing could be proved.
    value : float
        The state after the two known periods and these.
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
    """Give scale, offset and unit of an operation from ulps of 2**a to ulps of 2**b."""
    factor, e = _split(operation.factor, 53, -1074)  # a float64 holds the factor in any format
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
    """Periods for which twice the residual stays below the unit, drifting by `drift` in each.

    A tie that does not drift went to even ulps in both known periods, so it always will.
    """
    if abs(residual) > unit:  # not rounded to nearest
        return 0
    if not drift:
        return most
    return (unit - 1 - (residual if drift > 0 else -residual)) // abs(drift)


def _binade_holds(n: int, move: int, lowest: int, highest: int, most: int) -> int:
    """Periods for which |n| stays between two bounds, moving by `move` in each."""
    if n < 0:
        n, move = -n, -move
    if not lowest <= n <= highest:
        return 0
    if not move:
        return most
    return (highest - n) // move if move > 0 else (n - lowest) // -move
