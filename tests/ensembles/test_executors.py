"""Whoever trains an ensemble's runs: the same bits, and what goes wrong costs one run."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from dask_processes import Cluster
from helpers import require
from made_records import use_made
from shared_runs import THREE, TWO
from six_runs import SIX, bits, failing, left

from fpdrift.ensembles import _remote, _scheduler
from fpdrift.ensembles._ensemble import LOCK, ensemble
from fpdrift.errors import ChildError, FpdriftError, FpdriftWarning, RecordError


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


@contextmanager
def threads(_folder):
    with ThreadPoolExecutor(3) as executor:
        yield executor


@contextmanager
def processes(_folder):
    with spawned(use_made) as executor:
        yield executor


@contextmanager
def dask(folder):
    with cluster(folder) as (_, executor):
        yield executor


@pytest.mark.parametrize("by", [threads, processes, pytest.param(dask, marks=pytest.mark.check)])
def test_the_same_by_whichever_executor(by, trained, tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    expected = ensemble(SIX, steps=3, directory=here)
    with by(tmp_path / "cluster") as executor:
        found = ensemble(SIX, steps=3, directory=there, executor=executor)
        assert found == expected
        assert bits(found, there) == bits(expected, here)
        assert left(there) == sorted([*expected.names, LOCK])
        done = 2 * len(SIX) if by is threads else len(SIX)
        assert len(trained) == done
        # what one has finished is finished for all
        assert ensemble(SIX, steps=3, directory=there) == expected
        assert ensemble(SIX, steps=3, directory=here, executor=executor) == expected
        assert len(trained) == done


@pytest.mark.check
@pytest.mark.slow
def test_real_training_by_processes(train_once, tmp_path):
    *_, expected = train_once(**THREE)
    with spawned(workers=1) as processes:
        done = ensemble([TWO], steps=2, directory=tmp_path, executor=processes)
    [found] = done.records(tmp_path)
    assert found.steps.tolist() == [0, 1, 2]
    assert (found.hashes == expected.hashes[:3]).all()
    assert found.loss[1:].tolist() == expected.loss[1:3].tolist()


@pytest.mark.check
def test_a_dask_worker_killed_and_the_scheduler_started_again(trained, tmp_path, monkeypatch):
    """Both in the middle of one call: every finished record stays the file that it was."""
    runs = tmp_path / "runs"
    kept = {}
    monkeypatch.setattr(_scheduler, "_SLACK", 2.0)
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

        given = {"executor": dask, "progress": disturb, "timeout": 8, "tries": 20}
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
    whole = _remote.train

    def train(condition, *args, **named):
        if condition == SIX[1] and not os.path.lexists(place):
            Path(place).write_text("died")
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(condition, *args, **named)

    _remote.train = train


class DieOnce:
    """`die_once`, as something that can be pickled."""

    def __init__(self, place):
        self.place = place

    def __call__(self):
        die_once(self.place)


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
def test_a_pool_that_breaks_costs_no_run(trained, tmp_path):
    with spawned(DieOnce(str(tmp_path / "mark"))) as processes:
        with pytest.warns(FpdriftWarning, match=r"the worker pool broke .* one after another"):
            found = ensemble(SIX, steps=2, directory=tmp_path / "runs", executor=processes, tries=1)
        # and one that is broken from the start
        with pytest.warns(FpdriftWarning, match="the worker pool broke"):
            other = ensemble(SIX, steps=3, directory=tmp_path / "runs", executor=processes)
    assert (tmp_path / "mark").exists()
    assert len(bits(found, tmp_path / "runs")) == len(bits(other, tmp_path / "runs")) == 6
    assert [c for c in trained if c == SIX[1]]  # it was done here


ERRORS = [ChildError("was killed"), ChildError("took too long")]


class Far(Executor):
    """Does each job at once, for all one knows on another machine."""

    def submit(self, function, *args):
        future = Future()
        try:
            future.set_result(function(*args))
        except (MemoryError, FpdriftError) as error:
            future.set_exception(error)
        return future


@pytest.mark.parametrize(
    ("executor", "errors"),
    [
        (None, ERRORS),
        (ThreadPoolExecutor(1), [MemoryError(), *ERRORS[:1]]),
        (ThreadPoolExecutor(3), [MemoryError(), *ERRORS[:1]]),
        (Far(), [MemoryError(), RecordError("full")]),
    ],
)
def test_a_run_that_fails_is_tried_again(trained, tmp_path, monkeypatch, executor, errors):
    failing(monkeypatch, errors)
    with executor or nullcontext():
        found = ensemble(SIX[:3], steps=2, directory=tmp_path, executor=executor, tries=3)
    assert len(found.names) == 3
    assert len(trained) == 3
    assert left(tmp_path) == sorted([*found.names, LOCK])


def test_threads_tell_their_steps_and_work_in_the_folder(trained, tmp_path, monkeypatch):
    """So what a kill leaves lies there, and the next call takes it away."""
    whole, told, drafts = _remote.train, threading.Event(), []

    def train(*args, progress, **named):
        progress(1, 2)
        assert told.wait(60)
        drafts.append(named["path"])
        return whole(*args, progress=progress, **named)

    def report(_label, done, _total):
        if done == 1:
            told.set()

    monkeypatch.setattr(_scheduler, "_OFTEN", 0.01)
    monkeypatch.setattr(_remote, "train", train)
    with ThreadPoolExecutor(1) as pool:
        ensemble(SIX[:2], steps=2, directory=tmp_path, executor=pool, progress=report)
    assert {path.parent for path in drafts} == {tmp_path}


@pytest.mark.parametrize("workers", [None, 2])
def test_a_full_disk_of_ours_ends_it_and_is_named(trained, tmp_path, monkeypatch, workers):
    failing(monkeypatch, [RecordError("the disk is full")])
    with ThreadPoolExecutor(workers or 1) as pool, pytest.raises(RecordError, match="is full"):
        ensemble(SIX[:3], steps=2, directory=tmp_path, executor=pool if workers else None)
    assert all(name == LOCK or name.endswith(".fpdrift") for name in left(tmp_path))


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


SECOND = """
import sys
sys.path.insert(0, {tests!r})
from made_records import use_made
from fpdrift.training import Condition
from fpdrift.ensembles._ensemble import ensemble
use_made()
tell = lambda *at: print(*at, flush=True) or sys.stdin.read()
ensemble([Condition(intra_op_threads=k) for k in (1, 2)], steps=20, directory={folder!r},
         progress=tell)
"""


@contextmanager
def at_work_in(folder):
    """Start an ensemble in a process of its own; it waits at its first step."""
    tests = str(Path(__file__).parents[1])
    code = SECOND.format(tests=tests, folder=str(folder))
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        first.stdout.readline()
        yield first


def test_what_a_killed_process_had_begun_is_begun_again(trained, tmp_path):
    with at_work_in(tmp_path) as first:
        first.kill()
    assert [name for name in left(tmp_path) if ".unfinished-" in name]
    found = ensemble(SIX[:2], steps=20, directory=tmp_path)
    assert trained == SIX[:2]
    assert left(tmp_path) == sorted([*found.names, LOCK])


def test_two_processes_in_one_directory(trained, tmp_path):
    with at_work_in(tmp_path) as first:
        with pytest.raises(FpdriftError, match="another ensemble is running in"):
            ensemble(SIX[:2], steps=20, directory=tmp_path)
        first.communicate()
    assert first.returncode == 0
    assert trained == []
    expected = ensemble(SIX[:2], steps=20, directory=tmp_path)
    assert trained == []
    assert len(bits(expected, tmp_path)) == 2
