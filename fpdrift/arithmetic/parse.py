"""Read an expression into our own small tree. Nothing in it is ever run as Python."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Any

from fpdrift.arithmetic.tree import Builder, Node, finite
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import round_to

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Room for seven numbers with all their decimals; no nesting this short can exhaust the stack.
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
        What each name stands for, a scalar of the format.
    builder : Builder
        Makes the nodes.
    most : int
        How many operands there may be.

    Raises
    ------
    FpdriftError
        Names the column and the text there that cannot be read.
    """
    if not isinstance(expression, str):
        message = f"an expression is a text such as '2*11/9', not {shown(expression)}"
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
            message = f"an expression of {len(self.source)} characters; keep to {_MAX_LENGTH}"
            raise FpdriftError(message)
        for place, character in enumerate(self.source):
            if character in "#\\" or not character.isprintable():
                raise self._refusal(place, character, _KNOWN)
        root = self._parsed()
        # Sorted by place, the n-th right-hand side starts at operand n + 1.
        right = sorted(
            (node.right for node in ast.walk(root) if isinstance(node, ast.BinOp)),
            key=lambda node: node.col_offset,
        )
        if len(right) >= most:
            raise self._refusal_at(right[most - 1], f"keep to {most} operands")
        return self._node(root)

    def _parsed(self) -> ast.expr:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Python only warns of "1and 2"
                return ast.parse(self.source, mode="eval").body
        except SyntaxError as error:
            place = error.offset - 1 if error.offset else len(self.source)
            text = self.source[place : place + 20]
            raise self._refusal(place, text, f"not an expression; {_KNOWN}") from None
        except (ValueError, MemoryError, RecursionError):
            raise self._refusal(0, self.source, f"nested too deeply; {_KNOWN}") from None

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
                raise self._refusal_at(node, f"unknown name; pass it as {node.id:.40}=...")
            return self._operand(node.id, self.names[node.id], node)
        raise self._refusal_at(node, _KNOWN)

    def _operand(self, text: str, value: Any, node: ast.expr) -> Node:
        return self.builder.operand(text, value, node.col_offset)

    def _number(self, node: ast.Constant) -> Any:
        """Read a literal exactly, then round it once; Python's own float64 would be one more."""
        text, fmt = self._text(node), self.builder.fmt
        try:
            value = round_to(node.value if type(node.value) is int else text, fmt)
        except FpdriftError as error:
            raise self._refusal_at(node, str(error)) from None
        if finite(value, fmt) is None:
            raise self._refusal_at(node, f"too large for {fmt.name}")
        return value

    def _text(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.source, node) or ""

    def _refusal_at(self, node: ast.expr, why: str) -> FpdriftError:
        # Python counts bytes, a reader counts characters.
        place = len(self.source.encode()[: node.col_offset].decode())
        return self._refusal(place, self._text(node), why)

    def _refusal(self, place: int, text: str, why: str) -> FpdriftError:
        where = shown(text) if text else "its end"
        column = place + self.indent + 1
        return FpdriftError(f"{shown(self.source)}, column {column}, at {where}: {why}")
