"""Evaluate an expression in every mathematically equal order.

Each order has a rounding ledger: the exact result of each step, its rounded result, and the
difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.arithmetic._parser import (
    OPERATIONS,
    Builder,
    Node,
    finite,
    on_paper,
    operands,
    parse,
    unrounded,
)
from fpdrift.arithmetic._reassociate import every_order
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import anatomy, format_of, round_fraction, round_to
from fpdrift.serialization import Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fpdrift.floats import Format


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounding(Result):
    """One machine operation: its two operands, its exact result and its rounded result."""

    #: the part of the expression that this step computes, such as ``"2/9"``
    text: str
    #: ``"+"``, ``"-"``, ``"*"`` or ``"/"``
    operation: str
    #: the two scalars that the machine operates on, themselves already rounded
    operands: tuple[Any, Any]
    #: exact result of the operation (None: an operand is not finite, or a division by zero)
    exact: Fraction | None
    #: the machine's result, a NumPy scalar
    rounded: Any
    #: exact - rounded (None: one of them is not finite)
    lost: Fraction | None

    def __repr__(self) -> str:
        left, right = self.operands
        step = f"{left!s} {self.operation} {right!s} = {self.rounded!s}"
        return f"Rounding({step}, lost {self.lost})"


def ledger_of(node: Node, fmt: Format) -> Iterator[Rounding]:
    """Yield the roundings of a tree in the order in which Python performs them."""
    for part in node.parts:
        yield from ledger_of(part, fmt)
    if node.kind not in OPERATIONS:
        return
    left, right = (part.value for part in node.parts)
    exact = unrounded(node.kind, [finite(left, fmt), finite(right, fmt)])
    rounded = finite(node.value, fmt)
    yield Rounding(
        text=node.text,
        operation=node.kind,
        operands=(left, right),
        exact=exact,
        rounded=node.value,
        lost=None if exact is None or rounded is None else exact - rounded,
    )


#: The number of orders grows faster than a factorial: up to 79,965 with 7 operands, 1,483,965 with
#: 8; with reciprocals, 67,755 with 6.
MAX_OPERANDS = 7
MAX_OPERANDS_WITH_RECIPROCALS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Order(Result):
    """One order of evaluation and its result."""

    #: the order as Python would read it, such as ``"2/9*11"``
    text: str
    #: the machine's result, a NumPy scalar of the dtype
    value: Any
    #: (value - exact) / ulp of the exactly rounded result (None: one of them is not finite)
    error_ulps: Fraction | None
    #: the names in the text and their values
    names: tuple[tuple[str, Any], ...] = ()

    @property
    def bits(self) -> str:
        """All bits of the value, sign first."""
        return anatomy(self.value, self.value.dtype).bits

    @property
    def ledger(self) -> tuple[Rounding, ...]:
        """Each step's exact value, rounded value, and rounding error."""
        fmt = format_of(self.value.dtype)
        with np.errstate(all="ignore"):
            root = parse(self.text, dict(self.names), Builder(fmt), most=len(self.text))
            return tuple(ledger_of(root, fmt))

    def __repr__(self) -> str:
        return f"Order({self.text} = {self.value!s})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Orders(Result):
    """Every order of an expression, as returned by `orders`."""

    #: the expression as passed
    expression: str
    dtype: str
    reciprocals: bool
    #: the result in exact arithmetic from the rounded operands (None: one is not finite, or a
    #: division by zero)
    exact: Fraction | None
    #: `exact`, rounded once: the closest value of the dtype (None if `exact` is None)
    correctly_rounded: Any
    #: the expression as written first, then sorted by number of parentheses
    orders: tuple[Order, ...]

    @property
    def groups(self) -> tuple[tuple[Order, ...], ...]:
        """The orders grouped by the bits of their result; the order as written comes first."""
        found: dict[bytes, list[Order]] = {}
        for order in self.orders:
            found.setdefault(order.value.tobytes(), []).append(order)
        return tuple(tuple(group) for group in found.values())

    def __repr__(self) -> str:
        count, results = len(self.orders), len(self.groups)
        text = short_repr(self.expression)
        return f"Orders({text}, {self.dtype}, orders: {count}, results: {results})"


