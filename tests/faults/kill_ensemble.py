"""Kill an ensemble at random moments and resume it: is a finished run lost, or done twice?

Each life of the ensemble is ended by kill -9 at a random moment, half of the time with its training
process, half of the time alone. Finished records have to stay the very files that they were; when
all are there, the result and every recorded bit have to be those of an ensemble never killed.
``--made`` trains nothing and writes records as slowly: many more kills in the same time. With many
``--runs`` and lives that are seldom longer than one of them (``--life``), one ensemble is killed
again and again before it is whole.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fpdrift.records import open_record
from fpdrift.results import Result

LIFE = """
import sys, time
from pathlib import Path
from fpdrift.training import Condition
from fpdrift.training import ensemble as room
if {made}:
    sys.path.insert(0, {tests!r})
    from made_records import made
    slowly = lambda tell: lambda *at: (time.sleep(0.02), tell and tell(*at))
    room.train = lambda *a, progress, **k: made(*a, progress=slowly(progress), **k)
conditions = [Condition(intra_op_threads=1 + i % 2, seed=1 + i // 2) for i in range({runs})]
result = room.ensemble(conditions, data="digits", steps={steps}, directory={folder!r})
Path({answer!r}).write_text(result.to_json())
"""


def start(folder, answer, given):
    tests = str(Path(__file__).parents[1])
    told = {"made": given.made, "tests": tests, "steps": given.steps, "runs": given.runs}
    code = LIFE.format(folder=str(folder), answer=str(answer), **told)
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True)


def finished(folder):
    """Give what tells each finished record from any other file."""
    found = {path.name: (path.stat(), path.read_bytes()) for path in folder.glob("*.fpdrift")}
    return {name: (s.st_ino, s.st_mtime_ns, data) for name, (s, data) in found.items()}


def bits(folder, result):
    records = list(result.records(folder))
    assert all(record.complete for record in records)
    return [(record.hashes.tobytes(), record.loss.tobytes()) for record in records]


def whole(folder, given):
    """Let it live; give its result, its bits and how many seconds it took."""
    answer = folder.with_suffix(".json")
    begun = time.monotonic()
    assert start(folder, answer, given).wait() == 0
    result = Result.from_json(answer.read_text())
    return result, bits(folder, result), time.monotonic() - begun


def kill(folder, seconds, rng, given):
    """Start it and kill it; give whether it was still at work."""
    life = start(folder, folder.with_suffix(".json"), given)
    try:
        life.wait(seconds)
    except subprocess.TimeoutExpired:
        end = os.killpg if rng.integers(2) else os.kill
        end(life.pid, signal.SIGKILL)
        life.wait()
        return True
    assert life.returncode == 0
    return False


def study(folder, expected, longest, rng, given, left):
    """Kill one ensemble until it is whole, or `left` times; give how often it was killed."""
    kills = 0
    folder.mkdir()
    while kills < left:
        before = finished(folder)
        was_killed = kill(folder, rng.uniform(0, longest), rng, given)
        assert before.items() <= finished(folder).items(), "a finished run was lost or repeated"
        for name in finished(folder):
            record = open_record(folder / name)
            assert record.complete
            assert record.steps[-1] == given.steps
        kills += was_killed
        if not was_killed:
            break
    result, found, _ = whole(folder, given)
    assert (result, found) == expected, "other bits than without kills"
    assert result.to_json() == expected[0].to_json()
    assert len(list(folder.iterdir())) == len(result.names) + 1, "something was left behind"
    return kills


def main():
    """Kill; exit with an error if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--life", type=float, default=1.2, help="at most, of the whole's time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--made", action="store_true")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    kills = studies = 0
    with tempfile.TemporaryDirectory() as place:
        *expected, seconds = whole(Path(place, "whole"), given)
        while kills < given.kills:
            folder = Path(place, f"study-{studies}")
            left = given.kills - kills
            kills += study(folder, tuple(expected), given.life * seconds, rng, given, left)
            studies += 1
    print(f"{kills} kills in {studies} ensembles: nothing lost, nothing repeated, the same bits")


if __name__ == "__main__":
    main()
