"""Studies that train several runs at a time: the same result, and no more at once than was said."""

import threading

import pytest
from made_records import made

from fpdrift.cli.main import main
from fpdrift.errors import FpdriftError
from fpdrift.experiments import Settings, study
from fpdrift.training import job, workers


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

    monkeypatch.setattr(job, "train", train)
    return counted


def test_the_number_of_workers_changes_no_result(at_once, tmp_path):
    found = set()
    for count in (1, 2, 7):  # the study has 14 runs
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
            runs = len(result.runs)
            assert told[0] == (f"0 of {runs} runs done", 0, runs)
            assert told[-1] == (f"{runs} of {runs} runs done", runs, runs)
            assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert len(found) == 1


@pytest.mark.parametrize(("cores", "count"), [(1, 1), (2, 2), (64, 2)])
def test_two_at_a_time_where_there_are_cores(cores, count, monkeypatch):
    monkeypatch.setattr(workers, "available_cores", lambda: cores)
    assert Settings().workers == count


def test_a_number_that_cannot_be_is_refused(capsys):
    with pytest.raises(FpdriftError, match="workers is 0; choose a whole number from 1 to 1024"):
        Settings(workers=0)
    assert main(["experiment", "nudge", "--workers", "0"]) == 2
    assert (
        capsys.readouterr().err == "fpdrift: workers is 0; choose a whole number from 1 to 1024\n"
    )


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_a_seed_at_the_end_of_its_range(seed):
    assert Settings(seed=seed).seed == seed
    with pytest.raises(FpdriftError, match="is out of range; choose one from 0 to 4294967295"):
        Settings(seed=seed + (1 if seed else -1))


def test_workers_are_told_on_the_command_line(at_once, tmp_path, capsys):
    at_once |= {"meet": threading.Barrier(7)}
    told = ["--out", str(tmp_path), "--workers", "7"]
    assert main(["experiment", "threads-in-training", *told]) == 0
    assert at_once["most"] == 7
    at_once |= {"most": 0, "meet": threading.Barrier(1)}
    assert main(["experiment", "determinism", *told]) == 0  # its steps are timed
    assert at_once["most"] == 1
    assert "3 of 3 thread counts gave the same bits" in " ".join(capsys.readouterr().out.split())
