"""Draw numbers that distinguish between methods of summation.

No single kind is enough. Random numbers of a wide range are the weakest, because the largest few
decide. Each kind reveals something that the others hide: a narrow range reveals compensated sums;
sums of zero with a tiny remainder, the order; plus/minus ladders, the precision of the accumulator;
ties, a second rounding; subnormals, whether they are flushed; zeros, whether they are skipped.

No sum of these numbers overflows, in any order. No row consists of -0 alone: its sum would depend
on where a loop starts, not on the order in which it adds.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ldexp

import numpy as np
import numpy.typing as npt

from fpdrift.floats import FORMATS, Format
from fpdrift.reduction._reveal._probing import Mask
from fpdrift.reduction._rounding import Floats, round_array

Wide = npt.NDArray[np.float64]

#: Precisions of the accumulators for which near-ties are made.
_PRECISIONS = sorted({fmt.precision for fmt in FORMATS.values()})
#: Bits that near-ties need in addition.
_BELOW = 6


def mixture(n: int, fmt: Format, rounds: int, rng: np.random.Generator) -> Floats:
    """Draw (kinds * rounds, n) numbers of the format, as many rows of each kind."""
    rows = [kind(rounds, n, fmt, rng) for kind in _KINDS]
    fitting = [p for p in _PRECISIONS if fmt.precision <= p <= fmt.emax - fmt.quantum - _BELOW]
    rows += [_near_ties(rounds, n, fmt, rng, p) for p in fitting]
    mixed = [rng.permuted(np.concatenate(rows), axis=1), _arranged(rounds, n, rng)]
    return round_array(_small_enough(np.concatenate(mixed), fmt), fmt)


def order_matters(n: int, fmt: Format, rounds: int, rng: np.random.Generator) -> Floats:
    """Draw (3 * rounds, n) numbers whose sum depends on the order, if any sum does."""
    gaps = (13, 26) if fmt.name == "float16" else (26, 70)
    rows = [_ladders(rounds, n, fmt, rng, gap) for gap in gaps]
    rows.append(_zero_sums(rounds, n, fmt, rng))
    return round_array(_small_enough(rng.permuted(np.concatenate(rows), axis=1), fmt), fmt)


def one_sign(n: int, fmt: Format, rounds: int, rng: np.random.Generator) -> Floats:
    """Draw (rounds, n) numbers of narrow and wide ranges, all or all but one with the same sign.

    A function that adds positive numbers first shows its order only if several numbers have the
    same sign.
    """
    exponents = np.where(
        np.arange(rounds)[:, None] % 2, rng.integers(-fmt.precision, 1, (rounds, n)), 0
    )
    rows = np.ldexp(1 + rng.random((rounds, n)), exponents)
    rows[1::4, 0] = -rows[1::4, 0]
    rows[rounds // 2 :] *= -1
    return round_array(_small_enough(rows, fmt), fmt)


def whole_numbers(n: int, fmt: Format, rounds: int, rng: np.random.Generator) -> Floats:
    """Draw (rounds, n) small integers, most of them zero, which every order adds exactly."""
    rows = np.where(np.arange(n) < 20, rng.integers(-9, 10, (rounds, n)), 0)
    rows[:, 0] = rng.integers(1, 10, rounds)
    return rng.permuted(rows, axis=1).astype(fmt.dtype)


def fresh_probes(n: int, fmt: Format, mask: Mask, rounds: int, rng: np.random.Generator) -> Floats:
    """Draw (rounds, n) probes of one or two pairs, with units at some indices and zeros elsewhere.

    Their sums are the same in every accumulator, so they test the tree alone.
    """
    rows = np.zeros((rounds, n), fmt.dtype)
    for row in rows:
        pairs = int(rng.integers(1, 1 + min(2, n // 2)))
        units = int(rng.integers(1, 1 + min(n, mask.most // 2)))
        row[rng.choice(n, units, replace=False)] = mask.unit
        places = rng.choice(n, 2 * pairs, replace=False)
        row[places[:pairs]] = mask.huge / pairs
        row[places[pairs:]] = -mask.huge / pairs
    return rows


def _signed(shape: tuple[int, ...], rng: np.random.Generator) -> Wide:
    """Draw numbers with magnitudes from 1 to 2 and random signs."""
    signed: Wide = (1 + rng.random(shape)) * rng.choice([-1.0, 1.0], shape)
    return signed


def _narrow(rounds: int, n: int, _: Format, rng: np.random.Generator) -> Wide:
    rows = _signed((rounds, n), rng)
    rows[::4] = np.abs(rows[::4])
    rows[2::4] = -np.abs(rows[2::4])
    return rows


def _arranged(rounds: int, n: int, rng: np.random.Generator) -> Wide:
    """Draw increasing, decreasing and constant rows, which some functions treat specially."""
    rows = np.sort(_signed((rounds, n), rng), axis=1)
    rows[1::3] = rows[1::3, ::-1]
    rows[2::3] = rows[2::3, :1]
    return rows


def _wide(rounds: int, n: int, fmt: Format, rng: np.random.Generator) -> Wide:
    low = max(fmt.emin, -60)
    exponents = rng.integers(low, min(-low, fmt.emax - 4), (rounds, n))
    return np.ldexp(_signed((rounds, n), rng), exponents)


def _zero_sums(rounds: int, n: int, fmt: Format, rng: np.random.Generator) -> Wide:
    """Draw numbers and their negatives, plus a remainder that is tiny in comparison."""
    half = max(n - 1, 1) // 2
    spread = rng.integers(1, 13, (rounds, 1))
    some = np.ldexp(_signed((rounds, half), rng), rng.integers(0, spread, (rounds, half)))
    tiny = np.ldexp(_signed((rounds, n - 2 * half), rng), 2 - fmt.precision)
    return np.concatenate([some, -some, tiny], axis=1)


def _ladders(rounds: int, n: int, fmt: Format, rng: np.random.Generator, gap: int) -> Wide:
    """Draw plus/minus pairs on a few levels `gap` binades apart, the remainder on the lowest."""
    rows = np.zeros((rounds, n))
    levels = range(fmt.emax - 4, fmt.quantum - 1, -gap)
    for number, row in enumerate(rows):
        one = number % 2  # a single pair reveals a node of two terms among nodes of many
        used, place = 2 if one else int(rng.integers(2, len(levels) + 1)), 0
        for level in levels[: used - 1]:
            pairs = min(1 if one else int(rng.integers(1, 4)), (n - 1 - place) // 2)
            for half in range(place, place + pairs):  # one at a time: too few for an array to pay
                row[half] = ldexp(1 + int(rng.integers(2)) / 2, level)
                row[half + pairs] = -row[half]
            place += 2 * pairs
        row[place:] = (1 + rng.integers(0, 8, n - place) / 8) * ldexp(1.0, levels[used - 1])
    return rows


def _near_ties(rounds: int, n: int, fmt: Format, rng: np.random.Generator, precision: int) -> Wide:
    """Draw fractions of an accumulator's ulp with a large number, in half the rows cancelled."""
    rows = rng.integers(1, 16, (rounds, n)) / 16
    rows[:, 0] = np.ldexp(1.0, precision - 1)
    rows[:, 1:2] *= rng.choice([1, -1, 2**12], (rounds, 1))
    if n > 2:
        rows[::2, 2] = -rows[::2, 0]
    return np.ldexp(rows, min(0, fmt.emax - 2 - precision))


