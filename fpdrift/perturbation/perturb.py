"""Nudge weights by almost nothing: noise, an ulp or a bit.

A nudge below half an ulp of its weight is rounded away by the addition itself. So the size that a
user asks for and the change that a model sees are two things, and the account holds both.
"""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import islice
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS
from fpdrift.perturbation.account import SLOTS, NudgeAccount, binades, by_size, count
from fpdrift.perturbation.checks import place, real, text, whole
from fpdrift.perturbation.moves import add_noise, flip, step
from fpdrift.perturbation.weights import flat_index, like, named
from fpdrift.results import Result

Kind = Literal["noise", "ulp", "bit"]
#: The kinds that read a field; the others must leave it None.
_READS: dict[str, tuple[Kind, ...]] = {
    "tensor": ("ulp", "bit"),
    "index": ("ulp", "bit"),
    "bit": ("bit",),
}
_Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Perturbation(Result):
    """A nudge, described: what a condition carries and a fresh process applies.

    Parameters
    ----------
    kind : {"noise", "ulp", "bit"}
        ``"noise"`` reads `size`, `fraction` and `seed`; ``"ulp"`` reads `tensor`, `index` and
        `steps`; ``"bit"`` reads `tensor`, `index` and `bit`. See `nudge`, `nudge_ulp`, `flip_bit`.

    Raises
    ------
    FpdriftError
        If a value is out of its range, or one that the kind needs is missing.
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
            message = f"unknown kind of nudge {reprlib.repr(self.kind)}; choose one of {kinds}"
            raise FpdriftError(message)
        for name, reads in _READS.items():
            if (getattr(self, name) is not None) != (self.kind in reads):
                verb = "needs a" if self.kind in reads else "takes no"
                message = f"a nudge of kind {self.kind!r} {verb} {name}"
                raise FpdriftError(message)
        checked = {
            "size": real("size", self.size, sys.float_info.max),
            "fraction": real("fraction", self.fraction, 1),
            "seed": whole("seed", self.seed, 0, 2**64 - 1),
            "tensor": None if self.tensor is None else text("tensor", self.tensor),
            "index": None if self.index is None else place("index", self.index),
            "steps": whole("steps", self.steps, -(2**64), 2**64),
            "bit": None if self.bit is None else whole("bit", self.bit, 0, 63),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def label(self) -> str:
        """Short text that tells two perturbations apart."""
        if self.kind == "noise":
            seed = f", seed {self.seed}" if self.seed != 1 else ""
            return f"nudge {self.size!r} on {self.fraction!r}{seed}"
        index = self.index if isinstance(self.index, tuple) else (self.index,)
        what = f"{self.steps:+d} ulp on" if self.kind == "ulp" else f"bit {self.bit} of"
        return f"{what} {self.tensor}[{','.join(map(str, index))}]"

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read what `to_dict` gave, also after JSON; what is left out takes its default.

        Raises
        ------
        FpdriftError
            If a field is unknown or its value is refused.
        """
        known = [f.name for f in fields(cls)]
        if not isinstance(data, Mapping) or "kind" not in data or not set(data) <= set(known):
            found = reprlib.repr(data)
            message = f"no perturbation: {found}; give kind and some of {', '.join(known[1:])}"
            raise FpdriftError(message)
        return cls(**data)

    def apply(self, weights: Any) -> tuple[Any, NudgeAccount]:
        """Nudge weights; `nudge` says what they may be and what comes back."""
        old = named(weights)
        if self.kind != "noise" and self.tensor not in old:
            known = ", ".join(islice(old, 8)) + (", ..." if len(old) > 8 else "")
            message = f"no tensor {self.tensor!r}; there are: {known or 'none'}"
            raise FpdriftError(message)
        new, tensors = {}, []
        histogram = np.zeros((2, SLOTS), np.int64)
        # A stream for each tensor: its noise does not hang on the sizes of the others.
        streams = np.random.SeedSequence(self.seed).spawn(len(old))
        for (name, before), stream in zip(old.items(), streams, strict=True):
            new[name] = before.copy()
            a, b = before.reshape(-1), new[name].reshape(-1)
            meant = self._move(name, b, before.shape, stream)
            tensors.append(count(name, a, b, meant, self))
            histogram += by_size(a[meant], b[meant])
        account = NudgeAccount(
            perturbation=self,
            tensors=tuple(tensors),
            binades=binades(histogram),
            zeros_meant=int(histogram[0, 0]),
            zeros_changed=int(histogram[1, 0]),
        )
        return like(weights, new), account

    def _move(
        self, name: str, flat: _Array, shape: tuple[int, ...], stream: np.random.SeedSequence
    ) -> _Array:
        """Nudge one flat tensor in place; give the indices that were meant."""
        fmt = FORMATS.get(flat.dtype.name)
        if self.kind == "noise" and fmt is not None:
            return add_noise(flat, self.size, self.fraction, np.random.default_rng(stream))
        if self.kind == "noise" or name != self.tensor:
            return np.empty(0, np.intp)
        if fmt is None:
            message = f"tensor {name!r} holds {flat.dtype}, no floats; choose another"
            raise FpdriftError(message)
        at = flat_index(self.index, shape, name)
        if self.bit is None:
            flat[at] = step(flat[at], fmt, self.steps)
        else:
            flat[at] = flip(flat[at], fmt, self.bit)
        return np.array([at])


