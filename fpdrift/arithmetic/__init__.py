"""Expressions in every order that is equal on paper, and operations repeated very often."""

from fpdrift.arithmetic._chain import Chain, ChainCurve, chain
from fpdrift.arithmetic._orders import Order, Orders, Rounding, orders

__all__ = [
    "Chain",
    "ChainCurve",
    "Order",
    "Orders",
    "Rounding",
    "chain",
    "orders",
]
