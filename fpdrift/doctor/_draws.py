"""The ledger of random draws: what a script drew, where, and from which generator.

Two runs of one script that differ by chance differ first at some draw. The ledger enters each one
with its place and a hash of what was drawn, so that two ledgers can be compared (`_first_draw`).
It draws nothing itself and changes no generator. `_draw_sources` says which functions it watches.

What it cannot see: draws inside a compiled graph (dropout in `fit`, `tf.data` maps), in C code
that takes a bit generator's pointer (numba), in other processes, and from generators of other
libraries (PyTorch, JAX). Of graphs it enters what is certain: a draw that nothing seeds.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import threading
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Any

from fpdrift.errors import FpdriftError, short_repr

if TYPE_CHECKING:
    from types import FrameType

#: Entries of a ledger, digests of single draws of an entry, and such digests of a ledger.
MOST_ENTRIES, MOST_DIGESTS, MOST_DIGESTS_IN_ALL = 100_000, 1_000, 1_000_000
#: Bytes of a digest.
SIZE = 8
#: Whose code a file holds. TEXT was compiled from a string, such as a dataclass's methods.
USER, TEXT, LIBRARY, STANDARD, OURS = range(5)
_IMPORT = "<frozen importlib._bootstrap>"
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_pack_float, _HALF = Struct(">d").pack, 1 << 63
_PLAIN = (bool, int, float, complex, str, type(None))

Place = tuple[str, int]


class Ledger:
    """The random draws and seeds of this process, in order.

    Attributes
    ----------
    failures : int
        Draws that could not be entered because the ledger itself failed; the script went on.

    Examples
    --------
    >>> ledger = Ledger()
    >>> watch_all(ledger, "/home/user/project")  # before the script's imports
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

    def begin(self, root: str | None) -> None:
        """Name places relative to a folder from now on.

        Parameters
        ----------
        root : str or None
            Folder of the script.

        Raises
        ------
        FpdriftError
            If there is a ledger in this process already.
        """
        if Ledger._installed:
            message = "a ledger of draws is already installed; use one per process"
            raise FpdriftError(message)
        Ledger._installed = True
        self.places = Places(root)

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


class Places:
    """Whose code a frame runs, and the script's line that led there.

    Parameters
    ----------
    root : str or None
        Files in this folder are named relative to it.
    """

    def __init__(self, root: str | None) -> None:
        self.root = _folder(Path(root).resolve()) if root else None
        self._kinds: dict[str, int] = {}
        self._names: dict[str, str] = {}
        paths = sysconfig.get_paths()
        self._ours = (_folder(Path(__file__).parents[1]),)
        self._standard = tuple(_folder(Path(paths[k])) for k in ("stdlib", "platstdlib"))
        self._site = tuple(_folder(Path(paths[k])) for k in ("purelib", "platlib"))

    def kind(self, file: str) -> int:
        """Return whose code a file holds: USER, TEXT, LIBRARY, STANDARD or OURS."""
        try:
            return self._kinds[file]
        except KeyError:
            self._kinds[file] = kind = self._kind(file)
            return kind

    def _kind(self, file: str) -> int:
        if file.startswith("<"):
            if file.startswith("<ipython"):
                return USER
            inside = file.startswith("<__array_function__")
            return STANDARD if file.startswith("<frozen") else LIBRARY if inside else TEXT
        if file.startswith(self._ours):
            return OURS
        slashed = file.replace(os.sep, "/")
        # AutoGraph compiles the script's functions again, into files with names of chance.
        generated = "/__autograph_generated_file" in slashed
        packages = "/site-packages/" in slashed or "/dist-packages/" in slashed
        if file.startswith(self._site) or packages or generated:
            return LIBRARY
        return STANDARD if file.startswith(self._standard) else USER

    def of_call(self, frame: FrameType) -> tuple[str, int, str | None]:
        """Return place and library of a call from a frame; the file is "" if there is no place."""
        file = frame.f_code.co_filename
        if self.kind(file) == USER:
            return self._name(file), frame.f_lineno, None
        return (*(self.of(frame) or ("", 0)), self.library(frame))

    def of(self, frame: FrameType | None) -> Place | None:
        """Return file and line of the nearest frame of the script, from here outwards.

        None if there is none, as in a library's own thread, or if a library is only now being
        imported: what it draws for itself is nothing of the script's.
        """
        text = None
        while frame is not None:
            file = frame.f_code.co_filename
            kind = self.kind(file)
            if kind == USER:
                return self._name(file), frame.f_lineno
            if file == _IMPORT:
                return None
            if kind == TEXT and text is None:
                text = (file, frame.f_lineno)
            frame = frame.f_back
        return text

    def library(self, frame: FrameType) -> str | None:
        """Return the name of the library whose code a frame runs; None for the script's."""
        if self.kind(frame.f_code.co_filename) != LIBRARY:
            return None
        name = frame.f_globals.get("__name__") or ""
        return str(name).partition(".")[0] or None

    def _name(self, file: str) -> str:
        try:
            return self._names[file]
        except KeyError:
            self._names[file] = name = self._relative(Path(file))
            return name

    def _relative(self, file: Path) -> str:
        if file.parent.name.startswith("ipykernel_"):  # a notebook's cell, in a process's folder
            return file.name
        whole = str(file.resolve()) if file.is_absolute() else str(file)
        if self.root is not None and whole.startswith(self.root):
            file = Path(whole[len(self.root) :])
        return file.as_posix()