def deep_ties(n: int, fmt: Format, rounds: int, rng: np.random.Generator) -> Floats:
    """Draw (rounds, n) ties with a remainder too small for a correction next to the half ulp.

    The exact sum is not a tie, but a compensated sum treats it as one. In every other row the
    remainder is only just too small, so that a wider format still holds it.
    """
    lost = 2 * fmt.precision
    rows = _ties(rounds, n, fmt, rng, range(lost + 2, lost + 44))
    rows[::2] = _ties(len(rows[::2]), n, fmt, rng, range(lost, lost + 3))
    return round_array(rng.permuted(rows, axis=1), fmt)


def wide_ties(n: int, fmt: Format, acc: Format, rounds: int, rng: np.random.Generator) -> Floats:
    """Draw (rounds, n) ties with a remainder that is just too small for a wider format.

    The exact sum is not a tie, but becomes one when rounded to the wider format first. In every
    other row, if n allows it, that rounding is a tie too, with a remainder that a compensated sum
    loses.
    """
    p = acc.precision
    rows = _ties(rounds, n, fmt, rng, range(p, p + 3))
    rows[::2] = _ties(len(rows[::2]), n, fmt, rng, range(p, p + 1), range(2 * p + 2, 2 * p + 5))
    return round_array(rng.permuted(rows, axis=1), fmt)


