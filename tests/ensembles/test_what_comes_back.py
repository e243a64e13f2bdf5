"""What workers send, or never send: finished records are kept, and nothing is taken for one."""

import dataclasses
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from made_records import made
from six_runs import SIX, bits, failing, left

import fpdrift.provenance
from fpdrift.ensembles import _remote, _run_key, _scheduler
from fpdrift.ensembles._ensemble import LOCK, ensemble
from fpdrift.errors import ChildError, FpdriftError, MissingExtraError
from fpdrift.records import open_own, open_record


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
        (lambda _: b"", "is not a record"),
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
    monkeypatch.setattr(_remote, "train", lambda *args, **named: made(*args, **named, end=False))
    with pytest.raises(
        ChildError, match=r"1 of 1 runs failed, tried 2 times.*its record is incomplete"
    ):
        ensemble(SIX[:1], steps=2, directory=tmp_path, executor=Changing(bytes))
    assert left(tmp_path) == [LOCK]


def on_another_machine(monkeypatch, **other):
    machine = dataclasses.replace(fpdrift.provenance.current(), **other)
    monkeypatch.setattr("fpdrift.records._writer.fpdrift_provenance.current", lambda: machine)


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
    with pytest.raises(FpdriftError, match=r"record of a different run \(machine: not as in its"):
        ensemble(SIX[:1], steps=2, directory=tmp_path, executor=Changing(bytes))


def test_threads_are_of_this_machine(trained, tmp_path, monkeypatch):
    """So another machine's record is another run, as it is where one is trained after another."""
    with monkeypatch.context() as there:
        on_another_machine(there, cpu="a far one")
        far = ensemble(SIX[:1], steps=2, directory=tmp_path, executor=Changing(bytes))
    with ThreadPoolExecutor(1) as pool:
        here = ensemble(SIX[:1], steps=2, directory=tmp_path, executor=pool)
        on_another_machine(monkeypatch, cores=77)
        with pytest.raises(FpdriftError, match="threads=2: cores changed during training"):
            ensemble(SIX[1:2], steps=2, directory=tmp_path, executor=pool)
    assert here.names != far.names
    assert len(trained) == 3


def test_the_backend_is_that_of_whoever_asks(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    for executor in (None, Changing(bytes)):
        result = ensemble(SIX[:1], steps=2, directory=tmp_path / str(executor), executor=executor)
        [record] = result.records(tmp_path / str(executor))
        assert record.meta["backend"] == "jax"


def test_a_worker_with_other_code_is_refused(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("made_records.training_code", lambda: "other")
    with pytest.raises(FpdriftError, match="a worker has a different code; install the same"):
        ensemble(SIX, steps=2, directory=tmp_path, executor=Changing(bytes))
    assert left(tmp_path) == [LOCK]


def test_what_a_worker_refuses_ends_it_at_once(trained, tmp_path, monkeypatch):
    """The worker may have begun the third run by then; it ends, since nobody waits for it."""
    failing(monkeypatch, [MissingExtraError("tensorflow")])
    whole = _remote.train
    over = threading.Event()

    def train(condition, *args, **named):
        if condition == SIX[2]:
            over.wait(60)
        return whole(condition, *args, **named)

    monkeypatch.setattr(_remote, "train", train)
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(MissingExtraError):
            ensemble(SIX[:3], steps=2, directory=tmp_path, executor=pool)
        over.set()
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
    whole = _run_key.Run.differing
    monkeypatch.setattr(
        _run_key.Run,
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

    monkeypatch.setattr(_scheduler, "open_own", opened)


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

    monkeypatch.setattr(_scheduler, "_SLACK", 0.01)
    monkeypatch.setattr(_scheduler, "wait", late)
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
    monkeypatch.setattr(_scheduler, "_SLACK", 0.01)
    given = {"steps": 2, "directory": tmp_path, "timeout": 0.01}
    with pytest.raises(ChildError, match=r"threads=1: no worker sent anything for 0.02 s; the"):
        ensemble(SIX[:3], **given, tries=1, executor=Losing(1))
    assert trained == SIX[1:3]
    ensemble(SIX[:3], **given, executor=Losing(1))
    assert trained == [*SIX[1:3], SIX[0]]


def test_ctrl_c_lets_threads_end_and_keeps_what_is_done(trained, tmp_path, monkeypatch):
    """The second run never ends by itself: it sees that nobody waits for it any more."""
    whole = _remote.train
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

    monkeypatch.setattr(_remote, "train", train)
    with ThreadPoolExecutor(2) as pool, pytest.raises(KeyboardInterrupt):
        ensemble(SIX, steps=2, directory=tmp_path, executor=pool, progress=press)
    records = [open_record(path) for path in tmp_path.glob("*.fpdrift")]
    assert len(left(tmp_path)) == 1 + len(records) > 1
    assert all(record.complete for record in records)
    assert not _remote._folders


def test_no_room_for_what_came_back(trained, tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FpdriftError, match=r"cannot write in '.*': No space left on device; free"):
        ensemble(SIX[:2], steps=2, directory=tmp_path, executor=Changing(bytes))
    assert left(tmp_path) == [LOCK]
