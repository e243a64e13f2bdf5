"""Threads add in an order of their own; what they did is recorded, bounded and replayable."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import fpdrift
from fpdrift.errors import FpdriftError
from fpdrift.floats import ulp_distance
from fpdrift.reduction import ThreadSums, replay, thread_sums
from fpdrift.reduction.parallel import _thread_pool, _thread_sums
from fpdrift.reduction.parallel._operations import Task, sizes_bound
from fpdrift.reduction.parallel._thread_sums import in_order_of_arrival

SMALL = {"n": 20_000, "chunks": 50, "tries": 30, "threads": (1, 2, 5)}


@pytest.fixture(scope="module")
def sums():
    return thread_sums(**SMALL)


def numbers(result):
    """Draw the numbers as the docstring says; give them in pieces."""
    rng = np.random.default_rng(result.seed)
    values = rng.standard_normal(result.n, dtype=np.dtype(result.dtype))
    sizes = [len(part) for part in np.array_split(np.arange(result.n), result.chunks)]
    starts = np.cumsum([0, *sizes])
    return [values[a : a + k] for a, k in zip(starts, sizes, strict=False)]


def add(pieces, order):
    """Add partial sums one after the other, in plain code."""
    total = pieces[0].dtype.type(0)
    for chunk in order:
        total = total + np.sum(pieces[chunk])
    return total


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_try_replays_to_its_bits(dtype):
    result = thread_sums(**SMALL, dtype=dtype, seed=3)
    pieces = numbers(result)
    for run in result.runs:
        assert run.values.dtype == run.fixed.dtype == dtype
        for index, value in enumerate(run.values):
            again = replay(result, index, threads=run.threads)
            assert again.dtype == dtype
            assert again == value == add(pieces, run.arrivals[index])


def test_the_last_thread_count_is_replayed_by_default(sums):
    assert replay(sums, 4) == sums.run(5).values[4]


def test_replaying_uses_no_threads(sums, monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", None)
    assert replay(sums, 0, threads=2) == sums.run(2).values[0]


def test_replay_follows_the_recorded_order_and_no_other():
    result = thread_sums(4096, chunks=64, tries=40, threads=1)
    run = result.runs[0]
    orders = np.array([np.random.default_rng(k).permutation(64) for k in range(40)], np.uint8)
    planted = replace(result, runs=(replace(run, arrivals=orders),))
    pieces = numbers(result)
    got = [replay(planted, k) for k in range(40)]
    assert got == [add(pieces, order) for order in orders]
    assert len(set(got)) > 1


def test_each_chunk_arrives_once(sums):
    for run in sums.runs:
        assert run.arrivals.dtype == np.uint8
        assert (np.sort(run.arrivals, axis=1) == np.arange(50)).all()


def test_one_thread_has_one_order_and_one_result(sums):
    run = sums.run(1)
    assert (run.arrivals == np.arange(50)).all()
    assert (run.orders, run.distinct, run.spread) == (1, 1, 0)


def test_a_fixed_order_gives_one_result_at_any_thread_count(sums):
    want = add(numbers(sums), range(50))
    for run in sums.runs:
        assert (run.fixed == want).all()
        assert run.distinct_fixed == 1
    assert sums.run(1).values[0] == want


def test_distances_are_counted_from_the_exact_sum(sums):
    exact = sum((Fraction(float(x)) for piece in numbers(sums) for x in piece), Fraction())
    assert sums.exact == float(exact)
    for run in sums.runs:
        unit = Fraction(float(np.spacing(np.float32(abs(sums.exact)))))
        for value, error, ulps in zip(run.values, run.errors, run.ulps, strict=True):
            assert math.isclose(error, Fraction(float(value)) - exact, abs_tol=1e-12)
            assert math.isclose(ulps, (Fraction(float(value)) - exact) / unit, abs_tol=1e-6)
        assert run.distinct == len({float(v) for v in run.values})
        assert run.orders == len({tuple(order) for order in run.arrivals.tolist()})
        assert run.spread == max(ulp_distance(a, b) for a in run.values for b in run.values)


@pytest.mark.parametrize("n", [2, 50, 3000])
def test_results_stay_within_the_bounds(n):
    result = thread_sums(n, chunks=min(n, 40), tries=20, threads=(1, 3))
    pieces = numbers(result)
    u = Fraction(1, 2**24)
    gamma = (n - 1) * u / (1 - (n - 1) * u)
    size = sum(abs(Fraction(float(x))) for piece in pieces for x in piece)
    assert math.isclose(result.bound, gamma * size, rel_tol=1e-9)
    partials = sum(abs(Fraction(float(np.sum(piece)))) for piece in pieces)
    k = (len(pieces) - 1) * u
    assert math.isclose(result.spread_bound, 2 * k / (1 - k) * partials, rel_tol=1e-9)
    for run in result.runs:
        assert np.abs(run.errors).max() <= result.bound
        assert float(run.values.max()) - float(run.values.min()) <= result.spread_bound


def test_where_the_dtype_is_too_short_the_bound_is_infinite():
    assert sizes_bound(1.0, 2**24, "float32") == math.inf
    assert math.isfinite(sizes_bound(1.0, 2**24 - 1, "float32"))
    assert sizes_bound(0.0, 2**24, "float32") == 0


def test_json_keeps_every_bit(sums):
    text = sums.to_json()
    again = ThreadSums.from_json(text)
    assert again.to_json() == text
    for run, kept in zip(again.runs, sums.runs, strict=True):
        assert run.values.tobytes() == kept.values.tobytes()
        assert run.arrivals.tobytes() == kept.arrivals.tobytes()
    assert replay(again, 7, threads=2) == sums.run(2).values[7]


def test_the_default_result_is_small_enough_to_keep():
    result = thread_sums(64_000, threads=(1, 2))
    assert (result.chunks, result.tries, result.seed) == (64, 200, 1)
    assert len(result.to_json()) < 400_000


def test_default_threads_are_one_and_at_least_two(monkeypatch):
    for cores, want in ((1, [1, 2]), (3, [1, 3]), (1000, [1, 256])):
        monkeypatch.setattr(
            "fpdrift.reduction.parallel._thread_pool.available_cores", lambda c=cores: c
        )
        result = thread_sums(300, chunks=3, tries=1)
        assert [run.threads for run in result.runs] == want


@pytest.mark.parametrize("n", [1, 2, 7, 300, 1000])
def test_any_number_of_chunks_up_to_one_number_each(n):
    result = thread_sums(n, chunks=n, tries=2, threads=[3, 3, 1])
    assert [run.threads for run in result.runs] == [3, 1]
    for run in result.runs:
        assert run.arrivals.dtype == (np.uint8 if n <= 256 else np.uint16)
        assert (np.sort(run.arrivals, axis=1) == np.arange(n)).all()
        assert replay(result, 1, threads=run.threads) == run.values[1]


def test_progress_is_told_to_the_end():
    told = []
    thread_sums(5000, chunks=5, tries=7, threads=(1, 2), progress=lambda *at: told.append(at))
    assert told == sorted(told)
    assert told[-1] == (14, 14)
    assert (7, 14) in told


@pytest.fixture
def shared(monkeypatch):
    """What the threads of each run share, as the runs start."""
    seen = []

    class Seen(_thread_pool.Tries):
        def __init__(self, *args):
            super().__init__(*args)
            seen.append(self)

    monkeypatch.setattr(_thread_pool, "Tries", Seen)
    return seen


def test_an_interrupt_stops_the_threads(shared):
    def interrupt(done, total):
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        thread_sums(200, chunks=2, tries=400_000, threads=2, progress=interrupt)
    assert threading.active_count() == before
    assert shared[0].done < 400_000


def test_too_few_threads_are_an_error_and_no_wait_for_ever(shared, monkeypatch):
    started, raised = [], []
    submit = ThreadPoolExecutor.submit

    def refuse(pool, *args):
        if started:
            message = "can't start new thread"
            raise RuntimeError(message)
        started.append(True)
        return submit(pool, *args)

    def call():
        with pytest.raises(FpdriftError, match="could not start 3 threads"):
            thread_sums(100, chunks=2, tries=1, threads=3)
        raised.append(True)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    caller = threading.Thread(target=call)
    caller.start()
    caller.join(timeout=20)
    came_back = not caller.is_alive()
    shared[0].start.abort()  # so that a failure of this test does not wait for ever either
    caller.join()
    assert came_back
    assert raised


def test_what_arrives_is_added_and_recorded_in_that_order():
    pieces = [np.array([x], np.float32) for x in (1e8, 1, -1e8, 1)]
    task = Task("sum", 4, 4, 1, "float32")
    way = _thread_sums._keep_partials(
        in_order_of_arrival(task, [(piece,) for piece in pieces]), task
    )
    shared = _thread_pool.Tries(way, 4, 1, 2)
    for attempt, order in ((1, (3, 2, 1, 0)), (0, (0, 2, 1, 3))):
        for chunk in order:
            shared.add(attempt, chunk, way.part(chunk))
        assert tuple(shared.arrivals[attempt]) == order
        assert shared.totals[attempt][0] == add(pieces, order)
    assert [float(total) for total, _ in shared.totals] == [2, 0]
    for _, partials in shared.totals:
        assert partials.tolist() == [np.float32(1e8), 1, -np.float32(1e8), 1]
    assert shared.done == 2


def test_what_was_seen_stands_in_the_repr(sums):
    assert repr(sums.run(1)) == (
        "ThreadRun(1 thread, 30 tries: 1 result within 0 ulps, 1 order of arrival)"
    )
    assert repr(sums).startswith("ThreadSums(20,000 float32 in 50 chunks; 1 thread: 1 result; 2 t")


def test_the_names_are_public():
    assert fpdrift.thread_sums is thread_sums
    assert fpdrift.replay is replay
