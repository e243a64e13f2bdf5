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


LOOPS = {
    "recursive": recursive,
    "Neumaier": neumaier,
    "Klein": klein,
    "Sum2": lambda values: sum_k(values, 2),
    "Sum3": lambda values: sum_k(values, 3),
}
