"""Live sums: on a planted device, on TensorFlow's CPU, and on whatever else is installed."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers import require
from planted_device import Planted

from fpdrift import gpu_sums
from fpdrift.backends import devices
from fpdrift.backends.cupy import ELEMENTS_PER_THREAD, THREADS_PER_BLOCK
from fpdrift.errors import FpdriftError
from fpdrift.recorded import read_recorded
from fpdrift.reduction import error_bounds
from fpdrift.reduction.gpu import GpuKernel, _measure, measure_gpu, record_gpu
from fpdrift.reduction.gpu import _record as recording
from fpdrift.reduction.gpu._results import Inputs


def plant(monkeypatch, **how):
    planted = Planted(**how)

    def opened(library, device="gpu"):
        if library != "torch" or (device == "gpu") != planted.device.on_gpu:
            raise FpdriftError(f"{library}: nothing planted")
        return planted.device

    monkeypatch.setattr(_measure, "open_device", opened)
    return planted


def test_variability_and_cost_are_measured_against_the_switch(monkeypatch):
    planted = plant(monkeypatch)
    result = gpu_sums("live", sizes=(1000, 128), tries=6)
    assert (result.origin, result.label) == ("live", "live: Planted, planted 1")
    assert result.provenance.device == "Planted"
    assert result.skipped == {"matmul TF32": "none planted"}
    assert result.validation is None
    assert result.operations == ("sum", "one-pass", "two-pass", "index_add", "matmul")
    for run in result.of("sum", deterministic=True):
        assert (run.tries, run.distinct, run.spread) == (6, 1, 0)
        assert not run.v_s.any()
        assert run.reference_is == "its own switch"
    for run in result.of("sum"):
        assert (run.tries, run.distinct, run.spread) == (6, 2, 1)
        assert np.count_nonzero(run.v_s) == np.count_nonzero(run.v_c) == 2
        assert run.largest_v_s == pytest.approx(run.v_ermv.max())
    for run in result.of("index_add"):
        assert run.outputs == run.n // 64
        assert run.values is run.v_s is run.reference is run.largest_v_s is run.spread is None
        assert sorted(set(run.v_c)) == [0, 1 / run.outputs]
        assert sorted(set(run.v_ermv)) == [0, 1 / run.outputs]
    assert [run.outputs for run in result.of("matmul")] == [4096, 4096]
    assert [run.reference_is for run in result.of("one-pass")] == ["two-pass"] * 2
    assert {run.function for run in result.of("two-pass", deterministic=True)} == {"numpy.sum"}
    costs = {(cost.operation, cost.n): cost for cost in result.costs}
    assert set(costs) == {
        (name, n) for name in ("sum", "one-pass", "index_add", "matmul") for n in (128, 1000)
    }
    assert all(cost.ratio > 0 and len(cost.ratios) == 11 for cost in costs.values())
    assert costs["one-pass", 128].switch == "two-pass"
    assert planted.held == []


def test_without_a_switch_the_first_try_is_the_reference(monkeypatch):
    plant(monkeypatch, switch=False)
    result = gpu_sums("live", sizes=1000, tries=6)
    assert [run.reference_is for run in result.of("sum")] == ["the first try"]
    assert result.skipped["sum, deterministic"] == "it has no switch"
    assert [cost.operation for cost in result.costs] == ["one-pass"]
    assert [run.deterministic for run in result.runs] == [False, False, True, False, False]


def test_slow_operations_are_tried_less_often(monkeypatch):
    plant(monkeypatch)
    monkeypatch.setattr(_measure, "_SECONDS", -1.0)
    result = gpu_sums("live", sizes=1000, tries=50)
    assert {run.tries for run in result.runs} == {2}
    assert {len(cost.ratios) for cost in result.costs} == {3}


def test_what_is_deterministic_already_is_called_so(monkeypatch):
    planted = plant(monkeypatch, switch=False)
    planted.device = replace(planted.device, always=True)
    result = gpu_sums("live", sizes=1000, tries=3)
    assert all(run.deterministic for run in result.runs)
    assert list(result.skipped) == ["matmul TF32"]


def test_what_a_library_refuses_is_a_reason(monkeypatch):
    plant(monkeypatch, refuses=("on",))
    result = gpu_sums("live", sizes=1000, tries=3)
    assert result.skipped["sum, deterministic, n = 1,000"] == "RuntimeError: no way to do that"
    assert [run.reference_is for run in result.of("sum")] == ["the first try"]
    plant(monkeypatch, refuses=("sum",))
    result = gpu_sums("live", sizes=1000, tries=3)
    assert result.skipped["sum, n = 1,000"].startswith("MemoryError")
    assert "sum" not in result.operations
    plant(monkeypatch)
    result = gpu_sums("live", sizes=1000, tries=3, dtype="float64")
    assert result.runs == ()
    assert result.skipped["float64"].startswith("planted 1 supports float32, bfloat16 here")


def test_no_device_is_a_result_with_reasons(monkeypatch):
    plant(monkeypatch, on_gpu=False)
    result = gpu_sums("live", sizes=1000, tries=3)
    assert (result.runs, result.device, result.label) == ((), None, "live: no device")
    assert list(result.skipped) == list(devices.GPU_LIBRARIES)
    result = gpu_sums("live", sizes=1000, tries=3, device="cpu")
    assert result.label == "live: Planted, not a GPU, planted 1"
    assert result.provenance.device is None
    with pytest.raises(FpdriftError, match="no GPU to record: torch: nothing planted; cupy"):
        measure_gpu()


def test_recording_and_reading_back(monkeypatch, tmp_path):
    plant(monkeypatch)
    done = []
    path = tmp_path / "gpu-planted.json"
    recording = record_gpu(path, fast=True, progress=lambda *now: done.append(now))
    assert (recording.origin, recording.sums.origin) == ("live", "live")
    assert done[0] == (0, 8)
    assert done[-1] == (8, 8)
    read = read_recorded(path.read_text())
    assert (read.origin, read.sums.origin) == ("recorded", "recorded")
    assert read.label == "recorded: Planted, planted 1"
    assert read.provenance.device == "Planted"
    assert [len(read.sums.of("sum")), read.sums.of("sum")[0].tries] == [2, 10]
    trees = {(tree.precision, tree.revealed.n): tree.revealed for tree in read.trees}
    assert set(trees) == {("bfloat16", 4), ("bfloat16", 16), ("float32", 4), ("float32", 16)}
    assert read.skipped == {
        "tree, float16": "planted 1 does not support float16 here",
        "tree, TF32": "none planted",
    }
    assert {tree.origin for tree in read.trees} == {"recorded"}
    assert all(tree.verdict in ("confirmed", "not reproduced") for tree in trees.values())
    confirmed = [tree for tree in trees.values() if tree.confirmed]
    assert confirmed
    assert all(tree.products in ("rounded", "fused", "exact") for tree in confirmed)
    assert trees["bfloat16", 16].name == "planted 1, matmul, bfloat16"
    assert json.loads(path.read_text())["result"]["origin"] == "live"


def test_a_matrix_product_is_recorded_with_factors_other_than_one(monkeypatch):
    planted = plant(monkeypatch, dtypes=("float32",))
    monkeypatch.setattr(recording, "_FAST", ((1000,), 2, (3,)))
    (tree,) = measure_gpu(fast=True).trees
    assert (tree.revealed.confirmed, tree.revealed.n) == (True, 3)

    def coarse(one, other):  # a number times one is right, and times most others it is not
        return one @ (other.view(np.int32) & ~0xFFF).view(np.float32)

    monkeypatch.setattr(planted, "device", with_matmul(planted.device, coarse))
    (tree,) = measure_gpu(fast=True).trees
    assert tree.revealed.verdict == "not reproduced"
    assert "random factors" in tree.revealed.evidence.why


def with_matmul(device, call):
    operations = [
        replace(one, call=call) if one.name == "matmul" else one for one in device.operations
    ]
    return replace(device, operations=tuple(operations))


def test_a_place_that_cannot_be_written_is_said_before_the_work(monkeypatch, tmp_path):
    planted = plant(monkeypatch)
    with pytest.raises(FpdriftError, match=r"cannot write gone\.json"):
        record_gpu(tmp_path / "nowhere" / "gone.json", fast=True)
    assert planted.calls == 0
    plant(monkeypatch, on_gpu=False)
    with pytest.raises(FpdriftError, match="no GPU to record"):
        record_gpu(tmp_path / "none.json", fast=True)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FpdriftError, match="fast is 'yes'"):
        record_gpu(tmp_path / "none.json", fast="yes")
    with pytest.raises(FpdriftError, match="unknown device 3"):
        measure_gpu(device=3)


def test_a_missing_library_says_what_to_type(monkeypatch):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda _name: None)
    for library in devices.GPU_LIBRARIES:
        with pytest.raises(FpdriftError, match=f"{library} is not installed; run: pip install"):
            devices.open_device(library)
    for wrong in ("mxnet", 3):
        with pytest.raises(FpdriftError, match="unknown library"):
            devices.open_device(wrong)
    with pytest.raises(FpdriftError, match="unknown device"):
        devices.open_device("torch", "cuda")


def test_a_broken_library_is_a_reason(monkeypatch):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda _name: True)

    def broken(name):
        raise OSError("libcudart.so.12: cannot open")

    monkeypatch.setattr(devices, "import_module", broken)
    with pytest.raises(FpdriftError, match=r"torch does not start here .'libcudart.so.12"):
        devices.open_device("torch")


def test_the_kernel_of_cupy_has_the_shape_that_is_simulated():
    kernel = GpuKernel()
    assert kernel.threads_per_block == THREADS_PER_BLOCK
    assert kernel.elements_per_thread == ELEMENTS_PER_THREAD


def check_cpu(library):
    """Each operation gives its own sums, and keeps within its bound, in each dtype."""
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        asked = {"sizes": 500, "tries": 3, "dtype": dtype, "library": library, "device": "cpu"}
        result = gpu_sums("live", **asked)
        assert result.label.startswith(f"live: CPU, not a GPU, {library} ")
        assert result.operations == ("sum", "atomic sum", "index_add", "scatter_add", "matmul")
        assert not [reason for reason in result.skipped.values() if "Error" in reason]
        values = Inputs.checked(500, dtype, "uniform", 1).draw(500)
        problem = error_bounds.Problem.of(values)
        off = float(error_bounds.recursive_bound(problem))
        for name in ("sum", "atomic sum"):
            for run in result.of(name):
                assert run.values.dtype.name == dtype
                errors = np.abs(run.values.astype(np.float64) - float(problem.total))
                assert (errors <= off).all()


def check_outputs(library):
    """Scatter-adds and products give what NumPy gives in exact arithmetic: small whole numbers."""
    device = devices.open_device(library, "cpu")
    calls = {operation.name: operation.call for operation in device.operations}
    rng = np.random.default_rng(1)
    numbers = rng.integers(-8, 8, 300).astype(np.float32)
    places = rng.integers(5, size=300).astype(np.int32)
    expected = np.zeros(5, np.float32)
    np.add.at(expected, places, numbers)
    put = device.put
    for name in ("index_add", "scatter_add"):
        assert (device.get(calls[name](put(numbers), put(places), 5)) == expected).all()
    one, other = numbers.reshape(20, 15), numbers.reshape(15, 20)
    assert (device.get(calls["matmul"](put(one), put(other))) == one @ other).all()
    assert device.get(calls["sum"](put(numbers))) == numbers.sum()


def test_tensorflow_on_its_cpu():
    require("tensorflow")
    check_cpu("tensorflow")
    check_outputs("tensorflow")


def test_tensorflow_takes_its_switch_back():
    require("tensorflow")
    from tensorflow.python.framework import config

    device = devices.open_device("tensorflow", "cpu")
    assert not config.is_op_determinism_enabled()
    with device.deterministic_mode():
        assert config.is_op_determinism_enabled()
        already = devices.open_device("tensorflow", "cpu")
        assert already.always
        assert already.deterministic_mode is None
    assert not config.is_op_determinism_enabled()


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_other_libraries_on_their_cpu(library):
    require(library)
    check_cpu(library)
    check_outputs(library)


def test_torch_takes_its_switches_back():
    torch = require("torch")
    device = devices.open_device("torch", "cpu")
    before = torch.get_float32_matmul_precision()
    with device.deterministic_mode():
        assert torch.are_deterministic_algorithms_enabled()
        assert devices.open_device("torch", "cpu").always
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_float32_matmul_precision() == before


def test_cupy_has_no_cpu():
    pytest.importorskip("cupy", reason="cupy is not installed, and no extra brings it")
    with pytest.raises(FpdriftError, match="cupy has no CPU device"):
        devices.open_device("cupy", "cpu")


def test_this_gpu(tmp_path):
    try:
        recording = record_gpu(tmp_path / "gpu.json", fast=True)
    except FpdriftError as error:
        pytest.skip(str(error))
    assert recording.on_gpu
    for run in recording.sums.runs:
        assert run.distinct == 1 or not run.deterministic
