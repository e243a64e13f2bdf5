"""Functions at several addresses: what depends on the address is named, and nothing else."""

import address_functions
import numpy as np
import pytest
from helpers import require

from fpdrift.backends.devices import aligned_zeros
from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.errors import FpdriftError
from fpdrift.reduction import alignment_table
from fpdrift.reduction.batch import (
    AlignmentTable,
    BatchCondition,
    _addresses,
    _alignment,
    _conditions,
    _worker,
)
from fpdrift.reduction.batch._addresses import (
    ALIGNMENTS,
    DTYPES,
    FUNCTIONS,
    copies_at_addresses,
    draw_inputs,
    results_at_addresses,
    tasks,
)
from fpdrift.reduction.batch._conditions import kernel_sets
from fpdrift.serialization import Result

OWN = "address_functions"
BY_ADDRESS, HALF, FIXED = (
    f"{OWN}:{name}" for name in ("by_address", "by_half_line", "in_sequence")
)


def condition(name, library="numpy", **changes):
    return BatchCondition(name=name, library=library, environment=changes)


@pytest.fixture(scope="module")
def planted():
    """Functions with a known rule and one of NumPy's under two conditions; a third is missing."""
    told = []
    conditions = [
        condition("plain"),
        condition("again"),
        condition("nonsense", NPY_DISABLE_CPU_FEATURES="NO_SUCH_FEATURE"),
    ]
    names = (BY_ADDRESS, FIXED, HALF, f"{OWN}:drawn", "numpy:sum")
    result = alignment_table(
        names, conditions=conditions, progress=lambda *step: told.append(step), seed=3
    )
    return result, told


def run_of(result, name, dtype="float64"):
    return next(run for run in result.runs if (run.operation, run.dtype) == (name, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_depends_on_the_address_is_named(planted, dtype):
    result, _ = planted
    size = np.dtype(dtype).itemsize
    run = run_of(result, BY_ADDRESS, dtype)
    assert run.offsets == tuple(range(0, 8 * size, size))
    assert run.classes == (tuple(range(8)),) * 2
    assert run.distinct == (8, 8)
    assert run.ulps == (7, 7)
    assert run.depends_under == ("plain", "again")
    half = run_of(result, HALF, dtype)
    assert half.classes == (tuple(offset % 32 // 16 for offset in half.offsets),) * 2
    assert half.ulps == (2 ** (np.finfo(dtype).nmant - 3),) * 2
    assert {run.operation for run in result.dependent} >= {BY_ADDRESS, HALF}


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_does_not_is_not_named(planted, dtype):
    result, _ = planted
    run = run_of(result, FIXED, dtype)
    assert (run.distinct, run.ulps, run.unsteady) == ((1, 1), (0, 0), (False, False))
    assert {FIXED, f"{OWN}:drawn"}.isdisjoint(run.operation for run in result.dependent)


def test_what_differs_from_call_to_call_is_not_blamed_on_the_address(planted):
    result, _ = planted
    run = run_of(result, f"{OWN}:drawn")
    assert run.distinct == (8, 8)
    assert run.unsteady == (True, True)
    assert run.depends_under == ()
    text = " ".join(" ".join(screen(result)).split())
    assert f"the address cannot be blamed: {OWN}:drawn float32, {OWN}:drawn float64." in text


def test_a_kernel_set_that_is_not_available_is_not_tested(planted):
    result, told = planted
    assert list(result.skipped) == ["numpy: nonsense"]
    assert "does not support NO_SUCH_FEATURE" in result.skipped["numpy: nonsense"]
    assert all(run.conditions == ("plain", "again") for run in result.runs)
    assert [done for done, _, _ in told] == list(range(4))
    lines = screen(result)
    assert max(map(len, lines)) <= 80
    assert "Not tested: numpy: nonsense (NumPy does not" in " ".join(" ".join(lines).split())


def test_round_trip(planted):
    result, _ = planted
    text = result.to_json()
    assert isinstance(Result.from_json(text), AlignmentTable)
    assert Result.from_json(text).to_json() == text
    depend = len(result.dependent)
    assert repr(result) == f"AlignmentTable(seed=3: {depend} of 10 depend on the address)"
    assert "by_address float32: at most 8 results at 8 addresses, 7 ulps" in repr(result.runs[0])


def test_known_functions():
    assert len(FUNCTIONS) >= 30
    assert {name.split(":")[0].split(".")[0] for name in FUNCTIONS} == {
        "numpy",
        "scipy",
        "tensorflow",
    }
    assert tasks(["scipy.linalg.blas:dasum"]) == ("scipy.linalg.blas:dasum float64",)
    assert tasks(["scipy.linalg.blas:sdot"]) == ("scipy.linalg.blas:sdot float32",)
    assert tasks(["numpy:dot"]) == ("numpy:dot float32", "numpy:dot float64")
    for task in tasks(FUNCTIONS):
        assert all(array.dtype == task.split()[1] for array in draw_inputs(task, 1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_inputs_are_where_they_are_said_to_be(dtype):
    array = draw_inputs(f"numpy:sum {dtype}", 1)[0]
    copies = copies_at_addresses(array)
    assert [copy.ctypes.data % 64 // array.itemsize for copy in copies] == list(range(ALIGNMENTS))
    assert all(copy.flags.c_contiguous and (copy == array).all() for copy in copies)


def test_memory_elsewhere_is_refused(monkeypatch):
    monkeypatch.setattr(_addresses, "aligned_zeros", lambda *_: aligned_zeros(9, "float32", 4))
    with pytest.raises(FpdriftError, match="offset 4 of 64 bytes, not 0"):
        copies_at_addresses(np.zeros(9, "float32"))


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "tensorflow" not in name])
def test_numpys_and_scipys_functions_run_and_do_not_depend_on_more_than_rounding(name):
    for task in tasks([name]):
        dtype = task.split()[1]
        found = results_at_addresses(task, draw_inputs(task, 1))
        assert found.values.shape[0] == ALIGNMENTS
        scale = np.abs(found.values).max()
        # Whatever the order, no result is further from the first than a backward stable sum is.
        assert np.abs(found.values - found.values[0]).max() <= 1e4 * np.finfo(dtype).eps * scale


def test_complex_results_count_in_both_parts():
    found = results_at_addresses(f"{OWN}:both float64", draw_inputs("numpy:sum float64", 1))
    assert found.values.dtype == np.float64
    assert len({one.tobytes() for one in found.values}) == 8


def test_pythons_floats_are_measured_in_the_inputs_dtype():
    run = alignment_table([f"{OWN}:python_float"], conditions=[condition("plain")]).runs[0]
    assert (run.dtype, run.distinct, run.ulps) == ("float32", (2,), (1,))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("raising", "raising raised ArithmeticError for float32 at an offset of 0 bytes: planted"),
        ("infinite", "infinite returned NaN or infinity for float32 at an offset of 4 bytes"),
        ("gone", "cannot import"),
        ("__doc__", "use the name of a function"),
    ],
)
def test_a_function_that_fails_is_named(name, text):
    with np.errstate(divide="ignore"), pytest.raises(FpdriftError) as caught:
        results_at_addresses(f"{OWN}:{name} float32", draw_inputs("numpy:sum float32", 1))
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"operations": "sum"}, "unknown function 'sum'; choose from numpy:sum"),
        ({"operations": ()}, "operations is (); choose from numpy:sum"),
        ({"libraries": "torch"}, "unknown library 'torch'"),
        ({"operations": "tensorflow:exp", "libraries": "numpy"}, "tensorflow:exp does not run in"),
        ({"conditions": ()}, "conditions is ()"),
        ({"seed": -1}, "seed is -1"),
        ({"timeout": 0}, "timeout"),
        ({"progress": 3}, "progress"),
    ],
)
def test_bad_arguments_are_refused(arguments, text):
    with pytest.raises(FpdriftError) as caught:
        alignment_table(**arguments)
    assert text in str(caught.value)