def nudge(
    weights: Any, *, size: float = 1e-8, fraction: float = 0.5, seed: int = 1
) -> tuple[Any, NudgeAccount]:
    """Add clipped Gaussian noise to a share of the weights of every tensor.

    The noise is normal with standard deviation `size`, clipped to at most `size` either way, and
    rounded to the tensor's dtype (never beyond `size`); the sum is then rounded once, by the
    dtype's own addition. What is drawn is the same on every machine with the same NumPy.

    Parameters
    ----------
    weights : mapping of str to array, sequence of arrays, or one array
        float16, bfloat16, float32 or float64; left untouched. Integers and booleans are copied
        and never nudged. In a sequence the tensors are named by their place, ``"0"``, ``"1"``.
    size : float, default 1e-8
        Largest nudge, in the units of the weights.
    fraction : float, default 0.5
        Share of every tensor's finite weights, drawn without replacement; the count is rounded to
        the nearest whole number (a half to the even one).
    seed : int, default 1

    Returns
    -------
    arrays : dict, list or array, as given
        New arrays of the same shapes and dtypes.
    account : NudgeAccount
        Per tensor: how many weights were meant, changed and absorbed, and the largest change.

    Raises
    ------
    FpdriftError
        If a tensor holds no real numbers, or an argument is out of its range.

    Examples
    --------
    >>> import fpdrift, numpy as np
    >>> arrays, account = fpdrift.nudge(np.full(1000, 0.2, np.float32), size=5e-9)
    >>> account
    NudgeAccount(nudge 5e-09 on 0.5; 500 meant: 0 changed, 500 absorbed)
    """
    return Perturbation(kind="noise", size=size, fraction=fraction, seed=seed).apply(weights)


def nudge_ulp(
    weights: Any, tensor: str | int, index: int | tuple[int, ...], steps: int = 1
) -> tuple[Any, NudgeAccount]:
    """Move one weight by `steps` ulps, up or (negative) down.

    Parameters
    ----------
    weights
        As for `nudge`.
    tensor : str or int
        Name of the tensor, or its place in a sequence.
    index : int or tuple of int
        Place in the flattened tensor (last axis fastest), or one index an axis; none negative.
    steps : int, default 1
        Floats to move by; a zero of either sign steps to the smallest subnormal.

    Returns
    -------
    arrays, account
        As for `nudge`.

    Raises
    ------
    FpdriftError
        If there is no such weight, it is a NaN, or the step would lead past infinity.
    """
    how = Perturbation(kind="ulp", tensor=str(tensor), index=index, steps=steps)
    return how.apply(weights)


def flip_bit(
    weights: Any, tensor: str | int, index: int | tuple[int, ...], bit: int
) -> tuple[Any, NudgeAccount]:
    """Flip one bit of one weight, as a fault in memory would.

    Parameters
    ----------
    weights, tensor, index
        As for `nudge_ulp`.
    bit : int
        0 is the last bit of the significand, the highest the sign.

    Returns
    -------
    arrays, account
        As for `nudge`. The result may be an infinity or a NaN.

    Raises
    ------
    FpdriftError
        If there is no such weight or bit.
    """
    return Perturbation(kind="bit", tensor=str(tensor), index=index, bit=bit).apply(weights)