def orders(
    expression: str, /, *, dtype: Any = "float64", reciprocals: bool = False, **names: Any
) -> Orders:
    """Evaluate an expression in every mathematically equal order.

    Operands of + and * are swapped and regrouped; - and / are treated as + and * of the inverse,
    each kept as one rounded operation: ``a/b/c`` may become ``a/(b*c)``, never ``a*(1/b)``.
    Products are not expanded. Orders that differ only by swapping the two operands of a + or * have
    the same roundings and are listed once.

    Parameters
    ----------
    expression : str
        Up to 7 numbers or names with ``+ - * /``, minus signs and parentheses. A number is read
        exactly, then rounded once to `dtype`. Nothing is evaluated as Python.
    dtype : str or numpy.dtype, default "float64"
        ``"float16"``, ``"bfloat16"``, ``"float32"`` or ``"float64"``. Each step is the machine's
        own operation of this dtype.
    reciprocals : bool, default False
        Also replace division by multiplication with ``1/x``, which is rounded itself; limits the
        expression to 6 operands.
    **names : str, int, float, Fraction, Decimal or NumPy scalar
        Values of the names in the expression, read exactly and rounded once.

    Returns
    -------
    Orders
        Each order's text, value, bits, error and rounding ledger; grouped by result.

    Raises
    ------
    FpdriftError
        If the expression cannot be parsed or has too many operands (the message names the column),
        or a name is unused or its value is not a number.

    Examples
    --------
    >>> import fpdrift
    >>> [order.text for order in fpdrift.orders("2*11/9").orders]
    ['2*11/9', '2/9*11', '2*(11/9)', '2/(9/11)', '11/(9/2)']
    """
    fmt = format_of(dtype)
    if not isinstance(reciprocals, bool | np.bool):
        message = f"reciprocals must be True or False, not {short_repr(reciprocals)}"
        raise FpdriftError(message)
    builder = Builder(fmt)
    most = MAX_OPERANDS_WITH_RECIPROCALS if reciprocals else MAX_OPERANDS
    bound = {name: _bind(name, value, fmt) for name, value in names.items()}
    with np.errstate(all="ignore"):
        root = parse(expression, bound, builder, most)
        nodes = every_order(root, builder, reciprocals=reciprocals)
    if unused := bound.keys() - {node.text for node in operands(root)}:
        message = (
            f"{short_repr(min(unused))} does not occur in {short_repr(expression)}; leave it out"
        )
        raise FpdriftError(message)
    exact = on_paper(root, fmt)
    best = None if exact is None else round_fraction(exact, fmt)
    pairs = tuple(bound.items())
    results = {node.value.tobytes(): node.value for node in nodes}  # few, even for many orders
    errors = {bits: _error(value, exact, best, fmt) for bits, value in results.items()}
    return Orders(
        expression=expression,
        dtype=fmt.name,
        reciprocals=bool(reciprocals),
        exact=exact,
        correctly_rounded=best,
        orders=tuple(
            Order(text=n.text, value=n.value, error_ulps=errors[n.value.tobytes()], names=pairs)
            for n in nodes
        ),
    )


def _bind(name: str, value: Any, fmt: Format) -> Any:
    try:
        return round_to(value, fmt)
    except FpdriftError as error:
        message = f"{short_repr(name)}: {error}"
        raise FpdriftError(message) from None


def _error(value: Any, exact: Fraction | None, best: Any, fmt: Format) -> Fraction | None:
    computed = finite(value, fmt)
    if exact is None or computed is None or (ulp := anatomy(best, fmt.name).ulp) is None:
        return None
    return (computed - exact) / ulp
