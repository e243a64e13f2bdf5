"""Changes to a record after which its digests are made to fit: only sense can tell them.

Each is a function from the bench that holds the sound record to the SQL statements of the change.
"""

import json
import sqlite3

from sample_record import TENSORS


def start_with(**changes):
    """Statements that change keys of the start entry's JSON (a function: of the old value)."""

    def statement(bench):
        connection = sqlite3.connect(f"file:{bench.folder}/sound.fpdrift?mode=ro", uri=True)
        text = connection.execute("SELECT text FROM entry WHERE number = 1").fetchone()[0]
        connection.close()
        start = json.loads(text)
        start.update({k: v(start[k]) if callable(v) else v for k, v in changes.items()})
        return [("UPDATE entry SET text = ? WHERE number = 1", (json.dumps(start),))]

    return statement


def tensor_with(**changes):
    return start_with(tensors=lambda tensors: [{**tensors[0], **changes}, *tensors[1:]])


def text_of(number, text):
    return lambda _: [("UPDATE entry SET text = ? WHERE number = ?", (text, number))]


def value_of(column, number, value):
    return lambda _: [(f"UPDATE entry SET {column} = ? WHERE number = ?", (value, number))]


def many_metrics(_):
    metrics = {f"m{i}": i for i in range(30_000)}
    row = json.dumps({"step": 1, "loss": 1.0, "metrics": metrics})
    return [("UPDATE entry SET text = ? WHERE number = 4", (row,))]


def growing_metrics(_):
    row = '{"step":\' || number || \',"loss":1,"metrics":{"m\' || number || \'":1}}'
    count = "WITH RECURSIVE c(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM c WHERE n < 20000)"
    hashes = "zeroblob(72)"
    insert = "INSERT INTO entry SELECT n, 'step', '', " + hashes + ", x'00' FROM c"
    return [
        "DELETE FROM entry WHERE number > 1",
        f"{count} {insert.replace('SELECT n,', 'SELECT n - 98,')}",
        f"UPDATE entry SET text = '{row}' WHERE number > 1",
    ]


STEP = '{"step":%s,"loss":%s,"metrics":%s}'
#: Lies whose digests fit; each has to be refused, or read as what it says.
LIES = (
    tensor_with(shape=[10**12, 10**6]),
    tensor_with(shape=[-1]),
    tensor_with(shape=[2**70]),
    tensor_with(shape=[1.5]),
    tensor_with(shape="ab"),
    tensor_with(shape=[[[]]]),
    tensor_with(name="\x1b]0;owned\x07"),
    tensor_with(name="x" * 10**6),
    tensor_with(name=7),
    tensor_with(name=TENSORS[1].name),
    tensor_with(dtype="object"),
    tensor_with(dtype=["float32"]),
    tensor_with(role="king"),
    tensor_with(kept="all"),
    tensor_with(kept=None),
    tensor_with(zero_gradient="no"),
    tensor_with(more=1),
    start_with(tensors=[]),
    start_with(tensors={}),
    start_with(tensors=7),
    start_with(tensors=[[]] * 10**5),
    start_with(meta=[1]),
    start_with(meta={"notes": 7}),
    start_with(meta={"a": "\x1b[31m"}),
    start_with(provenance={}),
    start_with(provenance=None),
    start_with(loss_kind="best"),
    start_with(hash_version=2),
    start_with(hash_version=[]),
    text_of(1, "[" * 100_000),
    text_of(1, "{}"),
    text_of(1, "null"),
    text_of(1, "nope"),
    text_of(1, " " * 20_000_000),
    text_of(4, "[" * 100_000 + "]" * 100_000),
    text_of(4, '{"a":' * 5000 + "1" + "}" * 5000),
    text_of(4, " " * 2_000_000),
    text_of(4, "NaN"),
    text_of(4, "[]"),
    text_of(4, "null"),
    text_of(4, STEP % ("1e400", 1, "{}")),
    text_of(4, STEP % ("9" * 5000, 1, "{}")),
    text_of(4, STEP % (2**63, 1, "{}")),
    text_of(4, STEP % ("true", 1, "{}")),
    text_of(4, STEP % (0, 1, "{}")),
    text_of(4, STEP % (-1, 1, "{}")),
    text_of(4, STEP % (1, '"nan"', "{}")),
    text_of(4, STEP % (1, "1" + "0" * 400, "{}")),
    text_of(4, STEP % (1, "[1]", "{}")),
    text_of(4, STEP % (1, 1, "[]")),
    text_of(4, STEP % (1, 1, '{"":1}')),
    text_of(4, STEP % (1, 1, '{"\\u001b":1}')),
    text_of(4, STEP % (1, 1, '{"loss":"inf"}')),
    text_of(3, '{"step":0,"dtype":"float32","shape":[0,1000000000000000]}'),
    text_of(3, '{"step":0,"dtype":"object","shape":[4,3]}'),
    text_of(3, '{"step":0,"dtype":"float32","shape":[]}'),
    text_of(3, '{"step":0,"dtype":"float32","shape":[12' + ",1" * 99 + "]}"),
    text_of(3, '{"step":0,"dtype":"float64","shape":[4,3]}'),
    text_of(3, '{"step":0,"dtype":["float32"],"shape":[4,3]}'),
    value_of("kind", 4, "x" * 10**6),
    value_of("kind", 4, "start"),
    value_of("kind", 4, "king"),
    value_of("kind", 4, "note"),
    value_of("kind", 4, 7),
    value_of("kind", 1, "end"),
    value_of("kind", 4, b"step"),
    value_of("text", 4, 7),
    value_of("text", 4, b"\xff\xfe"),
    value_of("data", 4, "text"),
    value_of("data", 4, b""),
    value_of("data", 4, b"x" * 73),
    value_of("data", 4, 1.5),
    value_of("data", 1, b"more"),
    many_metrics,
    growing_metrics,
)
