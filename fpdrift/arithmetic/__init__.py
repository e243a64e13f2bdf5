"""Expressions in every order that is equal on paper, and operations repeated very often."""

from fpdrift.arithmetic.expression import Order, Orders, orders
from fpdrift.arithmetic.ledger import Rounding
from fpdrift.arithmetic.repeat import Chain, ChainCurve, chain

__all__ = [
    "Chain",
    "ChainCurve",
    "Order",
    "Orders",
    "Rounding",
    "chain",
    "orders",
]
