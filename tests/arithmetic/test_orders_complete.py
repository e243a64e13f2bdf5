"""`orders` lists all that are equal on paper, against an independent list of every tree."""

import itertools
from fractions import Fraction

import pytest

from fpdrift.arithmetic import orders

# Every tree of every operation on the same operands, kept if it gives the same number on paper. The
# operands are too odd for that to happen by chance.

GENERIC = {
    name: Fraction(numerator, denominator)
    for name, numerator, denominator in zip(
        "abcdefg",
        (15485863, 32452843, 49979687, 67867967, 86028121, 104395301, 122949823),
        (7919, 17389, 27449, 37813, 48611, 59359, 70657),
        strict=True,
    )
}


class Sketch:
    """An expression as its size on paper and its shape, both without sign and without order."""

    def __init__(self, value, shape):
        self.sign = 1 if value > 0 else -1
        self.size = abs(value)
        self.shape = shape

    def __neg__(self):
        return Sketch(-self.sign * self.size, self.shape)

    def __add__(self, other):
        kind = "together" if self.sign == other.sign else "apart"
        value = self.sign * self.size + other.sign * other.size
        return Sketch(value, (kind, frozenset([self.shape, other.shape])))

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        value = self.sign * self.size * other.sign * other.size
        return Sketch(value, ("product", frozenset([self.shape, other.shape])))

    def __truediv__(self, other):
        value = self.sign * self.size / (other.sign * other.size)
        return Sketch(value, ("quotient", self.shape, other.shape))


def all_shapes(names):
    """Size and shape of everything that + - * / can make of the operands, each used once."""
    if len(names) == 1:
        return [Sketch(GENERIC[names], names)]
    found = []
    for k in range(1, 2 ** (len(names) - 1)):  # the last operand stays on the right
        left = "".join(n for i, n in enumerate(names) if k >> i & 1)
        right = "".join(n for n in names if n not in left)
        for x, y in itertools.product(all_shapes(left), all_shapes(right)):
            found += [x + y, x - y, x + -y if x.sign != y.sign else x - -y, x * y, x / y, y / x]
    return list({one.shape: one for one in found}.values())


EVERYTHING = {names: all_shapes(names) for names in ("ab", "abc", "abcd")}

EXPRESSIONS = (
    *("a+b", "a-b", "-a-b", "a*b", "a/b", "-a/b"),
    *("a+b+c", "a-b+c", "-a-b-c", "a-(b-c)", "a*b*c", "a*b/c", "a/b/c", "a/(b/c)", "-a*(-b/c)"),
    *("a*b+c", "a-b/c", "(a+b)*c", "(a-b)/c", "a/(b-c)", "-(a-b)*c", "a*(-b-c)", "-(a+b)-c"),
    *("a+b+c+d", "a-b-c-d", "-(a-b)-(c-d)", "a*b*c*d", "a*b*c/d", "a*b/c/d", "a/b/c/d"),
    *("a*b+c*d", "a*b-c-d", "(a+b)*(c-d)", "(a+b)*c*d", "a/(b+c)/d", "a-b*c/d", "(a+b-c)/d"),
    *("a*(b-c)/d", "-a*(-b)/(-c-d)", "(a*b+c)*d", "a-(b-(c-d))", "a/(b/(c/d))", "-(a*b)*c/d"),
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_orders_are_all_that_are_equal_on_paper(expression):
    used = {name: value for name, value in GENERIC.items() if name in expression}
    whole = abs(eval(expression, {}, used))
    expected = {one.shape for one in EVERYTHING["".join(used)] if one.size == whole}
    letters = {name: Sketch(value, name) for name, value in used.items()}
    found = [order.text for order in orders(expression, **used).orders]
    shapes = [eval(text, {}, letters).shape for text in found]
    assert set(shapes) == expected
    assert len(shapes) == len(set(shapes)) == len(set(found))


@pytest.mark.parametrize(
    ("expression", "count"),
    [("+".join("abcdefg"), 10395), ("a*b*c*d/e/f/g", 79965), ("a*b*c*d*e*f*g", 10395)],
)
def test_the_largest_are_as_many_as_combinatorics_says(expression, count):
    # (2n - 3)!! trees for n operands; with inverses each mixed pair may be written two ways
    result = orders(expression, **dict(zip("abcdefg", (3, 5, 7, 11, 13, 17, 19), strict=True)))
    assert len({order.text for order in result.orders}) == len(result.orders) == count
