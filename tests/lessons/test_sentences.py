"""What lessons say of a run: right where drift is seen, honest where none is."""

import dataclasses
import math
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import require

import fpdrift
from fpdrift.lessons import (
    chain,
    cnn,
    gpu,
    growth,
    nudge,
    order,
    runtime,
    seeds,
    sums,
    threads,
    trees,
)
from fpdrift.lessons.runtime import fast, size

QUIET = fpdrift.thread_sums(4096, chunks=8, threads=1, tries=4)


def differing(result):
    """Plant another total in one try of two threads: a lesson never measures fewer."""
    run = result.runs[-1]
    values = run.values.copy()
    values[0] = np.nextafter(values[0], np.float32(np.inf))
    return dataclasses.replace(result, runs=(dataclasses.replace(run, values=values, threads=2),))


def pair(step, distance=0.0):
    """Two runs that part at a step, or do not."""
    return SimpleNamespace(
        first_difference=step and SimpleNamespace(step=step),
        recorded_steps=np.array([0, 8]),
        distance=np.array([distance]),
    )


def test_threads_that_agree_are_said_to_agree_here():
    told = threads.tell(QUIET)
    assert told.startswith("No difference seen on this machine in 4 sums")
    assert "different totals" in told
    recorded = fpdrift.load_recorded("threads")
    assert f"Recorded on {recorded.provenance.cpu}, {recorded.provenance.cores} cores: " in told
    assert f"{recorded.sums.runs[-1].distinct} different totals in 200 sums." in told
    for said in (True, False):
        told = threads.check_prediction(said, QUIET)
        assert told.right is said
        assert "always so: read on" in repr(told)
        assert "You saw it coming" not in repr(told)
    assert "You made no prediction" in repr(threads.check_prediction(..., QUIET))


def test_threads_that_differ_are_counted():
    told = threads.tell(differing(QUIET))
    assert "gave 2 different totals. Orders of arrival: 1. Ulps from the lowest total" in told
    assert "You said True. Different totals of 2 threads in 4 sums: 2." in repr(
        threads.check_prediction(True, differing(QUIET))
    )


@pytest.mark.parametrize(
    ("again", "two", "begins"),
    [
        (pair(None), pair(None), "No drift seen in 8 steps"),
        (
            pair(None),
            pair(3, 0.5),
            "Order-dependent, if two threads are repeatable too: one thread gave the same",
        ),
        (pair(2), pair(3), "Nondeterministic: one thread, run again, gave different bits"),
    ],
)
def test_two_comparisons_are_told(again, two, begins):
    assert cnn.tell(again, two).startswith(begins)


def test_orders_that_agree_are_said_to():
    assert (
        order.tell(fpdrift.orders("0.5+0.25")) == "Orders of 0.5+0.25: 1, all with the same bits."
    )
    assert order.tell(fpdrift.orders("2*11/9")) == "5 orders, 2 results, at most 1 ulp apart."


def test_the_order_of_a_loop_is_no_surprise():
    found = fpdrift.reveal(lambda x: sum(x.tolist()), 16, "float64")
    assert "You said True." in repr(trees.check_prediction(True, found))


def test_a_batch_is_told_in_classes(monkeypatch):
    """Lesson 05, which is run as a whole, measures it."""
    recorded = fpdrift.load_recorded("batch")
    (run,) = (r for r in recorded.runs if (r.library, r.operation) == ("numpy", "matmul"))
    monkeypatch.setattr(trees, "batch_classes", lambda *_, **__: SimpleNamespace(runs=(run,)))
    assert trees.batches() == "Batches of (1) (2 3 8 64 1000): up to 520 ulps apart."


def test_batches_that_agree_here_are_shown_beside_recorded_ones(monkeypatch):
    recorded = fpdrift.load_recorded("batch")
    (alike,) = (r for r in recorded.runs if (r.library, r.operation) == ("numpy", "softmax"))
    monkeypatch.setattr(trees, "batch_classes", lambda *_, **__: SimpleNamespace(runs=(alike,)))
    told = trees.batches()
    assert "the same bits in all of them on this machine. Recorded on " in told
    assert told.endswith("Batches of (1) (2 3 8 64 1000): up to 520 ulps apart.")


def test_recorded_conditions_are_told_with_their_machine():
    matrix = fpdrift.load_recorded("conditions")
    first, *told = trees.conditions().splitlines()
    assert matrix.provenance.cpu in first
    groups = [group for run in matrix.runs for group in run.equality.groups]
    assert [line for line in told if "(" in line] == [f"  ({', '.join(g)})" for g in groups]


def test_a_gpu_is_asked_for_unless_fast(monkeypatch):
    monkeypatch.setenv("FPDRIFT_FAST", "1")
    assert "skipped" in gpu.real()
    monkeypatch.delenv("FPDRIFT_FAST")
    nothing = SimpleNamespace(label="live: no device", runs=(), skipped={"torch": "not here"})
    monkeypatch.setattr(gpu, "gpu_sums", lambda *_, **__: nothing)
    assert gpu.real().splitlines()[:2] == ["live: no device", "  torch: not here"]


