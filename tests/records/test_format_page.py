"""A record can be read with SQLite and docs/record-format.md alone: nothing of fpdrift's reader."""

import hashlib
import json
import math
import sqlite3
import struct
from pathlib import Path

import ml_dtypes
import numpy as np
import xxhash

from fpdrift.records import RecordWriter, Tensor

PAGE = (Path(__file__).parents[2] / "docs" / "record-format.md").read_text()
TENSORS = (
    Tensor("dense/kernel", "weight", (60, 50), "float32", "sketch", zero_gradient=False),
    Tensor("dense/bias", "weight", (3,), "bfloat16", "whole"),
    Tensor("adam/momentum", "slot", (3,), "float32", "hash"),
)
DTYPES = {"float32": "<f4", "bfloat16": ml_dtypes.bfloat16}
WRAP = (1 << 64) - 1


def entries(path):
    """Read all rows, checking the chain of digests as the page says."""
    header = path.read_bytes()[:72]
    assert header[:16] == b"SQLite format 3\0"
    assert header[60:64] == (2).to_bytes(4, "big")
    assert header[68:72] == b"fpdr"
    connection = sqlite3.connect(path)
    [sql] = [row[0] for row in connection.execute("SELECT sql FROM sqlite_master")]
    assert sql in PAGE
    rows = connection.execute("SELECT * FROM entry ORDER BY number").fetchall()
    connection.close()
    before = b""
    for place, (number, kind, text, data, digest) in enumerate(rows, 1):
        assert number == place
        parts = b"".join(
            struct.pack("<Q", len(part)) + part for part in (kind.encode(), text.encode(), data)
        )
        before = hashlib.blake2b(before + parts, digest_size=16).digest()
        assert digest == before
        yield kind, json.loads(text), data


def mix64(i):
    z = (i + 1) * 0x9E3779B97F4A7C15 & WRAP
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WRAP
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WRAP
    return z ^ (z >> 31)


def sketch(values):
    buckets = [[] for _ in range(1024)]
    for i, value in enumerate(values.ravel().tolist()):
        mixed = mix64(i)
        buckets[mixed >> 54].append(-value if mixed >> 53 & 1 else value)
    return [math.fsum(bucket) for bucket in buckets]


def test_a_reader_made_from_the_page_reads_what_was_written(tmp_path):
    rng = np.random.default_rng(5)
    states = [
        (
            rng.standard_normal((60, 50)).astype(np.float32),
            rng.standard_normal(3).astype(ml_dtypes.bfloat16),
            rng.standard_normal(3).astype(np.float32),
        )
        for _ in range(3)
    ]
    answers = rng.random((4, 2)).astype(np.float32)
    path = tmp_path / "a.fpdrift"
    writer = RecordWriter(path, TENSORS, meta={"seed": 7})
    for step, state in enumerate(states):
        hashes = [xxhash.xxh3_64_intdigest(values.tobytes()) for values in state]
        kept = {0: state[0], 1: state[1]} if step < 2 else None
        writer.add_step(step, hashes, 0.5 if step else math.nan, {"acc": math.inf}, kept)
    writer.add_values(2, {0: states[2][0], 1: states[2][1]})
    writer.add_predictions(2, answers)
    writer.add_epoch({"loss": 0.25})
    writer.add_note("a sentence")
    writer.finish()

    (kind, start, _), *rows = entries(path)
    assert kind == "start"
    assert (start["meta"], start["hash_version"], start["loss_kind"]) == ({"seed": 7}, 1, "step")
    assert [t["kept"] for t in start["tensors"]] == ["sketch", "whole", "hash"]
    seen = {}
    for kind, value, data in rows:
        if kind == "step":
            count = len(start["tensors"])
            assert value["loss"] == (0.5 if value["step"] else None)
            assert value["metrics"] == {"acc": "inf"}
            state = states[value["step"]]
            hashes = struct.unpack_from(f"<{count}Q", data)
            assert list(hashes) == [xxhash.xxh3_64_intdigest(v.tobytes()) for v in state]
            data = data[8 * count :]
        if kind in ("step", "values") and data:
            check_kept(start["tensors"], states[value["step"]], data)
            seen[value["step"]] = kind
        if kind == "prediction":
            assert (value["dtype"], value["shape"]) == ("float32", [4, 2])
            assert data == answers.tobytes()
    assert seen == {0: "step", 1: "step", 2: "values"}
    assert [kind for kind, *_ in rows[-4:]] == ["prediction", "epoch", "note", "end"]
    assert rows[-3][1] == {"loss": 0.25}
    assert rows[-2][1] == "a sentence"


def check_kept(tensors, state, data):
    for tensor, values in zip(tensors, state, strict=True):
        if tensor["kept"] == "whole":
            size = values.nbytes
            assert data[:size] == values.astype(DTYPES[tensor["dtype"]]).tobytes()
            data = data[size:]
        if tensor["kept"] == "sketch":
            numbers = struct.unpack_from("<1025d", data)
            assert np.allclose(numbers[:1024], sketch(values), rtol=1e-12, atol=1e-12)
            exact = math.fsum(x * x for x in values.ravel().tolist())
            assert math.isclose(numbers[1024], exact, rel_tol=1e-12)
            data = data[8 * 1025 :]
    assert data == b""


def test_the_page_names_every_kind_of_entry_and_every_limit():
    from fpdrift.records import _format

    for kind in _format.KINDS:
        assert f"`{kind}`" in PAGE
    assert hex(_format.APPLICATION_ID) in PAGE
    assert _format.TABLE in PAGE
    assert f"**format version {_format.FORMAT_VERSION}**" in PAGE
    assert _format.MAX_START_TEXT == 8 << 20
    assert _format.MAX_TEXT == 1 << 20
