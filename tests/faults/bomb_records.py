"""Files made to fill memory or take time: each is opened or refused in 2 s and within 512 MB.

Each is opened in a process of its own, whose processor time and largest memory are measured.

    python tests/faults/bomb_records.py [--only NAME]
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "records"))
from mutate_records import chain_anew
from sample_record import TENSORS, write_sample

from fpdrift.records import _format

SECONDS, MEGABYTES = 2.0, 512
#: Bytes of a step's hashes.
HASHES = 8 * len(TENSORS)
#: Opens a file; prints the seconds, the megabytes and what came of it. Time on the processor: that
#: of a busy machine's other programs is not the file's.
OPEN = """
import pathlib, resource, sys, time
from fpdrift.errors import RecordError
from fpdrift.records import open_record
began = time.process_time()
try:
    outcome = repr(open_record(sys.argv[1]))
except RecordError as error:
    outcome = str(error)
seconds = time.process_time() - began
status = pathlib.Path("/proc/self/status")  # getrusage counts the parent before exec, too
if status.exists():
    most = int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
else:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(seconds, most, outcome)
"""


def changed(path, *statements, steps=3, fits=True):
    """Write a sound record and change it by SQL; its digests fit again, or do not at the end."""
    write_sample(path, steps=steps)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(*((statement,) if isinstance(statement, str) else statement))
    chain_anew(connection)
    if not fits:
        connection.execute(
            "UPDATE entry SET digest = x'00' WHERE number = (SELECT max(number) FROM entry)"
        )
    connection.execute("COMMIT")
    connection.close()


def sparse(size):
    """A file with a record's header and nothing behind it, of a size that no disk has to hold."""

    def make(path):
        header = bytearray(_format.MAGIC.ljust(100, b"\0"))
        header[16:20] = b"\x10\0\1\1"
        header[60:64] = _format.FORMAT_VERSION.to_bytes(4, "big")
        header[68:72] = _format.APPLICATION_ID.to_bytes(4, "big")
        with path.open("wb") as file:
            file.write(header)
            file.truncate(size)

    return make


def data(size, number=2):
    update = "UPDATE entry SET data = zeroblob(?) WHERE number = ?"
    return lambda path: changed(path, (update, (size, number)), fits=False)


def text(number, value, **options):
    update = "UPDATE entry SET text = ? WHERE number = ?"
    return lambda path: changed(path, (update, (value, number)), **options)


def start(**changes):
    """A start entry whose JSON is changed, as text, where a value is a text of JSON."""

    def make(path):
        write_sample(path, steps=3)
        connection = sqlite3.connect(path)
        old = json.loads(connection.execute("SELECT text FROM entry").fetchone()[0])
        connection.close()
        path.unlink()
        pieces = {key: json.dumps(value) for key, value in old.items()} | changes
        joined = ",".join(f'"{key}":{value}' for key, value in pieces.items())
        text(1, f"{{{joined}}}", fits=False)(path)

    return make


def rows(kind, value, count, size=HASHES):
    """Many entries of one kind; in `value`, "NUMBER" becomes the entry's number."""
    text_of = "replace(?, 'NUMBER', n)" if "NUMBER" in value else "?"
    insert = (
        f"WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c WHERE n < {count + 1}) "
        f"INSERT INTO entry SELECT n, '{kind}', {text_of}, zeroblob({size}), x'00' FROM c"
    )
    return lambda path: changed(
        path, "DELETE FROM entry WHERE number > 1", (insert, (value,)), fits=False
    )


def metrics(count, prefix="m"):
    return "{" + ",".join(f'"{prefix}{i}":1' for i in range(count)) + "}"


def step_with(inner):
    return f'{{"step":NUMBER,"loss":1,"metrics":{inner}}}'


def many(item, count):
    return f"[{','.join([item] * count)}]"


def steps_with_names_once(path):
    """Write 6 MB of steps; one of them has a thousand metrics, which makes columns of all."""
    insert = "INSERT INTO entry VALUES (2, 'step', ?, zeroblob(?), x'00')"
    first = step_with(metrics(1000)).replace("NUMBER", "2")
    others = (
        "WITH RECURSIVE c(n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM c WHERE n < 42000) "
        "INSERT INTO entry SELECT n, 'step', replace(?, 'NUMBER', n), zeroblob(?), x'00' FROM c"
    )
    changed(
        path,
        "DELETE FROM entry WHERE number > 1",
        (insert, (first, HASHES)),
        (others, (step_with("{}"), HASHES)),
    )


