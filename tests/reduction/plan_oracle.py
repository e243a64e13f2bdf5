"""Plans run in plain code: one node after the other, in exact fractions."""

import math
from fractions import Fraction

from fpdrift.floats import FORMATS, from_bits, round_fraction, to_bits, to_fraction


def run_scalar(plan, values, dtype, accumulator=None):
    fmt, acc = FORMATS[dtype], FORMATS[accumulator or dtype]
    known = [rounded([x], fmt, acc) for x in values]
    for node in range(plan.nodes):
        terms = [known[kid] for kid in plan.children[plan.starts[node] : plan.starts[node + 1]]]
        if plan.aligned[node]:
            known.append(align(terms, acc, acc.precision + plan.extra_bits))
        else:
            known.append(rounded(terms, acc, acc))
    return rounded([known[-1]], acc, fmt)


def rounded(terms, fmt, target):
    """The exact sum of terms of a format, rounded once to the target."""
    if not all(math.isfinite(x) for x in map(float, terms)):
        return target.dtype.type(endless(terms))
    total = sum((to_fraction(x, fmt) for x in terms), Fraction(0))
    if not total and all(to_bits(x, fmt) == fmt.sign_bit for x in terms):
        return from_bits(target.sign_bit, target)
    return round_fraction(total, target)


def align(terms, fmt, kept):
    """Shift to the largest exponent, keep so many bits, add, keep the format's precision."""
    if not all(math.isfinite(x) for x in map(float, terms)):
        return fmt.dtype.type(endless(terms))
    exact = [to_fraction(x, fmt) for x in terms]
    largest = max(map(abs, exact))
    if not largest:
        return from_bits(0, fmt)
    total = sum((cut(x, largest, kept) for x in exact), Fraction(0))
    total = cut(total, abs(total), fmt.precision) if total else total
    size = abs(total)
    if size >= Fraction(2) ** (fmt.emax + 1):
        return from_bits(fmt.infinity_bits | (fmt.sign_bit if total < 0 else 0), fmt)
    return round_fraction(total, fmt)


def endless(terms):
    return sum(x for x in map(float, terms) if not math.isfinite(x))


def cut(x, scale, bits):
    """Truncate x so that a number of the size of scale would keep so many bits."""
    exponent = 0
    while Fraction(2) ** exponent <= scale:
        exponent += 1
    while Fraction(2) ** (exponent - 1) > scale:
        exponent -= 1
    quantum = Fraction(2) ** (exponent - bits)
    return math.trunc(x / quantum) * quantum
