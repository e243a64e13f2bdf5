"""Damage records in every way that comes to mind, and see that each opens right or not at all.

Right means: what the sound record holds, or, where its end is gone, a part of it that says so. A
record whose digests were made anew after a change may hold something else; it must still be read
within the time limit, raise nothing but RecordError, and touch nothing.

    python tests/faults/mutate_records.py [--count 10000] [--seed 1]
"""

import argparse
import os
import random
import sqlite3
import struct
import subprocess
import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "records"))
from lying_records import LIES
from sample_record import write_sample

from fpdrift.errors import RecordError
from fpdrift.records import _format, open_record

SECONDS = 2.0
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")


class Bench:
    """A sound record, and one whose writer was killed, to be damaged over and over."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.path = self.folder / "mutated.fpdrift"
        self.journal = self.folder / "mutated.fpdrift-journal"
        self.wal = self.folder / "mutated.fpdrift-wal"
        self.victim = self.folder / "victim"
        sound = self.folder / "sound.fpdrift"
        write_sample(sound)
        self.sound = sound.read_bytes()
        self.content = open_record(sound)
        other = self.folder / "other.fpdrift"
        write_sample(other, steps=35, meta={"condition": "another"})
        self.other, self.other_content = other.read_bytes(), open_record(other)
        self.hot = killed_in_a_transaction(self.folder)

    def lay_out(self, main, journal=None, wal=None):
        for path, data in ((self.path, main), (self.journal, journal), (self.wal, wal)):
            path.unlink(missing_ok=True)
            if data is not None:
                path.write_bytes(data)
        self.victim.write_bytes(b"do not delete")

    def sql(self, *statements, rechain=False):
        """Change the sound record by SQL; `rechain` makes the digests fit again."""
        self.lay_out(self.sound)
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        try:
            for statement in statements:
                connection.execute(*((statement,) if isinstance(statement, str) else statement))
            if rechain:
                chain_anew(connection)
        finally:
            connection.close()


def killed_in_a_transaction(folder):
    """Main file and hot journal of a process that was killed while it wrote."""
    path = Path(folder, "hot.fpdrift")
    code = f"""
import os, signal, sqlite3, sys
sys.path[:0] = {[str(Path(__file__).parents[1] / "records")]!r}
from sample_record import write_sample
writer = write_sample({str(path)!r}, steps=20, finish=False)
writer._connection.execute("PRAGMA cache_size = 1")
writer._connection.execute("BEGIN")
writer._connection.execute("UPDATE entry SET data = zeroblob(length(data)), kind = 'torn'")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    return path.read_bytes(), Path(f"{path}-journal").read_bytes()


def chain_anew(connection):
    digest = b""
    rows = connection.execute("SELECT number, kind, text, data FROM entry ORDER BY number")
    for number, kind, text, data in rows.fetchall():
        try:
            digest = _format.chain(digest, kind, text, data)
        except (AttributeError, TypeError):
            return
        connection.execute("UPDATE entry SET digest = ? WHERE number = ?", (digest, number))


def flip(data, rng):
    damaged = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def cut(data, rng):
    return data[: rng.randrange(len(data))]


def shuffle_pages(data, rng):
    pages = [data[i : i + 4096] for i in range(0, len(data), 4096)]
    for _ in range(rng.choice([1, 2, 5])):
        i, j = rng.randrange(len(pages)), rng.randrange(len(pages))
        pages[i] = rng.choice([pages[j], bytes(4096), rng.randbytes(4096)])
    return b"".join(pages)


def header(data, rng):
    at = rng.randrange(16, 100)
    return data[:at] + rng.randbytes(rng.choice([1, 2, 4])) + data[at + 4 :]


def grow(data, rng):
    return data + rng.randbytes(rng.choice([1, 100, 4096, 70_000]))