def test_kernel_sets_have_no_threads_and_every_missing_one_a_reason(monkeypatch):
    monkeypatch.setattr(_conditions.platform, "machine", lambda: "aarch64")
    sets = kernel_sets("numpy")
    assert all(one.condition.threads is None for one in sets)
    names = [one.condition.name for one in sets]
    assert names[0] == "default"
    assert "default again" not in names
    reasons = {one.condition.name: one.reason for one in sets}
    why = "x86 instruction set; this processor is aarch64"
    assert reasons["OpenBLAS for Haswell"] == reasons["OpenBLAS for SkylakeX"] == why
    result = alignment_table([FIXED], conditions=[one.condition for one in sets[:1]])
    assert result.runs[0].conditions == ("default",)


def test_both_libraries_of_a_process_are_asked_for_their_kernels(monkeypatch):
    threadpoolctl = require("threadpoolctl")
    told = [
        {"user_api": "blas", "internal_api": "openblas", "version": "1", "num_threads": 2}
        | {"architecture": core}
        for core in ("SkylakeX", "Haswell")
    ]
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: told)
    found = _worker.about_numpy()
    assert (found["core"], found["threads"], found["BLAS"]) == (
        "Haswell, SkylakeX",
        "2",
        "openblas 1",
    )
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    with pytest.raises(FpdriftError, match="it uses Haswell, SkylakeX"):
        _worker.check_obeyed(found)


def test_the_command(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(_alignment, "kernel_sets", lambda libraries: kernel_sets(libraries)[:1])
    saved, picture = tmp_path / "alignment.json", tmp_path / "alignment.png"
    argv = ["batch", "--alignment", "--libraries", "numpy", "--operations", BY_ADDRESS]
    assert main([*argv, "--json", str(saved), "--plot", str(picture)]) == 0
    printed = capsys.readouterr().out.splitlines()
    shown = screen(Result.from_json(saved.read_text()))
    assert shown[0].strip() == "1 of 1 function depends on the address of the input."
    assert printed[: len(shown)] == shown
    assert picture.stat().st_size > 0


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--batches", "1"], "--batches"),
        (["--operations", "sum"], "'sum'"),
        (["--conditions"], "--conditions"),
    ],
)
def test_what_does_not_go_with_the_command_is_refused(capsys, more, text):
    try:
        code = main(["batch", "--alignment", *more])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert text in capsys.readouterr().err


@pytest.mark.slow
def test_tensorflow_copies_what_it_is_given():
    require("tensorflow")
    result = alignment_table(
        ("tensorflow:reduce_sum", BY_ADDRESS), conditions=[condition("plain", "tensorflow")]
    )
    reached = int(result.reports[0].found["addresses reached"].split()[0])
    assert 0 <= reached <= ALIGNMENTS
    if reached == 0:
        assert run_of(result, "tensorflow:reduce_sum").distinct == (1,)
        assert "TensorFlow copies its inputs" in " ".join(screen(result))
    assert run_of(result, BY_ADDRESS).distinct == (8,)


def test_the_planted_functions_do_as_they_are_told():
    for dtype in DTYPES:
        x = aligned_zeros(5, dtype, 3 * np.dtype(dtype).itemsize)
        one = np.ones(1, dtype)
        assert address_functions.by_address(x) == one + 3 * np.finfo(dtype).eps
