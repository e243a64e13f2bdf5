"""Thread sums that cannot be: what is wrong is named, in one line, with the way out."""

import math
from dataclasses import replace

import pytest

from fpdrift.errors import FpdriftError
from fpdrift.reduction import replay, thread_sums


@pytest.fixture(scope="module")
def sums():
    return thread_sums(20_000, chunks=50, tries=30, threads=(1, 2, 5))


def test_no_memory_is_an_error(monkeypatch):
    def refuse(*args):
        raise MemoryError

    monkeypatch.setattr("fpdrift.reduction.parallel._thread_sums._run", refuse)
    with pytest.raises(FpdriftError, match="not enough memory for 100 numbers"):
        thread_sums(100, chunks=2)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"n": 0}, "n is 0; choose a whole number from 1 to 134217728"),
        ({"n": 10**5000}, "n is an integer of thousands of digits; choose a whole number"),
        ({"n": -(10**5000)}, "n is an integer of thousands of digits; choose a whole number"),
        ({"n": 1e6}, "n is 1000000.0"),
        ({"n": "many"}, "n is 'many'"),
        ({"n": 10}, "chunks is 64; choose a whole number from 1 to 10"),
        ({"chunks": 0}, "chunks is 0"),
        ({"chunks": 2**16 + 1}, "chunks is 65537"),
        ({"threads": 0}, "threads is 0"),
        ({"threads": (1, 257)}, "threads is 257"),
        ({"threads": ()}, "threads is empty"),
        ({"threads": "12"}, "threads is '1'"),
        ({"threads": True}, "threads is True"),
        ({"threads": math.nan}, "threads is nan"),
        ({"tries": 0}, "tries is 0"),
        ({"tries": 10**9}, "tries is 1000000000"),
        ({"seed": -1}, "seed is -1"),
        ({"progress": 3}, "progress is 3; pass a function or None"),
        ({"dtype": "float16"}, "dtype is float16; choose one of float32, float64"),
        ({"dtype": "int8"}, "unknown dtype 'int8'"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(FpdriftError, match=part) as caught:
        thread_sums(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("index", [-1, 30, 1.0, None, pytest.param(10**5000, id="huge")])
def test_replaying_a_try_that_is_not_there(sums, index):
    with pytest.raises(FpdriftError, match="index is"):
        replay(sums, index)


@pytest.mark.parametrize("result", [None, "sums", {"n": 3}])
def test_replaying_what_are_no_thread_sums(result):
    with pytest.raises(FpdriftError, match=r"result is .*; pass a result of thread_sums"):
        replay(result, 0)


def test_replaying_one_run_alone(sums):
    with pytest.raises(
        FpdriftError, match=r"result is ThreadRun\(.*; pass a result of thread_sums"
    ):
        replay(sums.run(2), 0)


def test_replaying_what_cannot_be(sums):
    with pytest.raises(FpdriftError, match="no run with an integer of thousands of digits"):
        replay(sums, 0, threads=10**5000)
    with pytest.raises(FpdriftError, match="no run with 4 threads; choose from 1, 2, 5"):
        replay(sums, 0, threads=4)
    with pytest.raises(FpdriftError, match="draws different numbers"):
        replay(replace(sums, digest="0" * 16), 0)
    run = sums.run(2)
    for spoilt in (run.arrivals // 2, run.arrivals + 1):
        with pytest.raises(FpdriftError, match="each of the 50 chunks once"):
            replay(replace(sums, runs=(replace(run, arrivals=spoilt),)), 0)
    with pytest.raises(FpdriftError, match="n is 9999999999"):
        replay(replace(sums, n=9_999_999_999), 0)
    with pytest.raises(FpdriftError, match="no runs"):
        replay(replace(sums, runs=()), 0)
