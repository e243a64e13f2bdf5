"""Whoever trains an ensemble's runs: the same bits, and what goes wrong costs one run."""

import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import pytest
from dask_processes import Cluster
from helpers import require
from made_records import made, use_made

import fpdrift.provenance
from fpdrift.errors import (
    ChildError,
    FpdriftError,
    FpdriftWarning,
    MissingExtraError,
    RecordError,
)
from fpdrift.records import open_own, open_record
from fpdrift.training import Condition, attempts, definition, job
from fpdrift.training.ensemble import LOCK, ensemble

SIX = [Condition(intra_op_threads=k) for k in (1, 2, 3)] * 2


@pytest.fixture
def trained(monkeypatch):
    """Train by `made` in this process, in its threads, too; collect the conditions."""
    conditions = []

    def train(condition, *args, **named):
        conditions.append(condition)
        return made(condition, *args, **named)

    monkeypatch.setattr(job, "train", train)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return conditions


def spawned(initializer=None, workers=2):
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=initializer)


@contextmanager
def cluster(folder):
    distributed = require("distributed")
    folder.mkdir()
    with (
        Cluster(folder, made=True) as processes,
        distributed.Client(processes.address, timeout=60, set_as_default=False) as client,
    ):
        yield processes, client.get_executor()


def bits(result, directory):
    records = list(result.records(directory))
    assert all(record.complete for record in records)
    return [(record.hashes.tobytes(), record.loss.tobytes()) for record in records]


def left(directory):
    return sorted(path.name for path in directory.iterdir())


def test_the_same_on_all_executors(trained, tmp_path):
    expected = ensemble(SIX, steps=3, directory=tmp_path / "here")
    with (
        ThreadPoolExecutor(3) as threads,
        spawned(use_made) as processes,
        cluster(tmp_path / "cluster") as (_, dask),
    ):
        for name, executor in {"threads": threads, "processes": processes, "dask": dask}.items():
            found = ensemble(SIX, steps=3, directory=tmp_path / name, executor=executor)
            assert found == expected
            assert bits(found, tmp_path / name) == bits(expected, tmp_path / "here")
            assert left(tmp_path / name) == sorted([*expected.names, LOCK])
        assert len(trained) == 2 * len(SIX)  # here and in threads
        # what one has finished is finished for all
        assert ensemble(SIX, steps=3, directory=tmp_path / "dask") == expected
        assert ensemble(SIX, steps=3, directory=tmp_path / "here", executor=threads) == expected
        assert len(trained) == 2 * len(SIX)


@pytest.mark.slow
def test_real_training_by_processes(tmp_path):
    require("tensorflow")
    given = {"data": "noise", "steps": 2}
    expected = ensemble(SIX[1:2], **given, directory=tmp_path / "here")
    with spawned(workers=1) as processes:
        found = ensemble(SIX[1:2], **given, directory=tmp_path / "there", executor=processes)
    assert found == expected
    assert bits(found, tmp_path / "there") == bits(expected, tmp_path / "here")


def test_a_dask_worker_killed_and_the_scheduler_started_again(trained, tmp_path, monkeypatch):
    """Both in the middle of one call: every finished record stays the file that it was."""
    runs = tmp_path / "runs"
    kept = {}
    monkeypatch.setattr(attempts, "_SLACK", 2.0)
    with cluster(tmp_path / "cluster") as (processes, dask):

        def disturb(_label, done, total):
            if done < total:
                return
            names = [name for name in left(runs) if name.endswith(".fpdrift")]
            kept.update({name: (runs / name).read_bytes() for name in names if name not in kept})
            if len(names) == 1:
                processes.workers[0].kill()
            elif len(names) == 2:
                processes.stop()
                processes.start()

        given = {"executor": dask, "progress": disturb, "timeout": 8, "tries": 4}
        found = ensemble(SIX, steps=3, directory=runs, **given)
    assert {name: (runs / name).read_bytes() for name in kept} == kept
    assert trained == []
    expected = ensemble(SIX, steps=3, directory=tmp_path / "here")
    assert found == expected
    assert bits(found, runs) == bits(expected, tmp_path / "here")
    assert left(runs) == sorted([*expected.names, LOCK])


def die_once(place):
    """Let the first worker that trains the second condition die by kill -9."""
    use_made()
    whole = job.train

    def train(condition, *args, **named):
        if condition == SIX[1] and not os.path.lexists(place):
            Path(place).write_text("died")
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(condition, *args, **named)

    job.train = train


