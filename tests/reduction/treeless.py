"""Black boxes that follow no tree, and what `reveal` has to say about each."""

import math
from functools import partial, reduce

import numpy as np

from fpdrift.floats import FORMATS


def scalars(x):
    """Numbers one at a time: Python's floats are float64, and twice as fast as NumPy's."""
    return x.tolist() if x.dtype == np.float64 else list(x)


def chain_of(numbers):
    return reduce(lambda a, b: a + b, numbers)


def quiet(function):
    def black_box(x):
        with np.errstate(all="ignore"):
            return x.dtype.type(function(x))

    return black_box


def exactly(x):
    return math.fsum(x.astype(np.float64).tolist())


def by_value(x):
    return chain_of(scalars(np.sort(x)))


def kahan(x):
    total = correction = scalars(x[:1] * 0)[0]
    for value in scalars(x):
        corrected = value - correction
        before, total = total, total + corrected
        correction = (total - before) - corrected
    return total


def neumaier(x):
    total = correction = scalars(x[:1] * 0)[0]
    for value in scalars(x):
        before, total = total, total + value
        larger, smaller = (before, value) if abs(before) >= abs(value) else (value, before)
        correction = correction + ((larger - total) + smaller)
    return total + correction


def without_zeros(x):
    there = scalars(x[x != 0]) or [x.dtype.type(0)]
    while len(there) > 1:
        half = len(there) // 2
        there = [a + b for a, b in zip(there[:half], there[half:], strict=False)] + there[
            2 * half :
        ]
    return there[0]


def flushing(x):
    least = x.dtype.type(2.0 ** FORMATS[x.dtype.name].emin)
    there = np.where(np.abs(x) < least, x * 0, x)
    sums = np.add.accumulate(there)
    if not ((sums != 0) & (np.abs(sums) < least)).any():  # flushing them would change nothing
        return sums[-1]
    total = least - least
    for value in scalars(there):
        total = total + value
        if abs(total) < least:
            total = total * 0
    return total


def to_tens(x):
    total = float(chain_of(scalars(x)))
    return round(total, -1) if math.isfinite(total) else total


def by_sign(x):
    """In order, or from the end, as the largest number's sign says."""
    return chain_of(scalars(x if x[np.argmax(np.abs(x.astype(np.float64)))] >= 0 else x[::-1]))


def by_all_signs(x):
    """From the end if all are negative."""
    return chain_of(scalars(x[::-1] if (x < 0).all() else x))


def rising(x):
    """From the end if they rise already, as a sorting sum may."""
    return chain_of(scalars(x[::-1] if (x[1:] >= x[:-1]).all() else x))


def constant(x):
    """A product where they are all the same."""
    if len(x) > 4 and (x == x[0]).all():
        return x.dtype.type(float(x[0]) * len(x))
    return chain_of(scalars(x))


def two_widths(x):
    """All but the last three in the dtype, these in a wider one, as some libraries' tails are."""
    wide = np.float64 if x.dtype == np.float32 else np.float32
    tail = list(x[-3:].astype(wide))
    return chain_of([wide(chain_of(list(x[:-3]))), *tail] if len(x) > 3 else tail)


def by_signs(x):
    """What is positive first, then what is negative."""
    parts = [scalars(x[x > 0]), scalars(x[x <= 0])]
    return chain_of([chain_of(part) for part in parts if part])


def half_flushed(x):
    """Subnormal numbers of one sign are taken for zeros."""
    least = x.dtype.type(2.0 ** FORMATS[x.dtype.name].emin)
    return chain_of(scalars(np.where((x > 0) & (x < least), x * 0, x)))


def misaligned(x):
    """In order where the numbers start at a multiple of 16 bytes, else from the end."""
    return chain_of(scalars(x if x.ctypes.data % 16 == 0 else x[::-1]))


class Alternating:
    """In order and from the end in turn."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return chain_of(scalars(x if self.calls % 2 else x[::-1]))


class Warming:
    """In order for the first calls, then from the end, as a library that tunes itself."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return chain_of(scalars(x if self.calls < 500 else x[::-1]))


def shuffled(rng, x):
    return chain_of(scalars(rng.permutation(x)))


def rarely_shuffled(rng, x):
    return chain_of(scalars(rng.permutation(x) if rng.random() < 0.1 else x))


