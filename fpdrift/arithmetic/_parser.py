"""Parse an expression into a small tree, each node of which holds its text and its value.

Python's ``ast`` parses the text; nothing in it is ever executed as Python.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import round_to, to_bits, to_fraction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fpdrift.floats import Format

#: The four operations. Each rounds once on two scalars of a dtype, and never on two fractions.
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}

#: Precedence in Python: sums, products, a minus sign, a single operand.
_SUM, _PRODUCT, _SIGN, _OPERAND = range(4)
_BINDING = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}


class Node(NamedTuple):
    """An operand, the negative of a node, or an operation on two."""

    #: one of + - * /, "negative" or "operand"
    kind: str
    parts: tuple[Node, ...]
    #: the expression, with as few parentheses as Python needs
    text: str
    binding: int
    #: the machine's result, a scalar of the dtype
    value: Any
    #: position of its first operand in the user's text; infinite if it has none there
    first: float
    #: equal for nodes that differ by swapped operands of + or *, or by their sign
    key: int
    #: the sign that `key` leaves out: 1 or -1
    sign: int


class Builder:
    """Make nodes in one format, and evaluate each as it is made."""

    def __init__(self, fmt: Format) -> None:
        self.fmt = fmt
        self._keys: dict[tuple[Any, ...], int] = {}
        self.one = self.operand("1", fmt.dtype.type(1), math.inf)

    def operand(self, text: str, value: Any, first: float) -> Node:
        """Make a leaf; `first` is its position in the user's text."""
        key = self._key("operand", to_bits(value, self.fmt))
        return Node("operand", (), text, _OPERAND, value, first, key, 1)

    def negative(self, of: Node) -> Node:
        """Negate a node, which rounds nothing."""
        text = f"-{_wrap(of, of.binding < _OPERAND)}"
        return Node("negative", (of,), text, _SIGN, -of.value, of.first, of.key, -of.sign)

    def apply(self, kind: str, left: Node, right: Node) -> Node:
        """Make an operation on two nodes; if they commute, in the order of the user's text."""
        if kind in "+*" and right.first < left.first:
            left, right = right, left
        binding = _BINDING[kind]
        loose = right.binding <= binding or right.text.startswith("-")
        text = _wrap(left, left.binding < binding) + kind + _wrap(right, loose)
        value = OPERATIONS[kind](left.value, right.value)
        key, sign = self._fold(kind, left, right)
        first = min(left.first, right.first)
        return Node(kind, (left, right), text, binding, value, first, key, sign)

    def opposite(self, of: Node) -> Node:
        """Negate a node, with the sign as far left as possible: -a*b, not -(a*b)."""
        if of.kind in ("*", "/", "+"):
            left, right = of.parts
            return self.apply("-" if of.kind == "+" else of.kind, self.opposite(left), right)
        return self.negative(of)

    def _fold(self, kind: str, left: Node, right: Node) -> tuple[int, int]:
        """Return the key and the sign of an operation: a-b and b-a share a key."""
        sign = left.sign * right.sign
        if kind == "/":
            return self._key(kind, left.key, right.key), sign
        low, high = sorted((left, right), key=operator.attrgetter("key"))
        if kind == "*":
            return self._key(kind, low.key, high.key), sign
        if kind == "-":
            sign = -sign
        outer = -low.sign if kind == "-" and low is right else low.sign
        return self._key("+" if sign > 0 else "-", low.key, high.key), outer

    def _key(self, *shape: Any) -> int:
        return self._keys.setdefault(shape, len(self._keys))


def operands(node: Node) -> Iterator[Node]:
    """Yield the leaves from left to right."""
    if node.kind == "operand":
        yield node
    for part in node.parts:
        yield from operands(part)


def on_paper(node: Node, fmt: Format) -> Fraction | None:
    """Evaluate without rounding; None if an operand is not finite or a divisor is zero."""
    if node.kind == "operand":
        return finite(node.value, fmt)
    return unrounded(node.kind, [on_paper(part, fmt) for part in node.parts])


