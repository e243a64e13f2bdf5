"""Check the entries of a record, with one set of rules for writer and reader.

Every method raises ValueError, KeyError or TypeError if an entry breaks a rule; the state is then
unchanged, and the entry is not part of the record. The rules also bound the memory of a record by
the size of its file, so that a small file cannot exhaust the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from fpdrift.errors import short_repr
from fpdrift.provenance import Provenance
from fpdrift.records import _codec, _format
from fpdrift.records._codec import MAX_NAMES
from fpdrift.records._format import HASH_VERSION
from fpdrift.records._record import Tensor, Union

#: Bytes that a record may take in memory in addition to four times those of its entries.
ALLOWANCE = 16 << 20
#: Overhead of an object in bytes: of a prediction's array, of an epoch's value.
_OBJECT = 300
_FIGURE = 100


class Rules:
    """Check a record entry by entry."""

    def __init__(self) -> None:
        self.entries = 0
        #: bytes of text and data so far, and characters except those of steps
        self.bytes = 0
        self._texts = 0
        #: tensors of the current phase, and the bytes of each at a sketched step
        self.tensors: tuple[Tensor, ...] = ()
        self.sizes: list[int] = []
        self._kept_bytes = 0
        #: the last step and the last sketched one
        self.step = self.sketched = -1
        self._rows = self._sketches = 0
        self._union = Union()
        self._metrics: set[str] = set()
        self._digests: set[str] = set()
        self._figures: set[str] = set()
        self._objects = 0

    def check(self, kind: str, value: Any, characters: int, data: bytes) -> None:
        """Check one entry against the previous ones.

        Parameters
        ----------
        kind : str
        value : JSON value
            Its decoded text.
        characters : int
            Length of the text.
        data : bytes
        """
        if (self.entries == 0) != (kind == "start"):
            message = "it has no start entry, or two"
            raise ValueError(message)
        most = _format.longest_text(kind)
        texts = self._texts + (characters if kind != "step" else 0)
        if characters > most or texts > _format.MAX_ALL_TEXT or len(data) > _format.MAX_DATA:
            what = f"{texts} characters of text outside steps, or {len(data)} bytes in one entry,"
            message = f"{what} are too many"
            raise ValueError(message)
        before = self.bytes
        self.bytes += characters + len(data)  # the entry itself counts towards the memory limit
        try:
            _CHECKS[kind](self, value, data)
        except BaseException:
            self.bytes = before
            raise
        self._texts = texts
        self.entries += 1

    def _start(self, value: Any, _data: bytes) -> None:
        if value["hash_version"] != HASH_VERSION:
            found = short_repr(value["hash_version"])
            message = f"hash version {found}, but this fpdrift reads {HASH_VERSION}"
            raise ValueError(message)
        if value["loss_kind"] not in _codec.LOSS_KINDS or not isinstance(value["meta"], dict):
            message = "loss_kind or meta has the wrong type"
            raise ValueError(message)
        Provenance.from_dict(value["provenance"])
        self._declare(_codec.tensors_from_json(value["tensors"]))

    def _step(self, value: Any, data: bytes) -> None:
        step = self._later(value["step"])
        hashed = 8 * len(self.tensors)
        if len(data) not in (hashed, hashed + self._kept_bytes):
            message = f"step {step} has {len(data)} bytes, which do not match its tensors"
            raise ValueError(message)
        _codec.number_from_json(value["loss"])
        names = self._new_names(self._metrics, _codec.numbers_from_json(value["metrics"]))
        for name in value.get("not_finite", ()):
            _codec.name_from_json(name)
        digests = self._digests | _codec.digests_from_json(value.get("digests", {})).keys()
        if len(digests) > _codec.MAX_DIGESTS:
            message = f"a record holds at most {_codec.MAX_DIGESTS} digests, not {len(digests)}"
            raise ValueError(message)
        sketched = len(data) > hashed
        new = len(names) + len(digests) - len(self._digests)
        self._check_memory(rows=1, sketches=int(sketched), metrics=new)
        self._metrics |= names
        self._digests = digests
        self._row(step, sketched=sketched)

    def _later(self, value: Any) -> int:
        step = _codec.count_from_json(value)
        if step <= self.step:
            message = f"step {step} follows step {self.step}"
            raise ValueError(message)
        return step

    def _row(self, step: int, *, sketched: bool) -> None:
        self.step = step
        self._rows += 1
        if sketched:
            self.sketched = step
            self._sketches += 1

    def _values(self, value: Any, data: bytes) -> None:
        step = _codec.count_from_json(value["step"])
        if step != self.step or step == self.sketched:
            message = f"values of step {step} are not of the last step, or duplicated"
            raise ValueError(message)
        if len(data) != self._kept_bytes:
            message = (
                f"values of step {step} have {len(data)} bytes, which do not match its tensors"
            )
            raise ValueError(message)
        self._check_memory(sketches=1)
        self.sketched = step
        self._sketches += 1

    def _prediction(self, value: Any, data: bytes) -> None:
        step = _codec.count_from_json(value["step"])
        shape = _codec.shape_from_json(value["shape"])
        dtype = _codec.NUMBERS[value["dtype"]]
        if not shape or len(data) != prod(shape) * dtype.itemsize:
            message = f"predictions of step {step} do not match their shape"
            raise ValueError(message)
        self._check_memory(objects=_OBJECT)
        self._objects += _OBJECT

    def _epoch(self, value: Any, _data: bytes) -> None:
        row = _codec.numbers_from_json(value)
        names = self._new_names(self._figures, row)
        taken = _FIGURE * (1 + len(row))
        self._check_memory(objects=taken)
        self._figures |= names
        self._objects += taken

    def _phase(self, value: Any, data: bytes) -> None:
        step = _codec.count_from_json(value["step"])
        tensors = _codec.tensors_from_json(value["tensors"])
        sizes = sum(map(_codec.kept_bytes, tensors))
        for change in value["changes"]:
            _text("a change", change)
        if step < self.step or self.step < 0 or len(data) != 8 * len(tensors) + sizes:
            message = f"a phase begins at step {step} with {len(data)} bytes"
            raise ValueError(message)
        union = self._union.copy()
        union.add(tensors, step)
        later = int(step > self.step)
        self._check_memory(rows=later, sketches=later, union=union)
        self._union = union
        self._declare(tensors)
        self._rows += later
        self._sketches += later
        self.step = self.sketched = step

    def _note(self, value: Any, _data: bytes) -> None:
        _text("a note", value)

    def _end(self, value: Any, _data: bytes) -> None:
        """Check nothing: an end has no content."""

    def _declare(self, tensors: Sequence[Tensor]) -> None:
        self.tensors = tuple(tensors)
        self.sizes = [_codec.kept_bytes(tensor) for tensor in self.tensors]
        self._kept_bytes = sum(self.sizes)
        if not self._union.tensors:
            self._union.add(self.tensors, 0)

    def _new_names(self, known: set[str], row: dict[str, float]) -> set[str]:
        new = row.keys() - known
        if len(known) + len(new) > MAX_NAMES:
            message = f"a record holds at most {MAX_NAMES} metrics, not {len(known) + len(new)}"
            raise ValueError(message)
        return new

    def _check_memory(
        self,
        *,
        rows: int = 0,
        sketches: int = 0,
        metrics: int = 0,
        objects: int = 0,
        union: Union | None = None,
    ) -> None:
        """Raise ValueError if tables, mostly gaps, would take far more memory than the entries."""
        union = union or self._union
        rows += self._rows
        columns = len(self._metrics) + len(self._digests) + metrics
        taken = rows * (9 * len(union.tensors) + 8 * columns)
        taken += (sketches + self._sketches) * union.kept_bytes + objects + self._objects
        most = ALLOWANCE + 4 * self.bytes
        if taken > most:
            message = (
                f"its tables would take {taken} bytes, mostly gaps (at most {most}): "
                "too many different metrics, or tensors that are present in few phases"
            )
            raise ValueError(message)


def _text(what: str, value: Any) -> None:
    if not isinstance(value, str):
        message = f"{what} is not a string"
        raise TypeError(message)


_CHECKS = {
    "start": Rules._start,  # noqa: SLF001 - of this module's own class
    "step": Rules._step,  # noqa: SLF001
    "values": Rules._values,  # noqa: SLF001
    "prediction": Rules._prediction,  # noqa: SLF001
    "epoch": Rules._epoch,  # noqa: SLF001
    "phase": Rules._phase,  # noqa: SLF001
    "note": Rules._note,  # noqa: SLF001
    "end": Rules._end,  # noqa: SLF001
}
