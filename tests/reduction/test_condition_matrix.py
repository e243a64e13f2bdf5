"""The same row under many conditions: differences, deaths and reasons, each where it belongs."""

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
from helpers import require
from test_batch import is_equivalence

from fpdrift import provenance
from fpdrift.backends import onednn
from fpdrift.errors import FpdriftError
from fpdrift.reduction import condition_matrix, known_conditions
from fpdrift.reduction.batch import BatchCondition, ConditionMatrix, _conditions, _worker
from fpdrift.reduction.batch._conditions import environment
from fpdrift.serialization import Result

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")
OWN = "row_functions:by_environment"


def condition(name, do="", **more):
    changes = {"FPDRIFT_TEST": do} if do else {}
    return BatchCondition(name=name, library="numpy", environment=changes, **more)


@pytest.fixture(scope="module")
def planted():
    """Conditions that do as they are told, in one matrix."""
    told = []
    result = condition_matrix(
        ("matmul", OWN),
        conditions=(
            condition("plain"),
            condition("reversed", "reverse"),
            condition("plain again"),
            condition("large reversed", "reverse from 8"),
            condition("dead", "die"),
            condition("raising", "raise"),
            BatchCondition(
                name="nonsense",
                library="numpy",
                environment={"NPY_DISABLE_CPU_FEATURES": "NO_SUCH_FEATURE"},
            ),
        ),
        batches=(1, 8),
        progress=lambda *step: told.append(step),
    )
    return result, told


@posix
def test_planted_differences_are_found_and_the_same_condition_is_equal(planted):
    result, _ = planted
    matmul, own = result.runs
    assert (matmul.operation, own.operation) == ("matmul", OWN)
    assert own.equality.labels == ("plain", "reversed", "plain again", "large reversed")
    assert own.equality.groups == (("plain", "plain again"), ("reversed",), ("large reversed",))
    assert own.equality.most_ulps > 0
    assert own.equality.elements == 3  # one number, alone, first of 8 and last of 8
    assert matmul.equality.classes == (0, 0, 0, 0)
    for run in result.runs:
        is_equivalence(run.equality)
        assert len(run.within) == 4
        assert all(within.batches == (1, 8, 8) for within in run.within)
    assert [within.sizes for within in own.within] == [((1, 8),)] * 3 + [((1,), (8,))]


@posix
def test_what_fails_costs_its_own_condition_and_is_named(planted):
    result, _ = planted
    assert list(result.skipped) == [f"numpy: {name}" for name in ("dead", "raising", "nonsense")]
    assert "was killed by signal 9 (SIGKILL)" in result.skipped["numpy: dead"]
    raised = result.skipped["numpy: raising"]
    assert f"{OWN} raised ArithmeticError for a batch of 1: of two lines" in raised
    assert "does not support NO_SUCH_FEATURE on" in result.skipped["numpy: nonsense"]


def test_a_process_that_hangs_is_ended_and_named():
    result = condition_matrix(
        OWN, conditions=[condition("hanging", "hang")], batches=(1,), timeout=2
    )
    assert result.runs == ()
    assert "took longer than 2 s" in result.skipped["numpy: hanging"]


@posix
def test_progress_and_round_trip(planted):
    result, told = planted
    assert told[0] == (0, 7, "plain")
    assert told[-1] == (7, 7, "")
    assert [done for done, _, _ in told] == list(range(8))
    text = result.to_json()
    assert isinstance(Result.from_json(text), ConditionMatrix)
    assert Result.from_json(text).to_json() == text
    assert "plain, plain again | reversed | large reversed; at most" in repr(result.runs[1])
    assert repr(result) == "ConditionMatrix(seed=1: 4 of 7 conditions ran)"


def test_numpys_conditions_are_read_from_numpy():
    known = {report.condition.name: report for report in known_conditions("numpy")}
    features = np.show_config(mode="dicts")["SIMD Extensions"]
    for name in features.get("found", []):
        [one] = [
            r for n, r in known.items() if n in (f"without {name}", f"without {name} and newer")
        ]
        assert one.reason is None
        off = one.condition.environment["NPY_DISABLE_CPU_FEATURES"].split()
        assert off[0] == name
        assert off == features["found"][-len(off) :]
    for name in features.get("not found", []):
        assert known[f"without {name}"].reason == f"NumPy does not support {name} on this machine"
    assert known["default"].reason is known["default again"].reason is None


