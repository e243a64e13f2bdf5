"""The ledger of random draws: what a script drew, where, and from which generator.

Two runs of one script that differ by chance differ first at some draw. The ledger enters each one
with its place and a hash of what was drawn, so that two ledgers can be compared (`_first_draw`).
It draws nothing itself and changes no generator. The modules
`_draw_python`, `_draw_numpy` and `_draw_keras` say which functions it watches.

What it cannot see: draws inside a compiled graph (dropout in `fit`, `tf.data` maps), in C code
that takes a bit generator's pointer (numba), in other processes, and from generators of other
libraries (PyTorch, JAX). Of graphs it enters what is certain: a draw that nothing seeds.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from fpdrift.doctor._draw_digests import SIZE, hash_bytes
from fpdrift.doctor._draw_keras import watch_keras
from fpdrift.doctor._draw_numpy import watch_numpy
from fpdrift.doctor._draw_places import STANDARD, Place, Places
from fpdrift.doctor._draw_python import watch_python
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    from types import FrameType

#: Entries of a ledger, digests of single draws of an entry, and such digests of a ledger.
MOST_ENTRIES, MOST_DIGESTS, MOST_DIGESTS_IN_ALL = 100_000, 1_000, 1_000_000


class Ledger:
    """The random draws and seeds of this process, in order.

    Attributes
    ----------
    failures : int
        Draws that could not be entered because the ledger itself failed; the script went on.

    Examples
    --------
    >>> ledger = Ledger()
    >>> ledger.install("project")  # before the script's imports
    >>> runpy.run_path("/home/user/project/train.py", run_name="__main__")
    >>> ledger.entries[0]
    {'event': 'seed', 'generator': 'python', 'call': 'random.seed', 'file': 'train.py', ...}
    """

    def __init__(self) -> None:
        self.failures = 0
        self.places = Places(None)
        self._entries: list[_Entry] = []
        self._room_for_digests = MOST_DIGESTS_IN_ALL
        self._lock = threading.RLock()  # a finalizer may draw while another draw is entered
        os.register_at_fork(after_in_child=self._renew_lock)
        self._here = _Here()
        self._numbers = 0

    def install(self, root: str | None) -> None:
        """Watch every generator from now on, until the process ends.

        Nothing outside the standard library is imported: NumPy, Keras and TensorFlow are watched
        as soon as the script imports them. One that is loaded already is watched as far as its
        names have not been imported from it, so install the ledger before the script starts.

        Parameters
        ----------
        root : str or None
            Folder of the script; places in it are named relative to it.

        Raises
        ------
        FpdriftError
            If a ledger is installed in this process already.
        """
        if Ledger._installed:
            message = "a ledger of draws is already installed; use one per process"
            raise FpdriftError(message)
        Ledger._installed = True
        self.places = Places(root)
        for watch in (watch_python, watch_numpy, watch_keras):
            watch(self)

    _installed = False

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What was entered, as JSON values.

        Each entry has ``event`` ("draw" or "seed"), ``generator``, ``call``, ``file``, ``line``,
        ``count`` and ``digest`` (16 hexadecimal digits). Consecutive draws of one call at one
        place are one entry; ``digests`` holds the digests of the first 1,000, if there are several.
        A seed has ``value``, the repr of the seed or None without one. ``instance`` is the number
        of the generator that the script made, if it is not a global one, and ``via`` the library
        whose code called. The event "rest" sums up all that came after 100,000 entries.
        """
        with self._lock:
            return [entry.as_json() for entry in self._entries]

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()  # another thread may have held it when this one forked

    def __len__(self) -> int:
        """Return the number of entries so far."""
        return len(self._entries)

    def next_number(self) -> int:
        """Return the number of a generator that has just been made."""
        with self._lock:
            self._numbers += 1
            return self._numbers

    def ignores(self, frame: FrameType) -> bool:
        """Return whether a call from here is no draw of the script, but the inside of one."""
        return self.places.kind(frame.f_code.co_filename) >= STANDARD or self._here.nested

    def nested(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a function of a library, and enter none of the draws inside it."""
        self._here.nested = True
        try:
            return call(*args, **kwargs)
        finally:
            self._here.nested = False

    def draw(
        self,
        frame: FrameType,
        generator: str,
        call: str,
        digest: bytes,
        *,
        instance: int = 0,
        place: Place | None = None,
    ) -> None:
        """Enter a draw that was made from a frame, or for another place."""
        file, line, via = self.places.of_call(frame)
        if place is not None:
            file, line = place
        if file:
            self._enter(("draw", generator, call, file, line, instance, via, None), digest)

    def seed(
        self,
        frame: FrameType,
        generator: str,
        call: str,
        value: str | None,
        *,
        instance: int = 0,
        digest: bytes | None = None,
    ) -> None:
        """Enter that a generator was seeded or made; `value` describes its seed."""
        file, line, via = self.places.of_call(frame)
        if file:
            key = ("seed", generator, call, file, line, instance, via, value)
            self._enter(key, digest or hash_bytes(repr(value).encode()))

    def _enter(self, key: tuple[Any, ...], digest: bytes) -> None:
        with self._lock:
            last = self._entries[-1] if self._entries else None
            if last is None or (last.key != key and last.key != _REST):
                room = len(self._entries) < MOST_ENTRIES
                last = _Entry(key if room else _REST, self._room_for_digests > 0)
                self._entries.append(last)
            if last.key == _REST:
                digest = hash_bytes(repr(key).encode() + digest)
            last.add(digest)
            self._room_for_digests -= last.count <= MOST_DIGESTS


class _Here(threading.local):
    """What holds for this thread alone."""

    #: Inside a call whose own draws are not entered.
    nested = False


_REST = ("rest", "", "", "", 0, 0, None, None)


class _Entry:
    """Consecutive draws of one call at one place."""

    __slots__ = ("count", "first", "key", "most", "pending", "running")

    def __init__(self, key: tuple[Any, ...], numbered: bool) -> None:
        self.key = key
        self.count = 0
        self.most = MOST_DIGESTS if numbered and key != _REST else 1
        self.first = bytearray()
        self.pending = bytearray()
        self.running = b""

    def add(self, digest: bytes) -> None:
        """Count one more draw."""
        self.count += 1
        if self.count <= self.most:
            self.first += digest
            return
        self.pending += digest
        if len(self.pending) >= SIZE * MOST_DIGESTS:
            self.running = hash_bytes(self.running + self.pending)
            self.pending.clear()

    def as_json(self) -> dict[str, Any]:
        """Return the entry as JSON values."""
        event, generator, call, file, line, instance, via, value = self.key
        digest = bytes(self.first)
        if self.count > 1:
            digest = hash_bytes(digest + self.running + self.pending)
        entry = {"event": event, "generator": generator, "call": call, "file": file, "line": line}
        entry |= {"digest": digest.hex(), "count": self.count}
        if event == "seed":
            entry["value"] = value
        if instance:
            entry["instance"] = instance
        if via:
            entry["via"] = via
        if self.count > 1 and self.most > 1:
            whole = self.first.hex()
            entry["digests"] = [whole[i : i + 2 * SIZE] for i in range(0, len(whole), 2 * SIZE)]
        return entry