def test_one_result_is_told_in_a_sentence_that_fits_one():
    """Each run of the two-pass sum has one; so may any other sum have on another machine."""
    result = fpdrift.gpu_sums("simulated", sizes=(300,), tries=3)
    (run,) = result.of("one-pass")
    assert run.distinct == 1
    told = f"{result!r} {run!r} {gpu.check_prediction(True, result)!r} {gpu.check_1(1, result)!r}"
    told += f"{order.tell(fpdrift.orders('0.5+0.25'))} {threads.tell(differing(QUIET))}"
    told += repr(threads.check_prediction(True, differing(QUIET)))
    assert not re.search(r"\b1 (different )?(results|totals|ulps|orders|hashes|threads)\b", told)


def test_without_tensorflow_the_recorded_runs_are_left(monkeypatch):
    monkeypatch.setattr(runtime.importlib.util, "find_spec", lambda _: None)
    for lesson in (growth, seeds):
        assert lesson.live().startswith("Skipped: TensorFlow is not installed.")


def test_a_late_hash_seed_does_nothing():
    table = seeds.hashes()
    assert table["PYTHONHASHSEED=0 before the start"] == 1
    assert len(table) == 4
    assert all(1 <= distinct <= seeds.PROCESSES for distinct in table.values())
    _, late = seeds.WAYS[seeds._LATE]
    assert late == {"PYTHONHASHSEED": "0"}
    started = {"PYTHONHASHSEED": "1"}
    assert seeds._hash(started, late) == seeds._hash(started, {})


def test_sizes_shrink(monkeypatch):
    monkeypatch.delenv("FPDRIFT_FAST", raising=False)
    assert (fast(), size(10, 2)) == (False, 10)
    monkeypatch.setenv("FPDRIFT_FAST", "1")
    assert (fast(), size(10, 2)) == (True, 2)


def test_the_tickets_problem_is_theirs():
    tickets, problem = sums.tickets(), sums.problem()
    assert (problem.n, float(problem.total)) == (len(tickets), math.fsum(tickets.tolist()))
    assert (float(problem.condition), float(problem.u)) == (1, 2.0**-24)
    assert sums.error(np.float32(0)) == float(problem.total)


def test_leading_digits_are_counted():
    assert sums._digits(100958.344, 100000.0) == 3
    assert sums._digits(2.0, 2.0) == 9
    assert sums._digits(99.0, 100.0) == 0


def test_weights_to_nudge_have_the_dtype():
    require("ml_dtypes")
    assert {w.dtype.name for w in nudge.weights("bfloat16").values()} == {"bfloat16"}


def test_the_hint_of_the_nearest_order_leads_to_it():
    told = order.check_2("2/9*11").text
    measure = re.search(r"float\(abs\(.*Fraction\(22, 9\)\)\)", told)[0]
    one = eval(measure, {"Fraction": Fraction})
    other = eval(measure.replace("2 / 9 * 11", "2 * 11 / 9"), {"Fraction": Fraction})
    assert one > other
    assert order.check_2("2*11/9").right


def test_a_nudge_that_is_absorbed_upwards_is_not_downwards():
    assert "Downwards 0.25 does change" in nudge.check_2(0.25).text
    w, size = np.float32(0.25), np.float32(1e-8)
    assert w + size == w != w - size


def test_a_step_of_the_map_injects_an_ulp_of_one_at_most_and_often_nothing():
    _, second = growth.two_writings(60)
    injected = [abs(growth.one(x) - growth.other(x)) for x in second]
    assert "At most an ulp of 1.0, and in many" in growth.check_3(injected[30]).text
    assert 0 < max(injected) <= np.spacing(1.0)
    assert injected.count(0) > len(injected) / 2


def test_the_smaller_of_two_contradicting_figures_happens_to_be_nearer():
    assert "happens to be nearer" in chain.check_quiz(4, "d").text
    one, two = chain._end("quotient"), chain._end("multiply first")
    exact = fpdrift.chain(1.0, chain._LOOPS["multiply first"], 10**8).exact()
    off = [abs(Fraction(end) - Fraction(exact)) for end in (one, two)]
    assert 1 - two < 1 - one
    assert off[1] < off[0]


def test_a_hint_on_three_numbers_says_what_has_to_cancel():
    assert "have to cancel before the small one" in trees.check_3([1, 2, 3]).text


#: Appended to lesson 10's mended code: what each of its three calls has left.
_LEFT = """
import random
import numpy as np
def draws():
    return random.random(), np.random.rand(), float(keras.random.uniform(()))
first = draws()
keras.utils.set_random_seed(1)
print("seeded", draws() == first)
print("threads", tf.config.threading.get_intra_op_parallelism_threads())
tf.random.set_seed(None)
try:
    tf.random.uniform(())
except RuntimeError as error:
    print("refused", "determinism" in str(error))
"""


@pytest.mark.check
@pytest.mark.slow
def test_the_mended_code_does_what_it_says():
    require("tensorflow")
    source = Path(__file__).parents[2] / "lessons" / "src" / "10_seeds.py"
    (fence,) = re.findall(r"# ```python\n(.*?)# ```", source.read_text(encoding="utf-8"), re.DOTALL)
    code = re.sub("^# ?", "", fence, flags=re.MULTILINE) + _LEFT
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["seeded True", "threads 2", "refused True"], done.stderr


def test_the_spread_of_the_losses_is_told_beside_the_source_s():
    five = fpdrift.load_recorded("five-runs")
    assert "In the forum answer it was 0.0144 %" in cnn.check_2(five.gradients[1].figure).text
    assert "forum answer" not in cnn.check_2(five.source).text