def _ties(rounds: int, n: int, fmt: Format, rng: np.random.Generator, *rests: range) -> Wide:
    """Draw near-ties that double rounding gets wrong: a number, half an ulp and a remainder.

    The remainder is below the last bit of any format in between; all other numbers are zero.
    `rests` are the positions of its bits; those that the format does not have are left out.
    """
    p, top = fmt.precision, max(0, fmt.quantum + 34)
    rows = np.zeros((rounds, n))
    rows[:, 0] = 1 + np.ldexp(rng.integers(0, 2 ** (p - 1), rounds).astype(float), 1 - p)
    lowest = top - fmt.quantum
    fitting = [rest for rest in rests or (range(p + 2, p + 44),) if rest.start < lowest]
    sizes = [np.full(rounds, p)]
    sizes += [rng.integers(rest.start, min(rest.stop, lowest), rounds) for rest in fitting]
    for place, size in enumerate(sizes[: n - 1], start=1):
        rows[:, place] = np.ldexp(rng.choice([-1.0, 1.0], rounds), -size)
    signed: Wide = np.ldexp(rows * rng.choice([-1.0, 1.0], (rounds, 1)), top)
    return signed


def _zeros(rounds: int, n: int, fmt: Format, rng: np.random.Generator) -> Wide:
    """Draw a few numbers among zeros of both signs, or a zero sum with a single plus zero."""
    rows = np.where(rng.random((rounds, n)) < 0.3, _signed((rounds, n), rng), 0.0)
    rows = np.where((rows == 0) & (rng.random((rounds, n)) < 0.5), -0.0, rows)
    rows[1::2, 1:] = _zero_sums(len(rows[1::2]), n - 1, fmt, rng) if n > 1 else 0
    rows[:, 0] = 0.0
    return rows


def _subnormals(rounds: int, n: int, fmt: Format, rng: np.random.Generator) -> Wide:
    """Draw subnormal numbers, and some that are slightly larger."""
    rows = rng.integers(-(2**fmt.fraction_bits), 2**fmt.fraction_bits, (rounds, n)).astype(float)
    rows *= np.where(rng.random((rounds, n)) < 0.2, 2.0 ** rng.integers(1, 5, (rounds, n)), 1)
    small: Wide = np.ldexp(rows, fmt.quantum)
    return small


def _ladder(rounds: int, n: int, fmt: Format, rng: np.random.Generator) -> Wide:
    return _ladders(rounds, n, fmt, rng, 13 if fmt.name == "float16" else 26)


_KINDS: tuple[Callable[[int, int, Format, np.random.Generator], Wide], ...] = (
    _narrow,
    _wide,
    _zero_sums,
    _ladder,
    _ties,
    _zeros,
    _subnormals,
)


def _small_enough(rows: Wide, fmt: Format) -> Wide:
    """Scale down rows whose magnitudes add up to more than a quarter of the largest number."""
    sizes = np.ldexp(np.abs(rows), -fmt.emax).sum(axis=1)
    shift = np.where(sizes > 0.25, -np.ceil(np.log2(np.maximum(sizes, 0.25) * 4)), 0)
    scaled: Wide = np.ldexp(rows, shift.astype(int)[:, None])
    return scaled
