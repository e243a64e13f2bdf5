"""Black boxes whose trees are known: the additions of a tree, done one at a time.

Nothing here runs a plan, and nothing here is NumPy's own arithmetic on arrays.
"""

import math
from fractions import Fraction

import numpy as np
from plan_oracle import run_scalar

from fpdrift.floats import FORMATS, round_fraction


def function_of(tree, dtype, accumulator=None):
    """Give the black box: the additions of the tree, one at a time."""
    fmt, acc = FORMATS[dtype], FORMATS[accumulator or dtype]
    add = added_in_floats if tree.binary else added_in_integers

    def black_box(x):
        with np.errstate(all="ignore"):
            return add(tree, x, fmt, acc)

    return black_box


def added_in_floats(tree, x, fmt, acc):
    wide = acc.name == "float64"
    known = x.astype(acc.dtype).tolist() if wide else list(x.astype(acc.dtype))
    push = known.append
    for one, other in tree.nodes:
        push(known[one] + known[other])
    last = known[-1]
    if acc is fmt or not math.isfinite(last) or not (wide and fmt.name == "bfloat16"):
        return fmt.dtype.type(last)
    return round_fraction(Fraction(last), fmt) if last else fmt.dtype.type(last)


def added_in_integers(tree, x, fmt, acc):
    """Each number is a whole multiple of the accumulator's smallest subnormal."""
    if not np.isfinite(x.astype(np.float64)).all():
        return run_scalar(tree.plan, x, fmt.name, acc.name)
    quantum = acc.quantum
    known = [as_integer(number, quantum) for number in x.astype(np.float64).tolist()]
    largest = 1 << (acc.emax + 1 - quantum)
    kept = acc.precision + tree.extra_bits
    for terms in tree.nodes:
        values = [known[i] for i in terms]
        if tree.aligned:
            drop = max(map(abs, values)).bit_length() - kept
            total = sum(values) if drop <= 0 else sum(cut(v, drop) for v in values)
            total = cut(total, abs(total).bit_length() - acc.precision)
        else:
            total = to_nearest(sum(values), acc.precision)
        if abs(total) >= largest:  # it overflows, which integers do not
            return run_scalar(tree.plan, x, fmt.name, acc.name)
        known.append(total)
    total = to_nearest(known[-1], fmt.precision, fmt.quantum - quantum)
    if abs(total) >= 1 << (fmt.emax + 1 - quantum):
        return fmt.dtype.type(math.copysign(math.inf, total))
    if np.signbit(x.astype(np.float64)).all() and total == 0 and not tree.aligned:
        return fmt.dtype.type(-0.0)
    return fmt.dtype.type(as_float(total, acc))


def as_integer(number, quantum):
    digits, power = number.as_integer_ratio()
    return digits << (1 - power.bit_length() - quantum)


def as_float(total, fmt):
    drop = max(abs(total).bit_length() - 53, 0)
    return math.ldexp(total >> drop, drop + fmt.quantum)


def cut(value, bits):
    if bits <= 0:
        return value
    size = abs(value) >> bits << bits
    return size if value >= 0 else -size


def to_nearest(value, precision, least=0):
    size = abs(value)
    drop = max(size.bit_length() - precision, least)
    if drop <= 0:
        return value
    rest = size & ((1 << drop) - 1)
    size >>= drop
    half = 1 << (drop - 1)
    size += rest > half or (rest == half and size & 1)
    return (size if value >= 0 else -size) << drop


class Counted:
    """A function that counts its calls."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *arrays):
        self.calls += 1
        return self.function(*arrays)
