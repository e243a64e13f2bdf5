"""Interrupt and kill ensembles at random moments and go on: is anything lost, done twice, left?

Each life of an ensemble (one after another, by threads, or by a pool of processes) gets one signal
at a random moment: SIGINT or SIGKILL, to the ensemble alone, to a process of its own (one that
trains, or one of the pool's), or to all of them. Afterwards every finished record has to be the
very file that it was, every file with a record's name whole, no process may be left, nobody may
have printed a traceback. When all runs are there, the result and every recorded bit have to be
those of an ensemble never disturbed. Most lives train nothing and write records as slowly; the
last tenth trains. ``--made`` and ``--real`` do only the one. With a small ``--life`` one ensemble
is disturbed again and again before it is whole.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from made_records import use_made

from fpdrift.ensembles import _ensemble
from fpdrift.records import open_record
from fpdrift.serialization import Result
from fpdrift.training import Condition

STEPS = 3
BEGUN = "begun"
#: Threads of each run: some conditions twice.
RUNS = {True: [1, 2, 3, 4] * 2, False: [1, 2, 1]}
EXECUTORS = ("none", "threads", "processes")


def live(executor, made, folder, answer):
    """Be the ensemble: the command, or with a pool of processes the function."""
    if made:
        use_made(pause=0.1)
    from fpdrift.cli.main import main as command  # a pool's processes do not need it

    print(BEGUN, file=sys.stderr, flush=True)
    if executor != "processes":
        plan = Path(folder).with_suffix(".toml")
        workers = ["--workers=2"] if executor == "threads" else []
        return command(["ensemble", str(plan), *workers, f"--out={folder}", f"--json={answer}"])
    use = partial(use_made, 0.1) if made else None
    try:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=use) as pool:
            conditions = [Condition(intra_op_threads=k) for k in RUNS[made]]
            given = {"data": "digits", "steps": STEPS, "directory": folder, "tries": 3}
            result = _ensemble.ensemble(conditions, **given, executor=pool)
    except KeyboardInterrupt:
        return 130
    Path(answer).write_text(result.to_json())
    return 0


class Life:
    """One process of `live`, in a session of its own, and all that it starts."""

    def __init__(self, executor, made, folder):
        plan = f'data = "digits"\nsteps = {STEPS}\ntries = 3\n[[condition]]\nintra_op_threads = '
        folder.with_suffix(".toml").write_text(f"{plan}{RUNS[made]}\n")
        self.answer = folder.with_suffix(".json")
        self.said = folder.with_suffix(".log")
        told = ["--live", executor, str(int(made)), str(folder), str(self.answer)]
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, __file__, *told],
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    def wait_until_begun(self):
        while BEGUN not in self.said.read_text() and self.process.poll() is None:
            time.sleep(0.01)

    def others(self):
        """Give its other processes that are alive."""
        found = []
        for place in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _parent, _group, session = place.read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(session) == self.process.pid and state != "Z":
                found.append(int(place.parent.name))
        return [pid for pid in found if pid != self.process.pid]

    def end(self):
        """Wait for its end; nobody is left, nobody has complained."""
        code = self.process.wait(300)
        end = time.monotonic() + 30
        while self.others() and time.monotonic() < end:
            time.sleep(0.05)
        assert not self.others(), "a process was left"
        said = self.said.read_text()
        assert "Traceback" not in said, said
        return code


def is_ours(pid):
    """Tell whether a process is no helper of Python's own, which counts what its pools share."""
    try:
        return b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def disturb(life, number, target, rng):
    """Send a signal; give whether anybody was there to get it."""
    whom = [life.process.pid]
    if target == "worker":
        workers = [pid for pid in life.others() if is_ours(pid)]
        whom = [int(rng.choice(workers))] if workers else []
    elif target == "all":
        whom += life.others()
    if life.process.poll() is not None:
        return False
    for pid in whom:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
    return bool(whom)