class DieOnce:
    """`die_once`, as something that can be pickled."""

    def __init__(self, place):
        self.place = place

    def __call__(self):
        die_once(self.place)


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
def test_a_pool_that_breaks_costs_no_run(trained, tmp_path):
    with spawned(DieOnce(str(tmp_path / "mark"))) as processes:
        with pytest.warns(FpdriftWarning, match=r"the pool of workers broke .* one after another"):
            found = ensemble(SIX, steps=2, directory=tmp_path / "runs", executor=processes, tries=1)
        # and one that is broken from the start
        with pytest.warns(FpdriftWarning, match="the pool of workers broke"):
            other = ensemble(SIX, steps=3, directory=tmp_path / "runs", executor=processes)
    assert (tmp_path / "mark").exists()
    assert len(bits(found, tmp_path / "runs")) == len(bits(other, tmp_path / "runs")) == 6
    assert [c for c in trained if c == SIX[1]]  # it was done here


def failing(monkeypatch, errors):
    """Let the second condition fail in a worker with each error in turn, then go well."""
    errors = list(errors)
    whole = job.train

    def train(condition, *args, **named):
        if condition == SIX[1] and errors:
            made(condition, *args, **named, end=False)
            raise errors.pop(0)
        return whole(condition, *args, **named)

    monkeypatch.setattr(job, "train", train)


ERRORS = [ChildError("was killed"), ChildError("took too long")]


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_a_run_that_fails_is_tried_again(trained, tmp_path, monkeypatch, workers):
    failing(monkeypatch, ERRORS if workers is None else [MemoryError(), RecordError("full")])
    with ThreadPoolExecutor(workers or 1) as pool:
        executor = pool if workers else None
        found = ensemble(SIX[:3], steps=2, directory=tmp_path, executor=executor, tries=3)
    assert len(found.names) == 3
    assert len(trained) == 3
    assert left(tmp_path) == sorted([*found.names, LOCK])


@pytest.mark.parametrize("workers", [None, 2])
def test_a_run_that_always_fails_is_named_when_all_others_are_done(
    trained, tmp_path, monkeypatch, workers
):
    failing(monkeypatch, ERRORS)
    with ThreadPoolExecutor(workers or 1) as pool:
        executor = pool if workers else None
        with pytest.raises(ChildError) as caught:
            ensemble(SIX[:3], steps=2, directory=tmp_path, executor=executor)
        text = "1 of 3 runs failed, tried 2 times: run 2 of 3, threads=2: took too long; the others"
        assert str(caught.value).startswith(text)
        assert trained == [SIX[0], SIX[2]] or trained == [SIX[2], SIX[0]]
        assert len(left(tmp_path)) == 3
        trained.clear()
        ensemble(SIX[:3], steps=2, directory=tmp_path, executor=executor)
    assert trained == [SIX[1]]


class Changing(Executor):
    """Does each job at once, and lets something happen to what comes back."""

    def __init__(self, change):
        self.change = change

    def submit(self, function, *args):
        future = Future()
        future.set_result(self.change(function(*args)))
        return future


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: data[: len(data) // 2], "is damaged"),
        (lambda _: b"", "is no record"),
        (lambda data: data.replace(b"threads", b"thread5"), "is damaged"),
    ],
)
def test_what_was_damaged_on_its_way_is_no_record(trained, tmp_path, change, text):
    with pytest.raises(ChildError, match=text):
        ensemble(SIX[:1], steps=2, directory=tmp_path, executor=Changing(change), tries=3)
    assert len(trained) == 3
    assert left(tmp_path) == [LOCK]


@pytest.mark.parametrize("executor", [None, Changing(bytes)])
def test_long_runs_are_kept_whatever_their_size(trained, tmp_path, monkeypatch, executor):
    monkeypatch.setitem(open_record.__kwdefaults__, "max_bytes", 1000)
    for _ in range(2):
        result = ensemble(SIX[:1], steps=2, directory=tmp_path, executor=executor)
    assert len(bits(result, tmp_path)) == len(trained) == 1


def test_a_record_that_ends_too_early_is_none(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "train", lambda *args, **named: made(*args, **named, end=False))
    with pytest.raises(
        ChildError, match=r"1 of 1 runs failed, tried 2 times.*ends before the run does"
    ):
        ensemble(SIX[:1], steps=2, directory=tmp_path, executor=Changing(bytes))
    assert left(tmp_path) == [LOCK]


