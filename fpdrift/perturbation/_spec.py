"""Specification of a perturbation: noise, ulps or a flipped bit, and where."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.serialization import Result
from fpdrift.validation import check_int, place, real, text

Kind = Literal["noise", "ulp", "bit"]
#: The kinds that use a field; it must be None for the others.
_READS: dict[str, tuple[Kind, ...]] = {
    "tensor": ("ulp", "bit"),
    "index": ("ulp", "bit"),
    "bit": ("bit",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Perturbation(Result):
    """Description of a nudge, which a condition contains and a fresh process applies.

    Parameters
    ----------
    kind : {"noise", "ulp", "bit"}
        ``"noise"`` uses `size`, `fraction` and `seed`; ``"ulp"`` uses `tensor`, `index` and
        `steps`; ``"bit"`` uses `tensor`, `index` and `bit`. See `nudge`, `nudge_ulp`, `flip_bit`.

    Raises
    ------
    FpdriftError
        If a value is out of range, or a value that the kind needs is missing.
    """

    kind: Kind
    size: float = 1e-8
    fraction: float = 0.5
    seed: int = 1
    tensor: str | None = None
    index: int | tuple[int, ...] | None = None
    steps: int = 1
    bit: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            kinds = ", ".join(get_args(Kind))
            message = f"unknown kind of nudge {short_repr(self.kind)}; choose one of {kinds}"
            raise FpdriftError(message)
        for name, reads in _READS.items():
            value = getattr(self, name)
            if (value is not None) != (self.kind in reads):
                wants = "needs a value" if self.kind in reads else "does not use it"
                message = f"{name} is {short_repr(value)}; a nudge of kind {self.kind!r} {wants}"
                raise FpdriftError(message)
        checked = {
            "size": real("size", self.size, sys.float_info.max),
            "fraction": real("fraction", self.fraction, 1),
            "seed": check_int("seed", self.seed, 0, 2**64 - 1),
            "tensor": None if self.tensor is None else text("tensor", self.tensor),
            "index": None if self.index is None else place("index", self.index),
            "steps": check_int("steps", self.steps, -(2**64), 2**64),
            "bit": None if self.bit is None else check_int("bit", self.bit, 0, 63),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def label(self) -> str:
        """Short text that identifies the perturbation."""
        if self.kind == "noise":
            seed = f", seed {self.seed}" if self.seed != 1 else ""
            return f"nudge {self.size!r} on {self.fraction!r}{seed}"
        index = self.index if isinstance(self.index, tuple) else (self.index,)
        what = f"{self.steps:+d} ulp on" if self.kind == "ulp" else f"bit {self.bit} of"
        return f"{what} {self.tensor}[{','.join(map(str, index))}]"

    def __repr__(self) -> str:
        return f"Perturbation({self.label!r})"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Create a perturbation from the result of `to_dict`; missing fields take their default.

        Raises
        ------
        FpdriftError
            If a field is unknown or its value is invalid.
        """
        known = [f.name for f in fields(cls)]
        if not isinstance(data, Mapping) or "kind" not in data or not set(data) <= set(known):
            found = short_repr(data)
            message = f"{found} is not a perturbation; pass kind and any of {', '.join(known[1:])}"
            raise FpdriftError(message)
        return cls(**data)