def splice(one, other, rng):
    """The beginning of one record and the rest of another, at a page's edge or anywhere."""
    at = rng.randrange(100, min(len(one), len(other)))
    at = at // 4096 * 4096 if rng.random() < 0.5 else at
    back = at if rng.random() < 0.5 else rng.randrange(len(other))
    return one[:at] + other[back:]


SQL = (
    ["CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END"],
    ["CREATE VIEW v AS SELECT * FROM entry"],
    ["CREATE INDEX i ON entry (kind)"],
    ["CREATE TABLE other (a)"],
    ["CREATE VIRTUAL TABLE f USING fts5(a)"],
    ["ALTER TABLE entry ADD COLUMN more"],
    ["DROP TABLE entry"],
    ["ALTER TABLE entry RENAME TO old", "CREATE VIEW entry AS SELECT * FROM old"],
    ["DELETE FROM entry WHERE number = 1"],
    ["DELETE FROM entry WHERE number = 9"],
    ["DELETE FROM entry WHERE number > 20"],
    ["DELETE FROM entry"],
    ["UPDATE entry SET number = 1000 WHERE number = 7"],
    ["UPDATE entry SET number = -number"],
    ["UPDATE entry SET text = replace(text, '0', '1') WHERE number = 12"],
    ["UPDATE entry SET data = zeroblob(length(data)) WHERE number = 12"],
    ["UPDATE entry SET data = zeroblob(50000000) WHERE number = 12"],
    ["UPDATE entry SET kind = 'note' WHERE number = 12"],
    ["PRAGMA application_id = 7"],
    ["PRAGMA user_version = 2"],
    ["PRAGMA journal_mode = WAL"],
    ["PRAGMA writable_schema = ON", "UPDATE sqlite_master SET rootpage = 1"],
    ["PRAGMA writable_schema = ON", "UPDATE sqlite_master SET sql = replace(sql, 'TEXT', 'BLOB')"],
    ["PRAGMA writable_schema = ON", "UPDATE sqlite_master SET sql = 'CREATE TABLE entry (a'"],
)


def journals(bench, rng):
    """Journals laid beside the sound record, or damage to one that is hot."""
    main, journal = bench.hot
    name = str(bench.victim).encode()
    tail = struct.pack(">II", len(name), sum(name)) + JOURNAL_MAGIC
    page = struct.pack(">I", 0x40000001) + name + tail  # SQLite's page of no return, then the name
    return rng.choice(
        [
            lambda: (main, flip(journal, rng)),
            lambda: (main, cut(journal, rng)),
            lambda: (flip(main, rng), journal),
            lambda: (main, journal + name + tail),
            lambda: (main, journal + page),
            lambda: (bench.sound, journal),
            lambda: (bench.sound, rng.randbytes(5000)),
            lambda: (bench.sound, JOURNAL_MAGIC + b"\xff" * 24 + rng.randbytes(4096)),
            lambda: (
                bench.sound,
                (JOURNAL_MAGIC + struct.pack(">IIIII", 0, 1, 2**31, 512, 4096)).ljust(512, b"\0")
                + name
                + tail,
            ),
            lambda: (
                bench.sound,
                (JOURNAL_MAGIC + struct.pack(">IIIII", 0, 1, 2**32 - 2, 512, 65536)).ljust(
                    4096, b"\0"
                ),
            ),
        ]
    )()


