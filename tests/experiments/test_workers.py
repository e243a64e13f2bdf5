"""Studies that train several runs at a time: the same result, and no more at once than was said."""

import threading
from types import SimpleNamespace

import pytest
from helpers import require
from made_records import made
from shared_runs import ONE, THREE, TWO

from fpdrift.cli.main import main
from fpdrift.ensembles import _remote, _scheduler
from fpdrift.ensembles._ensemble import ensemble
from fpdrift.errors import FpdriftError
from fpdrift.experiments import Settings, _thread_counts, study
from fpdrift.training import Condition
from fpdrift.training._train import environment


@pytest.fixture
def at_once(monkeypatch):
    """Train by `made`, each run with as many others as there are workers; count those."""
    counted = {"now": 0, "most": 0, "meet": threading.Barrier(1)}
    lock = threading.Lock()

    def train(*args, **named):
        with lock:
            counted["now"] += 1
            counted["most"] = max(counted["most"], counted["now"])
        counted["meet"].wait(60)
        record = made(*args, **named)
        with lock:
            counted["now"] -= 1
        return record

    monkeypatch.setattr(_remote, "train", train)
    return counted


@pytest.fixture
def ten_runs(monkeypatch):
    """Let the study of thread counts have no other kernels, whatever this machine has."""
    here = SimpleNamespace(cpu_features=("asimd",))
    monkeypatch.setattr(_thread_counts, "current", lambda: here)


@pytest.mark.usefixtures("ten_runs")
def test_the_number_of_workers_changes_no_result(at_once, tmp_path):
    found = set()
    for count in (1, 2, 5):
        at_once |= {"most": 0, "meet": threading.Barrier(count)}
        told = []
        settings = Settings(
            out=tmp_path / str(count),
            workers=count,
            progress=lambda *at, told=told: told.append(at),
        )
        result = study("threads-in-training").run(settings)
        found.add(result.to_json())
        assert at_once["most"] == count
        if count > 1:
            runs, steps = len(result.runs), len(result.runs) * result.steps
            assert told[0] == (f"answer: 0 of {runs} runs done", 0, steps)
            assert told[-1] == (f"answer: {runs} of {runs} runs done", steps, steps)
            assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert len(found) == 1


@pytest.mark.parametrize(
    ("cores", "memory", "count"), [(1, 8, 1), (2, 8, 2), (64, 8, 2), (64, 2, 1), (2, None, 2)]
)
def test_two_at_a_time_where_there_are_cores_and_memory(cores, memory, count, monkeypatch):
    monkeypatch.setattr(_scheduler, "available_cores", lambda: cores)
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": (memory or 0) * 2**18}
    told = {} if memory is None else {"sysconf": pages.__getitem__}
    monkeypatch.setattr(_scheduler, "os", SimpleNamespace(**told))
    assert Settings().workers == count


def test_a_number_that_cannot_be_is_refused(capsys):
    with pytest.raises(FpdriftError, match="workers is 0; choose a whole number from 1 to 1024"):
        Settings(workers=0)
    assert main(["experiment", "nudge", "--workers", "0"]) == 2
    assert (
        capsys.readouterr().err == "fpdrift: workers is 0; choose a whole number from 1 to 1024\n"
    )


def test_trainings_share_a_gpu_unless_the_user_says_otherwise(monkeypatch):
    require("tensorflow")
    names = ("TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_PREALLOCATE")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    assert [environment(Condition(), "noise")[name] for name in names] == ["true", "false"]
    monkeypatch.setenv(names[0], "false")
    assert [environment(Condition(), "noise")[name] for name in names] == ["false", "false"]


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_a_seed_at_the_end_of_its_range(seed):
    assert Settings(seed=seed).seed == seed
    with pytest.raises(FpdriftError, match="is out of range; choose one from 0 to 4294967295"):
        Settings(seed=seed + (1 if seed else -1))


@pytest.mark.usefixtures("ten_runs")
def test_workers_are_told_on_the_command_line(at_once, tmp_path, capsys):
    at_once |= {"meet": threading.Barrier(5)}
    told = ["--out", str(tmp_path), "--workers", "5"]
    assert main(["experiment", "threads-in-training", *told]) == 0
    assert at_once["most"] == 5
    capsys.readouterr()
    assert main(["experiment", "determinism", *told]) == 2
    assert capsys.readouterr().err.startswith("fpdrift: --workers 5: determinism times its runs, ")
    at_once |= {"most": 0, "meet": threading.Barrier(1)}
    study("determinism").run(Settings(out=tmp_path, workers=5))
    assert at_once["most"] == 1


@pytest.mark.check
@pytest.mark.slow
def test_real_trainings_have_the_bits_side_by_side_that_they_have_alone(train_once, tmp_path):
    alone, _, two_threads = train_once(**THREE)
    with _scheduler.workers_here(2) as executor:
        done = ensemble([ONE, TWO], steps=3, directory=tmp_path, executor=executor)
    for record, whole in zip(done.records(tmp_path), (alone, two_threads), strict=True):
        assert record.steps.tolist() == [0, 1, 2, 3]
        assert (record.hashes == whole.hashes[:4]).all()
        assert record.loss[1:].tolist() == whole.loss[1:4].tolist()
