"""A float whose bits can be clicked, and an expression in every order; without ipywidgets, as text.

The bits are buttons: the tab key moves from bit to bit, and space or enter flips a bit. Colour and
letter identify a field; digit and fill identify a set bit.
"""

from __future__ import annotations

import html
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fpdrift.arithmetic import Order, Orders, orders
from fpdrift.errors import FpdriftError
from fpdrift.floats import FIELDS, FORMATS, Anatomy, anatomy, facts, flipped, float_lines, letters

#: Letter of a field -> its colour, filled and light; white on the first, black on the second.
COLOURS = {"s": ("#9C3F00", "#FBE3D5"), "e": ("#005A8F", "#DCEBF5"), "f": ("#00664C", "#D9F0E8")}


@dataclass(frozen=True, slots=True)
class Text:
    """What a notebook shows as plain text."""

    text: str

    def __repr__(self) -> str:
        return self.text


def explore_float(x: Any = "0.1", dtype: str = "float64") -> Any:
    """Show a float as one button per bit; without ipywidgets, as text.

    Parameters
    ----------
    x, dtype
        As for `fpdrift.anatomy`.
    """
    of = anatomy(x, dtype)
    if importlib.util.find_spec("ipywidgets") is None:
        return Text("\n".join(float_lines(of)))
    return FloatExplorer(of).box


def explore_orders(expression: str = "2*11/9", dtype: str = "float64") -> Any:
    """Show all orders of an expression and their ledgers, with a field to type another one.

    Parameters
    ----------
    expression, dtype
        As for `fpdrift.orders`.
    """
    found = orders(expression, dtype=dtype)
    if importlib.util.find_spec("ipywidgets") is None:
        return Text("\n".join(order_lines(found)))
    return OrderExplorer(found).box


def order_lines(result: Orders) -> Iterator[str]:
    """Return the groups of equal bits, and the ledger of the first order of each."""
    exact = "unknown" if result.exact is None else str(result.correctly_rounded)
    yield f"{result.expression} in {result.dtype}; exact, then rounded once: {exact}"
    for group in result.groups:
        yield ""
        yield f"{group[0].value!s}  from {len(group)}: {', '.join(o.text for o in group[:6])}"
        yield from _ledger(group[0])


def _ledger(order: Order) -> Iterator[str]:
    for step in order.ledger:
        lost = "?" if step.lost is None else f"{float(step.lost):.3g}"
        yield f"    {step.text:16} -> {step.rounded!s:24} lost {lost}"


class FloatExplorer:
    """One float as ipywidgets; `box` is what a notebook shows."""

    def __init__(self, of: Anatomy) -> None:
        import ipywidgets

        self.widgets = ipywidgets
        self.of = of
        self.entry = ipywidgets.Text(str(of.value), description="number", continuous_update=False)
        self.dtype = ipywidgets.Dropdown(options=list(FORMATS), value=of.dtype, description="dtype")
        self.said = ipywidgets.HTML()
        self.rows = ipywidgets.VBox()
        self.bits: list[Any] = []
        self._bits_of = ""
        self._settling = False
        self.entry.observe(self._typed, "value")
        self.dtype.observe(self._typed, "value")
        self.box = ipywidgets.VBox([_row(self.entry, self.dtype), self.rows, self.said])
        self._show(of)

    def flip(self, place: int) -> None:
        """Flip a bit, 0 being the sign: what a click does."""
        self._show(flipped(self.of, place))

    def _typed(self, _: Any) -> None:
        if self._settling:
            return
        try:
            self._show(anatomy(self.entry.value, self.dtype.value))
        except FpdriftError as error:
            self.said.value = f"<p>{html.escape(str(error))}</p>"

    def _show(self, of: Anatomy) -> None:
        self.of = of
        if self._bits_of != of.dtype:
            self._make_bits(of)
        for bit, letter, button in zip(of.bits, letters(of), self.bits, strict=True):
            button.description = bit
            button.style.button_color = COLOURS[letter][bit == "0"]
            button.style.text_color = "white" if bit == "1" else "black"
        self.said.value = facts_table(of)
        self._settling = True
        self.entry.value = str(of.value)
        self._settling = False

    def _make_bits(self, of: Anatomy) -> None:
        """Make one button per bit, in one row per field."""
        of_widgets, self._bits_of, self.bits, rows = self.widgets, of.dtype, [], []
        for letter, name in FIELDS.items():
            row = [of_widgets.HTML(f"<b>{letter}</b> = {name}")]
            count = letters(of).count(letter)
            for number in range(count):
                button = of_widgets.Button(
                    tooltip=f"{name} bit {number + 1} of {count}",
                    layout=of_widgets.Layout(width="28px", padding="0"),
                )
                button.on_click(self._clicked(len(self.bits)))
                self.bits.append(button)
                row.append(button)
            rows.append(_row(*row))
        self.rows.children = tuple(rows)

    def _clicked(self, place: int) -> Callable[[Any], None]:
        return lambda _: self.flip(place)


class OrderExplorer:
    """An expression to type, and all its orders, as ipywidgets."""

    def __init__(self, found: Orders) -> None:
        import ipywidgets

        self.entry = ipywidgets.Text(
            found.expression, description="expression", continuous_update=False
        )
        self.dtype = ipywidgets.Dropdown(
            options=list(FORMATS), value=found.dtype, description="dtype"
        )
        self.said = ipywidgets.HTML()
        self.entry.observe(self._typed, "value")
        self.dtype.observe(self._typed, "value")
        self.box = ipywidgets.VBox([_row(self.entry, self.dtype), self.said])
        self._show(found)

    def _typed(self, _: Any) -> None:
        try:
            self._show(orders(self.entry.value, dtype=self.dtype.value))
        except FpdriftError as error:
            self.said.value = f"<p>{html.escape(str(error))}</p>"

    def _show(self, found: Orders) -> None:
        self.said.value = f"<pre>{html.escape(chr(10).join(order_lines(found)))}</pre>"


def _row(*widgets: Any) -> Any:
    """Put widgets side by side, and below each other where the page is narrow."""
    import ipywidgets

    return ipywidgets.Box(widgets, layout=ipywidgets.Layout(flex_flow="row wrap"))


def facts_table(of: Anatomy) -> str:
    """Return the facts of a float as a table in HTML."""
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left;padding-right:1em">{name}</th>'
        f'<td style="overflow-wrap:anywhere">{html.escape(said)}</td></tr>'
        for name, said in facts(of).items()
    )
    return f"<table>{rows}</table>"