def on_another_machine(monkeypatch, **other):
    machine = dataclasses.replace(fpdrift.provenance.current(), **other)
    monkeypatch.setattr("fpdrift.records.write.fpdrift_provenance.current", lambda: machine)


def test_a_worker_on_another_machine(trained, tmp_path, monkeypatch):
    """Its record says where it was made, and counts as done for whoever takes any machine."""
    mine = fpdrift.provenance.current()
    with monkeypatch.context() as there:
        on_another_machine(there, cpu="a far one", packages={"numpy": "9.9"})
        far = ensemble(SIX[:1], steps=2, directory=tmp_path, executor=Changing(bytes))
    record = open_record(tmp_path / far.names[0])
    assert (record.provenance.cpu, record.provenance.packages) == ("a far one", {"numpy": "9.9"})
    again = ensemble(SIX[:1], steps=2, directory=tmp_path, executor=Changing(bytes))
    assert again == far
    assert len(trained) == 1
    here = ensemble(SIX[:1], steps=2, directory=tmp_path)  # this machine is asked for
    assert len(trained) == 2
    assert here.names[0] != far.names[0]
    assert here.names[0].rpartition("-")[0] == far.names[0].rpartition("-")[0]
    assert open_record(tmp_path / here.names[0]).provenance.cpu == mine.cpu
    # a name that says another machine than its record
    (tmp_path / here.names[0]).unlink()
    (tmp_path / far.names[0]).rename(tmp_path / here.names[0])
    with pytest.raises(FpdriftError, match=r"is the record of another run \(machine: not what its"):
        ensemble(SIX[:1], steps=2, directory=tmp_path, executor=Changing(bytes))