def foreign(bench, rng):
    """A SQLite file of somebody else's, with or without our mark."""
    bench.lay_out(None)
    connection = sqlite3.connect(bench.path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    if rng.random() < 0.8:
        connection.execute(f"PRAGMA application_id = {_format.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
    connection.execute(
        rng.choice(
            [
                "CREATE TABLE notes (a)",
                "CREATE VIEW entry AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
                "FROM c) SELECT n AS number, 'step' AS kind, '' AS text, x'' AS data, x'' AS "
                "digest FROM c",
                _format.TABLE,
                _format.TABLE.replace("entry", "entries"),
            ]
        )
    )
    connection.close()


def mutate(bench, rng, number):
    """Lay out one damaged record; say what was done, and whether its digests were made anew."""
    if number < len(SQL):
        bench.sql(*SQL[number])
        return f"SQL {number}", False
    if number < len(SQL) + len(LIES):
        lie = LIES[number - len(SQL)]
        bench.sql(*lie(bench), rechain=True)
        return f"lie {number - len(SQL)}", True
    kind = rng.choice(["bytes", "bytes", "bytes", "splice", "journal", "foreign", "random sql"])
    if kind == "journal":
        bench.lay_out(*journals(bench, rng))
    elif kind == "splice":
        both = rng.sample([bench.sound, bench.other], 2)
        bench.lay_out(splice(*both, rng))
    elif kind == "foreign":
        foreign(bench, rng)
    elif kind == "random sql":
        column = rng.choice(["number", "kind", "text", "data", "digest"])
        value = rng.choice([None, 0, -(2**63), 1.5, "", "step", b"", rng.randbytes(30)])
        where = rng.randrange(1, 50)
        statement = f"UPDATE OR REPLACE entry SET {column} = ? WHERE number = {where}"
        try:
            bench.sql((statement, (value,)))
        except sqlite3.IntegrityError:
            return "SQL refused by SQLite", False
    else:
        damage = rng.choice([flip, flip, cut, shuffle_pages, header, grow])
        bench.lay_out(damage(bench.sound, rng))
        return damage.__name__, False
    return kind, False


def is_part_of(record, whole):
    """Tell whether a record holds what the whole one holds, or an honest part of it."""
    n, m = len(record.steps), len(record.sketch_steps)
    same = (
        record.tensors == whole.tensors
        and record.meta["condition"] == whole.meta["condition"]
        and np.array_equal(record.steps, whole.steps[:n])
        and np.array_equal(record.hashes, whole.hashes[:n])
        and np.array_equal(record.loss, whole.loss[:n], equal_nan=True)
        and all(np.array_equal(record.kept[i], whole.kept[i][:m]) for i in record.kept)
        and record.epochs[:1] == whole.epochs[: len(record.epochs)][:1]
    )
    return same and (n == len(whole.steps) or not record.complete)


def check(bench, number, seed):
    """Damage, open, judge. Returns what was done, what came of it, the seconds, and a complaint."""
    rng = random.Random(seed * 1_000_003 + number)
    what, anew = mutate(bench, rng, number)
    before = bench.path.read_bytes()
    began = time.perf_counter()
    complaint, outcome = "", "opened"
    try:
        record = open_record(bench.path)
        wholes = (bench.content, bench.other_content)
        sound = anew or any(is_part_of(record, whole) for whole in wholes)
        complaint = "" if sound else "opened wrong"
    except RecordError as error:
        outcome = str(error)
        if "\n" in outcome or "mutated.fpdrift" not in outcome or not outcome.isprintable():
            complaint = f"not one clear line: {outcome!r}"
    except BaseException as error:  # noqa: BLE001 - anything else is what is looked for
        complaint = f"raised {error!r}"
    seconds = time.perf_counter() - began
    if bench.path.read_bytes() != before:
        complaint = "the file was changed"
    if not bench.victim.exists():
        complaint = "another file was deleted"
    return what, outcome, seconds, complaint


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    warnings.simplefilter("error")
    bad, opened, slowest = 0, 0, 0.0
    with TemporaryDirectory() as folder:
        bench = Bench(folder)
        for number in range(args.count):
            what, outcome, seconds, complaint = check(bench, number, args.seed)
            opened += outcome == "opened"
            slowest = max(slowest, seconds)
            if complaint or seconds > SECONDS:
                bad += 1
                print(f"{number} ({what}): {complaint or f'{seconds:.1f} s'}; {outcome}")
    refused = args.count - opened
    print(f"{args.count} damaged records: {opened} opened right, {refused} refused, {bad} wrong")
    print(f"slowest {slowest:.2f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "error")
    sys.exit(main())
