"""Evaluate expressions in every mathematically equal order, and repeat operations many times."""

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