def phases_of_their_own(count, tensors):
    """Write phases, each with a step and tensors of its own: a table of little but gaps."""
    names = [f'{{"name":"NUMBER/{i}",{HASHED}}}' for i in range(tensors)]
    value = f'{{"step":NUMBER,"tensors":[{",".join(names)}],"changes":[]}}'
    step = step_with("{}").replace("NUMBER", "1")
    insert = "INSERT INTO entry VALUES (2, 'step', ?, zeroblob(?), x'00')"
    others = (
        f"WITH RECURSIVE c(n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM c WHERE n < {count + 2}) "
        "INSERT INTO entry SELECT n, 'phase', replace(?, 'NUMBER', n), zeroblob(?), x'00' FROM c"
    )
    return lambda path: changed(
        path,
        "DELETE FROM entry WHERE number > 1",
        (insert, (step, HASHES)),
        (others, (value, 8 * tensors)),
    )


HASHED = '"role":"slot","shape":[],"dtype":"float32","kept":"hash","zero_gradient":null'
AXES = (
    '[{"name":"a","role":"weight","dtype":"float32","kept":"hash","zero_gradient":null,"shape":'
    f"{many('1', 4_000_000)}}}]"
)
BOMBS = {
    "10 GB of nothing": sparse(10 << 30),
    "200 MB of nothing": sparse(200 << 20),
    "data of 200 MB": data(200 << 20),
    "a note with data of 200 MB": lambda path: changed(
        path,
        (
            "UPDATE entry SET kind = 'note', text = '\"\"', data = zeroblob(?) WHERE number = 4",
            (200 << 20,),
        ),
        fits=False,
    ),
    "text of 200 MB": text(2, "x" * (200 << 20)),
    "kind of 200 MB": lambda path: changed(
        path, ("UPDATE entry SET kind = ? WHERE number = 4", ("x" * (200 << 20),))
    ),
    "digest of 200 MB": lambda path: changed(
        path, ("UPDATE entry SET digest = zeroblob(?) WHERE number = 4", (200 << 20,)), fits=False
    ),
    "a start of empty lists": start(meta=f'{{"a":{many("[]", 2_700_000)}}}'),
    "a start of empty objects": start(meta=f'{{"a":{many("{}", 2_700_000)}}}'),
    "a start of numbers": start(meta=f'{{"a":{many("1", 4_000_000)}}}'),
    "a start of keys": start(meta=metrics(700_000, "")),
    "a start of tensors": start(tensors=many("{}", 2_700_000)),
    "a start of axes": start(tensors=AXES),
    "nested as deep as text goes": text(2, "[" * 500_000 + "]" * 500_000),
    "a million entries": rows("note", '""', 1_000_000, 0),
    "a million steps": rows("step", step_with("{}"), 600_000),
    "60 MB of metrics of one name each": rows("step", step_with('{"mNUMBER":1}'), 300_000),
    "60 steps of many metrics": rows("step", step_with(metrics(90_000)), 60),
    "60 epochs of many metrics": rows("epoch", metrics(90_000), 60, 0),
    "200 steps of many metrics": rows("step", step_with(metrics(90_000)), 200),
    "notes of 1 MB": rows("note", f'"{"x" * 1_000_000}"', 200, 0),
    "notes of lists": rows("note", many("[]", 340_000), 60, 0),
    "200 MB of predictions": rows(
        "prediction", '{"step":NUMBER,"dtype":"bool","shape":[1000000]}', 200, 1_000_000
    ),
    "6 MB, tables of a thousand metrics": steps_with_names_once,
    "6 MB, tables of fifty thousand tensors": phases_of_their_own(5000, 10),
    "6 MB of phases": phases_of_their_own(40, 1300),
    "6 MB of notes": rows("note", '""', 180_000, 0),
    "6 MB of epochs": rows("epoch", '{"a":1}', 130_000, 0),
}


def measure(make, folder):
    """Make a bomb and open it in a process of its own: seconds, megabytes and the outcome."""
    path = Path(folder, "bomb.fpdrift")
    path.unlink(missing_ok=True)
    make(path)
    command = [sys.executable, "-c", OPEN, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    path.unlink()
    if done.returncode:
        return float("inf"), float("inf"), done.stderr[-300:]
    seconds, megabytes, outcome = done.stdout.strip().split(" ", 2)
    return float(seconds), float(megabytes), outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="those whose name holds this")
    only = parser.parse_args().only
    bad = 0
    with TemporaryDirectory() as folder:
        for name, make in BOMBS.items():
            if only not in name:
                continue
            seconds, megabytes, outcome = measure(make, folder)
            over = seconds > SECONDS or megabytes > MEGABYTES
            bad += over
            print(
                f"{name:40} {seconds:5.2f} s {megabytes:5.0f} MB {'!' if over else ' '} "
                f"{outcome[:90]}"
            )
    print(f"{bad} over {SECONDS:g} s or {MEGABYTES} MB")
    return 1 if bad else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "error")
    sys.exit(main())