def arriving(rng, x):
    parts = [chain_of(scalars(part)) for part in np.array_split(x, min(5, len(x)))]
    return chain_of([parts[i] for i in rng.permutation(len(parts))])


def nan(x):
    return math.nan


def raising(x):
    message = "no sum today"
    raise ArithmeticError(message)


#: Name -> (maker of the function, its verdict from n = 5 on); None: it is refused with an error.
WITHOUT_TREE = {
    "exact": (lambda: exactly, "order-independent"),
    "sorted": (lambda: by_value, "order-independent"),
    "shuffled each call": (lambda: partial(shuffled, np.random.default_rng(1)), "inconsistent"),
    "chunks as they arrive": (lambda: partial(arriving, np.random.default_rng(2)), "inconsistent"),
    "Neumaier": (lambda: neumaier, "confirmed"),
    "Kahan": (lambda: kahan, "confirmed"),
    "zeros left out": (lambda: without_zeros, "inconsistent"),
    "subnormals flushed": (lambda: flushing, "confirmed, subnormals flushed"),
    "rounded to tens": (lambda: to_tens, "inconsistent"),
    "NaN": (lambda: nan, None),
    "raising": (lambda: raising, None),
    # These go beyond the eleven.
    "one call in ten shuffled": (
        lambda: partial(rarely_shuffled, np.random.default_rng(3)),
        "inconsistent",
    ),
    "order by a sign": (lambda: by_sign, "inconsistent"),
    "order by all signs": (lambda: by_all_signs, "not reproduced"),
    "order if they rise": (lambda: rising, "not reproduced"),
    "constant": (lambda: constant, "not reproduced"),
    "two widths": (lambda: two_widths, "not reproduced"),
    "by signs": (lambda: by_signs, "not reproduced"),
    "half flushed": (lambda: half_flushed, "not reproduced"),
    "misaligned": (lambda: misaligned, "confirmed at one alignment"),
    "in turn": (Alternating, "inconsistent"),
    "after some calls": (Warming, "inconsistent"),
}


def without_tree(name):
    return quiet(WITHOUT_TREE[name][0]())


_ONE = ("confirmed",)
_LOOSE = ("confirmed", "order-independent", "not reproduced", "inconsistent")
_FLUSHED = ("confirmed, subnormals flushed",)
#: Verdicts of 1, 2, and 3 or 4 inputs, where some of these cannot be told from a tree.
SMALL = {
    "exact": {1: _ONE, 2: _ONE, 3: ("order-independent",)},
    "sorted": {1: _ONE, 2: _ONE, 3: ("order-independent",)},
    "shuffled each call": {1: _ONE, 2: _ONE, 3: ("inconsistent",)},
    "chunks as they arrive": {1: _ONE, 2: _ONE, 3: ("inconsistent",)},
    "Neumaier": {1: _LOOSE, 2: _LOOSE, 3: ("order-independent", "confirmed")},
    "Kahan": {1: _LOOSE, 2: _LOOSE, 3: _LOOSE},
    "zeros left out": {1: _LOOSE, 2: _LOOSE, 3: _LOOSE},
    "subnormals flushed": dict.fromkeys((1, 2, 3), _FLUSHED),
    "rounded to tens": dict.fromkeys((1, 2, 3), ("not reproduced", "inconsistent")),
    "NaN": dict.fromkeys((1, 2, 3), (None,)),
    "raising": dict.fromkeys((1, 2, 3), (None,)),
    "one call in ten shuffled": {1: _ONE, 2: _ONE, 3: ("inconsistent",)},
    "order by a sign": {1: _ONE, 2: _ONE, 3: ("inconsistent",)},
    "order by all signs": {1: _ONE, 2: _ONE, 3: _LOOSE},
    "order if they rise": {1: _ONE, 2: _ONE, 3: _LOOSE},
    "constant": {1: _ONE, 2: _ONE, 3: _ONE},
    "two widths": {1: _ONE, 2: _ONE, 3: _ONE},
    "by signs": {1: _ONE, 2: _ONE, 3: ("not reproduced", "inconsistent")},
    "half flushed": dict.fromkeys((1, 2, 3), ("not reproduced",)),
    "misaligned": {1: _ONE, 2: _ONE, 3: ("confirmed at one alignment",)},
    "in turn": {1: _ONE, 2: _ONE, 3: ("inconsistent",)},
    "after some calls": {1: _ONE, 2: _ONE, 3: ("inconsistent",)},
}