def finished(folder):
    """Give what tells each finished record from any other file; each has to be whole."""
    found = {}
    for path in folder.glob("*.fpdrift"):
        record = open_record(path)
        assert record.complete
        assert record.steps[-1] == STEPS
        found[path.name] = (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
    return found


def whole(executor, made, folder):
    """Let it live; give its result, its bits and how many seconds it took."""
    begun = time.monotonic()
    life = Life(executor, made, folder)
    assert life.end() == 0, life.said.read_text()
    result = Result.from_json(life.answer.read_text())
    records = list(result.records(folder))
    bits = [(record.hashes.tobytes(), record.loss.tobytes()) for record in records]
    return (result, bits), time.monotonic() - begun


def one(executor, made, folder, number, longest, rng):
    """Live once, disturbed; give to whom the signal went, or None if it came too late."""
    before = finished(folder)
    life = Life(executor, made, folder)
    # What Python itself does before our first line, and how it starts a pool, is not ours.
    targets = ["ensemble"] if (executor, number) == ("processes", signal.SIGINT) else TARGETS
    target = str(rng.choice(targets))
    if number == signal.SIGINT or target == "worker":
        life.wait_until_begun()
    time.sleep(rng.uniform(0, longest))
    hit = disturb(life, number, target, rng)
    code = life.end()
    assert before.items() <= finished(folder).items(), "a finished run was lost or repeated"
    ended = (-number, 130) if hit and target != "worker" else ()
    assert code in (0, *ended), (code, target, life.said.read_text())
    return target if hit else None


TARGETS = ("ensemble", "worker", "all")


def sweep(place, counts, made, longest, rng):
    """Send so many of each signal; give how many went to whom, and over how many ensembles."""
    expected, seconds = whole("none", made, place / "undisturbed")
    left, sent, studies = Counter(counts), Counter(), 0
    while left.total():
        folder = place / f"study-{studies}"
        folder.mkdir()
        studies += 1
        while left.total() and len(finished(folder)) < len(expected[0].names):
            executor = str(rng.choice(EXECUTORS))
            number = int(rng.choice([n for n, k in left.items() if k]))
            target = one(executor, made, folder, number, longest * seconds, rng)
            if target:
                left[number] -= 1
                sent[f"{signal.Signals(number).name} to {target}, {executor}"] += 1
        print(f"  {sent.total()} signals sent", file=sys.stderr, flush=True)
        found, _ = whole(str(rng.choice(EXECUTORS)), made, folder)
        assert found == expected, "other bits than without"
        assert len(list(folder.iterdir())) == len(found[0].names) + 1, "something was left behind"
    return sent, studies


def main():
    """Disturb; exit with an error if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", nargs=4)
    parser.add_argument("--ints", type=int, default=50)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--life", type=float, default=1.1, help="at most, of the whole's time")
    parser.add_argument("--made", action="store_true")
    parser.add_argument("--real", action="store_true")
    given = parser.parse_args()
    if given.live:
        executor, made, folder, answer = given.live
        sys.exit(live(executor, bool(int(made)), folder, answer))
    rng = np.random.default_rng(given.seed)
    all_of = {signal.SIGINT: given.ints, signal.SIGKILL: given.kills}
    real = {n: k if given.real else 0 if given.made else k // 10 for n, k in all_of.items()}
    for made in (True, False):
        counts = {n: k - real[n] if made else real[n] for n, k in all_of.items()}
        if not sum(counts.values()):
            continue
        with tempfile.TemporaryDirectory() as place:
            sent, studies = sweep(Path(place), counts, made, given.life, rng)
        kind = "made" if made else "trained"
        print(f"{sent.total()} signals to {studies} ensembles of {kind} records: ", end="")
        print("nothing lost, repeated or left; the same bits")
        for what, count in sorted(sent.items()):
            print(f"  {count:4} {what}")


if __name__ == "__main__":
    main()