def test_the_backend_is_that_of_whoever_asks(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    for executor in (None, Changing(bytes)):
        result = ensemble(SIX[:1], steps=2, directory=tmp_path / str(executor), executor=executor)
        [record] = result.records(tmp_path / str(executor))
        assert record.meta["backend"] == "jax"


def test_a_worker_with_other_code_is_refused(trained, tmp_path, monkeypatch):
    on_another_machine(monkeypatch, code="other")
    with pytest.raises(FpdriftError, match="a worker has other code; install the same fpdrift"):
        ensemble(SIX, steps=2, directory=tmp_path, executor=Changing(bytes))
    assert left(tmp_path) == [LOCK]


def test_what_a_worker_refuses_ends_it_at_once(trained, tmp_path, monkeypatch):
    failing(monkeypatch, [MissingExtraError("tensorflow")])
    with ThreadPoolExecutor(1) as pool, pytest.raises(MissingExtraError):
        ensemble(SIX[:3], steps=2, directory=tmp_path, executor=pool)
    assert len(list(tmp_path.glob("*.fpdrift"))) == 1


class Numbered(Future):
    """A future whose place in a small set is its number: what is done is looked at in order."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def __hash__(self):
        return self.number


class AllAtOnce(Executor):
    """Gives back nothing until it has been handed `jobs` jobs; then all of them."""

    def __init__(self, jobs):
        self.jobs = jobs
        self.given = []

    def submit(self, function, *args):
        self.given.append((Numbered(len(self.given)), function, args))
        if len(self.given) == self.jobs:
            self.finish()
        return self.given[-1][0]

    def finish(self):
        for future, function, args in self.given:
            try:
                future.set_result(function(*args))
            except FpdriftError as error:
                future.set_exception(error)


def refused(monkeypatch):
    failing(monkeypatch, [MissingExtraError("tensorflow")])


def other_code(monkeypatch):
    whole = definition.Run.differing
    monkeypatch.setattr(
        definition.Run,
        "differing",
        lambda run, record: ["code"] if run.condition == SIX[1] else whole(run, record),
    )


def ctrl_c_while_the_second_is_opened(monkeypatch):
    calls = iter([None, KeyboardInterrupt])

    def opened(path):
        error = next(calls, None)
        if error:
            raise error
        return open_own(path)

    monkeypatch.setattr(attempts, "open_own", opened)


def ctrl_c_when_one_is_told(_monkeypatch):
    def press(_label, done, total):
        if done == total:
            raise KeyboardInterrupt

    return press


@pytest.mark.parametrize(
    ("happens", "error", "kept"),
    [
        (refused, MissingExtraError, 2),
        (other_code, FpdriftError, 2),
        (ctrl_c_while_the_second_is_opened, KeyboardInterrupt, 3),
        (ctrl_c_when_one_is_told, KeyboardInterrupt, 3),
    ],
)
def test_what_came_back_is_kept_whatever_ends_it_all(
    trained, tmp_path, monkeypatch, happens, error, kept
):
    progress = happens(monkeypatch)
    with pytest.raises(error):
        ensemble(SIX[:3], steps=2, directory=tmp_path, executor=AllAtOnce(3), progress=progress)
    assert len(left(tmp_path)) == kept + 1
    assert len(list(tmp_path.glob("*.fpdrift"))) == kept


def test_what_comes_back_at_the_last_moment_is_kept(trained, tmp_path, monkeypatch):
    """Time is over; before the first one is given up, all of them are there."""
    executor = AllAtOnce(4)

    def late(*given, **named):
        found = wait(*given, **named)
        executor.finish()
        return found

    monkeypatch.setattr(attempts, "_SLACK", 0.01)
    monkeypatch.setattr(attempts, "wait", late)
    given = {"steps": 2, "timeout": 0.01, "tries": 1, "executor": executor}
    assert len(ensemble(SIX[:3], directory=tmp_path, **given).names) == len(trained) == 3


def test_an_executor_that_is_shut_is_named(trained, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        pass
    with pytest.raises(ChildError, match=r"6 of 6 runs failed.*cannot schedule.*and 3 more; the"):
        ensemble(SIX, steps=2, directory=tmp_path, executor=pool)


class Losing(Executor):
    """Never says what became of the first jobs that it takes."""

    def __init__(self, lost):
        self.lost = lost

    def submit(self, function, *args):
        future = Future()
        self.lost -= 1
        if self.lost < 0:
            future.set_result(function(*args))
        return future


def test_a_worker_of_which_nothing_is_heard_again(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(attempts, "_SLACK", 0.01)
    given = {"steps": 2, "directory": tmp_path, "timeout": 0.01}
    with pytest.raises(ChildError, match=r"threads=1: no worker sent anything for 0.02 s; the"):
        ensemble(SIX[:3], **given, tries=1, executor=Losing(1))
    assert trained == SIX[1:3]
    ensemble(SIX[:3], **given, executor=Losing(1))
    assert trained == [*SIX[1:3], SIX[0]]


def test_ctrl_c_lets_threads_end_and_keeps_what_is_done(trained, tmp_path, monkeypatch):
    """The second run never ends by itself: it sees that nobody waits for it any more."""
    whole = job.train
    at_work = threading.Event()

    def train(condition, *args, progress, **named):
        if condition == SIX[1]:
            while True:
                at_work.set()
                progress(1, 2)
        at_work.wait(60)
        return whole(condition, *args, progress=progress, **named)

    def press(_label, done, total):
        if done == total:
            raise KeyboardInterrupt

    monkeypatch.setattr(job, "train", train)
    with ThreadPoolExecutor(2) as pool, pytest.raises(KeyboardInterrupt):
        ensemble(SIX, steps=2, directory=tmp_path, executor=pool, progress=press)
    assert left(tmp_path)[0] == LOCK
    assert len(left(tmp_path)) == 2
    assert not job._folders


def test_no_room_for_what_came_back(trained, tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FpdriftError, match=r"cannot write in '.*': No space left on device; make"):
        ensemble(SIX[:2], steps=2, directory=tmp_path, executor=Changing(bytes))
    assert left(tmp_path) == [LOCK]


SECOND = """
import sys
sys.path.insert(0, {tests!r})
from made_records import use_made
from fpdrift.training import Condition
from fpdrift.training.ensemble import ensemble
use_made(pause=0.05)
tell = lambda *at: print(*at, flush=True)
ensemble([Condition(intra_op_threads=k) for k in (1, 2)], steps=20, directory={folder!r},
         progress=tell)
"""


def test_two_processes_in_one_directory(trained, tmp_path):
    tests = str(Path(__file__).parents[1])
    code = SECOND.format(tests=tests, folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as first:
        first.stdout.readline()  # it is at work
        with pytest.raises(FpdriftError, match="another ensemble is at work in"):
            ensemble(SIX[:2], steps=20, directory=tmp_path)
        first.stdout.read()
    assert first.returncode == 0
    assert trained == []
    expected = ensemble(SIX[:2], steps=20, directory=tmp_path)
    assert trained == []
    assert len(bits(expected, tmp_path)) == 2
