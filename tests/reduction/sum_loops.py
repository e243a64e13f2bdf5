"""Sums as their papers write them: one number after the other, in scalars of the dtype."""


def recursive(values):
    total = values[0]
    for x in values[1:]:
        total = total + x
    return total


def two_sum(a, b):
    x = a + b
    z = x - a
    return x, (a - (x - z)) + (b - z)


def kahan(values):
    """Higham's Algorithm 4.2: e is what the addition before has lost."""
    s = e = values.dtype.type(0)
    for x in values:
        temp = s
        y = x + e
        s = temp + y
        e = (temp - s) + y
    return s


def neumaier_step(total, x):
    t = total + x
    return t, (total - t) + x if abs(total) >= abs(x) else (x - t) + total


def neumaier(values):
    total = correction = values.dtype.type(0)
    for x in values:
        total, error = neumaier_step(total, x)
        correction = correction + error
    return total + correction


def klein(values):
    total = first = second = values.dtype.type(0)
    for x in values:
        total, error = neumaier_step(total, x)
        first, error = neumaier_step(first, error)
        second = second + error
    return (total + first) + second


def sum_k(values, k):
    p = list(values)
    for _ in range(k - 1):
        for i in range(1, len(p)):
            p[i], p[i - 1] = two_sum(p[i], p[i - 1])
    total = values.dtype.type(0)
    for x in p[:-1]:
        total = total + x
    return total + p[-1]


def in_pairs(values, add):
    """Add neighbours, then neighbouring sums; what is left over waits."""
    sums = list(values)
    while len(sums) > 1:
        paired = [add(a, b) for a, b in zip(sums[::2], sums[1::2], strict=False)]
        sums = paired + sums[len(sums) // 2 * 2 :]
    return sums[0]


def add_double_doubles(x, y):
    """Joldes, Muller and Popescu's Algorithm 6, with the general two_sum throughout."""
    high, rest = two_sum(x[0], y[0])
    low, last = two_sum(x[1], y[1])
    high, rest = two_sum(high, rest + low)
    return two_sum(high, last + rest)


def double_double(values):
    return in_pairs([(x, values.dtype.type(0)) for x in values], add_double_doubles)[0]


LOOPS = {
    "pairwise": lambda values: in_pairs(values, lambda a, b: a + b),
    "double-double": double_double,
    "recursive": recursive,
    "Kahan": kahan,
    "Neumaier": neumaier,
    "Klein": klein,
    "Sum2": lambda values: sum_k(values, 2),
    "Sum3": lambda values: sum_k(values, 3),
}
