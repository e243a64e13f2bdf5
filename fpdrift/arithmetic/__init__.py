"""Expressions in every order that is equal on paper, and operations repeated very often."""

from fpdrift.arithmetic.expression import Order, Orders, orders
from fpdrift.arithmetic.ledger import Rounding

__all__ = [
    "Order",
    "Orders",
    "Rounding",
    "orders",
]