def test_numpys_conditions_run():
    """Every one of NumPy's conditions, on a row that no instruction set can change."""
    result = condition_matrix(("row_functions:fixed",), libraries="numpy", batches=(1, 3))
    known = known_conditions("numpy")
    assert [report.condition for report in result.reports] == [one.condition for one in known]
    [run] = result.runs
    is_equivalence(run.equality)
    assert {"default", "default again"} <= set(run.equality.groups[0])
    assert set(run.equality.classes) == {0}
    for report, before in zip(result.reports, known, strict=True):
        assert before.reason is None or report.reason == before.reason
        assert report.reason is None or report.reason == before.reason or "ignored" in report.reason
        if report.reason is None:
            off = report.condition.environment.get("NPY_DISABLE_CPU_FEATURES", "").split()
            assert not {*off} & {*report.found["features"].split()}


def test_one_core_another_architecture_and_no_tensorflow_are_reasons(monkeypatch):
    monkeypatch.setattr(provenance, "available_cores", lambda: 1)
    monkeypatch.setattr(_conditions.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(_conditions, "find_spec", lambda name: None if name == "tensorflow" else 1)
    reasons = {
        (report.condition.library, report.condition.name): report.reason
        for report in known_conditions()
    }
    assert reasons["numpy", "default"] is reasons["numpy", "1 thread"] is None
    assert reasons["numpy", "2 threads"] == "OpenBLAS uses at most one core here"
    why = "x86 instruction set; this processor is aarch64"
    assert reasons["numpy", "OpenBLAS for Haswell"] == why
    tensorflow = {why for (library, _), why in reasons.items() if library == "tensorflow"}
    assert len(tensorflow) == 1
    assert "pip install 'fpdrift[cnn]'" in tensorflow.pop()
    result = condition_matrix("softmax", libraries="tensorflow")
    assert result.runs == ()
    assert len(result.skipped) == len(result.reports)


def test_a_processor_lacks_what_it_does_not_name(monkeypatch):
    monkeypatch.setattr(_conditions.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(_conditions, "cpu_flags", lambda: {"sse4_1", "sse4_2", "avx"})
    monkeypatch.setattr(_conditions, "find_spec", lambda _: 1)
    reasons = {r.condition.name: r.reason for r in known_conditions("tensorflow")}
    assert reasons["oneDNN up to AVX"] is reasons["oneDNN up to SSE41"] is None
    assert reasons["oneDNN up to AVX2"] == "this processor does not report avx2"
    assert reasons["oneDNN up to AVX512_CORE_AMX"] == "this processor does not report amx_tile"
    assert {f"oneDNN up to {name}" for name in onednn.INSTRUCTION_SETS} <= set(reasons)
    monkeypatch.setattr(_conditions, "cpu_flags", set)  # no Linux: oneDNN itself will say
    assert all(r.reason is None for r in known_conditions("tensorflow"))


def test_the_users_shell_brings_no_condition_in(monkeypatch):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    default = environment(BatchCondition(name="default", library="tensorflow"))
    for name in ("ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS", "OPENBLAS_NUM_THREADS"):
        assert default[name] is None
    own = {"ONEDNN_MAX_CPU_ISA": "AVX"}
    capped = environment(BatchCondition(name="capped", library="tensorflow", environment=own))
    assert capped["ONEDNN_MAX_CPU_ISA"] == "AVX"
    two = environment(BatchCondition(name="two", library="numpy", threads=2))
    assert two["OPENBLAS_NUM_THREADS"] == "2"


@pytest.mark.parametrize(
    ("asked", "used", "fine"),
    [
        ("SSE41", "Intel SSE4.1", True),
        ("SSE41", "Intel AVX", False),
        ("AVX", "Intel AVX", True),
        ("AVX", "Intel AVX2 with Intel DL Boost", False),
        ("AVX2", "Intel AVX-512 with Intel DL Boost", False),
        ("AVX2_VNNI", "Intel AVX2 with Intel DL Boost", True),
        ("AVX512_CORE", "Intel AVX-512 with AVX512BW, AVX512VL, and AVX512DQ extensions", True),
        ("AVX2", "Intel AVX10.1/512 with Intel AMX", False),
    ],
)
def test_what_onednn_says_is_checked(asked, used, fine):
    line = f"onednn_verbose,v1,info,cpu,isa:{used}\nonednn_verbose,v1,info,gpu,runtime:none\n"
    assert onednn.instructions_named("noise\n" + line) == used
    assert onednn.instructions_named("noise") is None
    assert onednn.obeys(asked, used) is fine


def test_what_numpy_and_openblas_say_is_checked(monkeypatch):
    said = {"features": "X1 X2", "core": "Haswell", "threads": "2"}
    fine = {
        "NPY_DISABLE_CPU_FEATURES": "X3,X4",
        "OPENBLAS_CORETYPE": "haswell",
        "OPENBLAS_NUM_THREADS": "2",
    }
    wrong = {
        "NPY_DISABLE_CPU_FEATURES": "X3 X2",
        "OPENBLAS_CORETYPE": "Zen",
        "OPENBLAS_NUM_THREADS": "7",
    }
    for name, value in fine.items():
        monkeypatch.setenv(name, value)
    _worker.check_obeyed(said)
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
        with pytest.raises(FpdriftError, match=f"ignored {name}"):
            _worker.check_obeyed(said)
        monkeypatch.setenv(name, fine[name])


def test_a_name_that_openblas_does_not_know_is_refused():
    changes = {"OPENBLAS_CORETYPE": "NoSuchCore"}
    odd = BatchCondition(name="odd", library="numpy", environment=changes)
    result = condition_matrix(
        "row_functions:fixed", conditions=[condition("default"), odd], batches=(1,)
    )
    if "core" in result.reports[0].found:  # else this BLAS says nothing of itself
        assert (
            "OpenBLAS ignored OPENBLAS_CORETYPE=NoSuchCore: it uses" in result.skipped["numpy: odd"]
        )


def test_numpy_speaks_for_itself_without_threadpoolctl(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert set(_worker.about_numpy()) == {"NumPy", "features"}


def test_no_room_for_the_rows(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(FpdriftError, match=r"cannot write the rows .*No space left"):
        condition_matrix("softmax", libraries="numpy")


@posix
def test_an_interrupt_leaves_no_orphan(tmp_path):
    told = tmp_path / "pid"
    one = BatchCondition(
        name="hanging", library="numpy", environment={"FPDRIFT_TEST_PID": str(told)}
    )

    def interrupt():
        end = time.monotonic() + 60
        while not told.exists() and time.monotonic() < end:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        condition_matrix("row_functions:tell_and_hang", conditions=[one], batches=(1,))
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((), "conditions is (); pass several"),
        (3, "conditions is 3; pass several"),
        (("default",), "'default' is not a condition; pass a BatchCondition"),
        ((condition("a"), condition("a")), "two numpy conditions are named 'a'"),
    ],
)
def test_bad_conditions_are_refused(given, text):
    with pytest.raises(FpdriftError) as caught:
        condition_matrix("softmax", conditions=given)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"library": "torch"}, "unknown library 'torch'; choose one of numpy, tensorflow"),
        ({"threads": 0}, "threads is 0; choose a whole number from 1"),
        ({"threads": True}, "threads is True"),
        ({"name": 3}, "name and environment must be strings"),
        ({"environment": {"A": 3}}, "name and environment must be strings"),
        ({"environment": "A=3"}, "name and environment must be strings"),
    ],
)
def test_a_bad_condition_is_refused(fields, text):
    with pytest.raises(FpdriftError) as caught:
        BatchCondition(**{"name": "x", "library": "numpy", **fields})
    assert text in str(caught.value)