def _folder(path: Path) -> str:
    """Return what the names of all files in a folder begin with."""
    return f"{path}{os.sep}"


def hash_bytes(data: bytes | bytearray) -> bytes:
    """Return the hash of a few bytes."""
    return blake2b(data, digest_size=SIZE).digest()


def digest_of(value: object) -> bytes | None:
    """Return the hash of a drawn value; None of one that is not data, or not there yet.

    Parameters
    ----------
    value : object
        A number, text, bytes, an array, an eager tensor, or a list or tuple of those.
    """
    if type(value) is float:
        return _pack_float(value)
    if type(value) is int and -_HALF <= value < _HALF:
        return value.to_bytes(SIZE, "big", signed=True)
    if isinstance(value, bytes):
        return hash_bytes(value)
    if isinstance(value, _PLAIN):
        return hash_bytes(repr(value).encode())
    if isinstance(value, list | tuple):
        parts = [digest_of(item) for item in value]
        return None if None in parts else hash_bytes(b"".join(part for part in parts if part))
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if not isinstance(value, numpy.ndarray | numpy.generic):
        convert = getattr(value, "numpy", None) or getattr(value, "__array__", None)
        if convert is None:
            return None
        try:
            value = numpy.asarray(convert())
        except Exception:  # noqa: BLE001 - a tensor of a graph, or a tracer, has no value yet
            return None
    return _digest_of_array(numpy.ascontiguousarray(value))


def _digest_of_array(array: Any) -> bytes | None:
    if array.dtype.hasobject:
        return None
    # Imported with the first array: a script must find no module loaded that it did not import.
    from xxhash import xxh3_64

    header = repr((array.dtype.str, array.shape)).encode()
    hashed = xxh3_64(header)
    hashed.update(array.view("u1") if array.ndim else array.tobytes())
    return hashed.digest()


def digest_of_state(state: Any) -> bytes:
    """Return the hash of a generator's state: numbers, arrays, and dicts or tuples of them."""
    if isinstance(state, dict):
        return hash_bytes(b"".join(digest_of_state(value) for value in state.values()))
    if isinstance(state, tuple) and len(state) > 100:  # Python's: the hash of integers is theirs
        return hash_bytes(b"%d" % hash(state))
    if isinstance(state, tuple):
        return hash_bytes(b"".join(digest_of_state(value) for value in state))
    return digest_of(state) or b""


def describe_seed(seed: object) -> str | None:
    """Return a short description of a seed, the same in every process; None of None."""
    if seed is None:
        return None
    state = getattr(seed, "state", None)  # of a bit generator
    if isinstance(state, dict) and "bit_generator" in state:
        return f"{state['bit_generator']} in state {digest_of_state(state).hex()}"
    if not isinstance(seed, _PLAIN) and (digest := digest_of(seed)):
        return f"{_ADDRESS.sub('', short_repr(seed))} ({digest.hex()[:8]})"
    return _ADDRESS.sub("", short_repr(seed))