def unrounded(kind: str, parts: list[Fraction | None]) -> Fraction | None:
    """Evaluate one operation exactly; None if the result is undefined."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or (kind == "/" and not known[1]):
        return None
    return -known[0] if kind == "negative" else Fraction(OPERATIONS[kind](*known))


def finite(value: Any, fmt: Format) -> Fraction | None:
    """Return the exact value of a scalar; None for an infinity or a NaN."""
    size = to_bits(value, fmt) & ~fmt.sign_bit
    return None if size >= fmt.infinity_bits else to_fraction(value, fmt)


def _wrap(node: Node, needed: bool) -> str:
    return f"({node.text})" if needed else node.text


#: Enough for seven numbers with all their decimals, and too short to exhaust the stack by nesting.
_MAX_LENGTH = 1000

_KINDS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_KNOWN = "use numbers, names, + - * / and parentheses"


def parse(expression: Any, names: Mapping[str, Any], builder: Builder, most: int) -> Node:
    """Read an expression and evaluate it in the builder's format.

    Parameters
    ----------
    expression : str
        Numbers, names, ``+ - * /``, minus signs and parentheses.
    names : mapping of str to scalar
        The value of each name, a scalar of the format.
    builder : Builder
        Makes the nodes.
    most : int
        Maximum number of operands.

    Raises
    ------
    FpdriftError
        If the text cannot be parsed; the message names the column and the text there.
    """
    if not isinstance(expression, str):
        message = f"the expression must be a string such as '2*11/9', not {short_repr(expression)}"
        raise FpdriftError(message)
    return _Reader(expression, names, builder).read(most)


class _Reader:
    def __init__(self, expression: str, names: Mapping[str, Any], builder: Builder) -> None:
        self.source = expression.strip()
        self.indent = len(expression) - len(expression.lstrip())
        self.names = names
        self.builder = builder

    def read(self, most: int) -> Node:
        if not self.source:
            message = f"the expression is empty; {_KNOWN}"
            raise FpdriftError(message)
        if len(self.source) > _MAX_LENGTH:
            message = f"the expression has {len(self.source)} characters; keep to {_MAX_LENGTH}"
            raise FpdriftError(message)
        for place, character in enumerate(self.source):
            if character in "#\\" or not character.isprintable():
                raise self._error(place, character, _KNOWN)
        root = self._parse()
        # Sorted by place, the n-th right-hand side starts at operand n + 1.
        right = sorted(
            (node.right for node in ast.walk(root) if isinstance(node, ast.BinOp)),
            key=lambda node: node.col_offset,
        )
        if len(right) >= most:
            raise self._error_at(right[most - 1], f"keep to {most} operands")
        return self._node(root)

    def _parse(self) -> ast.expr:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Python only warns about "1and 2"
                return ast.parse(self.source, mode="eval").body
        except SyntaxError as error:
            place = error.offset - 1 if error.offset else len(self.source)
            text = self.source[place : place + 20]
            raise self._error(place, text, f"not an expression; {_KNOWN}") from None
        except (ValueError, MemoryError, RecursionError):
            raise self._error(0, self.source, f"nested too deeply; {_KNOWN}") from None

    def _node(self, node: ast.expr) -> Node:
        negative = False
        while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            node, negative = node.operand, not negative
        found = self._unsigned(node)
        return self.builder.negative(found) if negative else found

    def _unsigned(self, node: ast.expr) -> Node:
        if isinstance(node, ast.BinOp) and type(node.op) in _KINDS:
            left, right = self._node(node.left), self._node(node.right)
            return self.builder.apply(_KINDS[type(node.op)], left, right)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return self._operand(self._text(node), self._number(node), node)
        if isinstance(node, ast.Name):
            if node.id not in self.names:
                raise self._error_at(node, f"unknown name; pass it as {node.id:.40}=...")
            return self._operand(node.id, self.names[node.id], node)
        raise self._error_at(node, _KNOWN)

    def _operand(self, text: str, value: Any, node: ast.expr) -> Node:
        return self.builder.operand(text, value, node.col_offset)

    def _number(self, node: ast.Constant) -> Any:
        """Round a literal's exact value once; Python's float64 would round it first."""
        text, fmt = self._text(node), self.builder.fmt
        try:
            value = round_to(node.value if type(node.value) is int else text, fmt)
        except FpdriftError as error:
            raise self._error_at(node, str(error)) from None
        if finite(value, fmt) is None:
            raise self._error_at(node, f"too large for {fmt.name}")
        return value

    def _text(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.source, node) or ""

    def _error_at(self, node: ast.expr, why: str) -> FpdriftError:
        # Python counts bytes, a reader counts characters.
        place = len(self.source.encode()[: node.col_offset].decode())
        return self._error(place, self._text(node), why)

    def _error(self, place: int, text: str, why: str) -> FpdriftError:
        where = short_repr(text) if text else "the end"
        column = place + self.indent + 1
        return FpdriftError(f"{short_repr(self.source)}, column {column}, at {where}: {why}")
