"""What a chain would leave if nothing were rounded: every step is one exact line x -> a x + b."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction

#: Digits that an answer carries.
_DIGITS = 50
#: Digits to calculate with, tried in turn where the terms of an answer cancel.
_PRECISIONS = (120, 1_000, 10_000)


def line(factors: tuple[tuple[str, Fraction], ...]) -> tuple[Fraction, Fraction]:
    """Compose the operations of a step into its exact slope and offset.

    Raises
    ------
    ZeroDivisionError
        If a step divides by zero.
    """
    slope, offset = Fraction(1), Fraction(0)
    for name, factor in factors:
        if name == "multiply":
            slope, offset = slope * factor, offset * factor
        elif name == "divide":
            slope, offset = slope / factor, offset / factor
        else:
            offset += factor if name == "add" else -factor
    return slope, offset


def after(start: Fraction, slope: Fraction, offset: Fraction, steps: int) -> Decimal:
    """Apply a line `steps` times: slope**steps * (start - fixed) + fixed, with the fixed point.

    Returns
    -------
    Decimal
        50 digits; the first 30 and more are right. Zero where the terms cancel beyond 9,000 digits,
        an infinity or zero beyond Decimal's range.
    """
    narrow = _context(_DIGITS)
    if slope == 1 or not steps:
        return _decimal(start + steps * offset, narrow)
    fixed = offset / (1 - slope)
    if start == fixed:
        return _decimal(start, narrow)
    for precision in _PRECISIONS:
        wide = _context(precision)
        power = wide.power(_decimal(slope, wide), steps)
        moving, still = wide.multiply(power, _decimal(start - fixed, wide)), _decimal(fixed, wide)
        total = wide.add(moving, still)
        if not still or not total.is_finite():
            break
        # Raising to a power loses as many digits as the count has.
        good = precision - len(str(steps)) - (still.adjusted() - total.adjusted())
        if total and good >= _DIGITS:
            break
    return narrow.plus(total)


def _context(digits: int) -> Context:
    return Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


def _decimal(value: Fraction, context: Context) -> Decimal:
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))