@pytest.mark.slow
def test_tensorflow_under_the_same_condition_twice_and_capped():
    require("tensorflow")
    known = {r.condition.name: r for r in known_conditions("tensorflow")}
    names = ("default", "default again", "oneDNN up to SSE41")
    chosen = [known[name].condition for name in names]
    result = condition_matrix(conditions=chosen, batches=(1, 3))
    assert [run.operation for run in result.runs] == ["matmul", "convolution", "softmax"]
    for run in result.runs:
        is_equivalence(run.equality)
        assert {"default", "default again"} <= set(run.equality.groups[0])
    before, capped = known[names[2]], result.reports[2]
    if before.reason is None and sys.platform == "linux":  # where TensorFlow has oneDNN
        assert "oneDNN" in result.reports[0].found
        assert capped.found["oneDNN"] == "Intel SSE4.1"
    else:
        assert capped.reason is not None or capped.found.get("oneDNN") == "Intel SSE4.1"


@pytest.mark.slow
def test_tensorflow_agrees_with_numpy():
    """The same numbers went through both: results agree as closely as rounding allows."""
    require("tensorflow")
    from fpdrift.backends import tensorflow as rows
    from fpdrift.reduction.batch._operations import OPERATIONS, draw, resolve

    for name in OPERATIONS:
        data = draw(name, 2, 3)
        numpys, theirs = resolve("numpy", name)(*data), rows.operation(name)(*data)
        assert theirs.dtype == np.float32
        np.testing.assert_allclose(theirs, numpys, rtol=1e-4, atol=1e-5 * np.abs(numpys).max())
