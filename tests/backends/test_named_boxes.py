"""Black boxes are found by name, or the error says what to type."""

import importlib.util
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
from helpers import require

from fpdrift.backends import summing_functions
from fpdrift.backends.devices import open_device
from fpdrift.backends.summing_functions import box, known
from fpdrift.errors import FpdriftError, MissingExtraError

DTYPES = {
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float32": np.float32,
    "float64": np.float64,
}
HERE = [entry for entry in known() if entry.missing is None]
LIGHT = [entry for entry in HERE if entry.name.startswith(("numpy", "math"))]


def computed(found, dtype):
    """What the box makes of 1, 2, 3, 4, times 1, 2, 1, 1 where it takes two."""
    x, y = np.array([1, 2, 3, 4], dtype), np.array([1, 2, 1, 1], dtype)
    inputs = {"dot": (x, y), "matmul": (x[None], y[:, None])}.get(found.kind, (x,))
    for array in inputs:
        array.flags.writeable = False
    return np.asarray(found.call(*inputs))


@pytest.mark.parametrize("entry", HERE, ids=lambda entry: entry.name)
def test_what_is_here_computes_what_its_kind_says_in_each_of_its_dtypes(entry):
    require(entry.name.partition(":")[0])
    found = box(entry.name)
    assert (found.name, found.kind, found.dtypes) == entry[:3]
    for name in found.dtypes:
        result = computed(found, DTYPES[name])
        assert result.dtype == DTYPES[name]
        assert result.shape == ((1, 1) if found.kind == "matmul" else ())
        assert result.item() == {"sum": 10, "mean": 2.5, "dot": 12, "matmul": 12}[found.kind]


@pytest.mark.parametrize("adds", ["box", "device"])
def test_jax_keeps_float64_in_our_calls_and_nowhere_else(adds):
    jax = require("jax")
    numbers, before = np.array([1, 2.0**-40]), jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", False)
    try:
        if adds == "box":
            total = box("jax:sum").call(numbers)
        else:
            device = open_device("jax", "cpu")
            (sums,) = [one for one in device.operations if one.name == "sum"]
            total = device.get(sums.call(device.put(numbers)))
        assert (total.dtype, total) == (np.float64, 1 + 2.0**-40)
        assert jax.numpy.zeros(2).dtype == np.float32
        assert not jax.config.jax_enable_x64
    finally:
        jax.config.update("jax_enable_x64", before)


def test_what_is_not_here_is_named_with_what_to_type():
    for entry in known():
        library = entry.name.partition(":")[0]
        assert (entry.missing is None) == (importlib.util.find_spec(library) is not None)
        if entry.missing is not None:
            assert "pip install" in entry.missing
            with pytest.raises(FpdriftError, match="is not installed; run: pip install"):
                box(entry.name)


def test_a_library_of_an_extra_of_ours_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingExtraError, match=r"fpdrift\[cnn\]"):
        box("tensorflow:reduce_sum")
    reasons = {entry.name: entry.missing for entry in known()}
    assert "fpdrift[cnn]" in reasons["tensorflow:matmul"]


def test_a_library_that_does_not_start_is_an_error_of_ours(monkeypatch):
    def broken(x):
        message = "no device"
        raise OSError(message)

    monkeypatch.setitem(summing_functions.ADAPTED, "math:fsum", broken)
    with pytest.raises(FpdriftError, match="math:fsum does not run here: OSError: 'no device'"):
        box("math:fsum")


def test_the_names_are_told_without_loading_any_library():
    code = (
        "import sys; from fpdrift.backends.summing_functions import known; known(); "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not {"tensorflow", "torch", "jax", "cupy"} & set(done.stdout.split())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A current folder of the user's own, forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_function_of_the_users_own_is_found_in_the_current_folder(folder):
    (folder / "their_sums.py").write_text(
        "from their_part import halves\nclass Inner:\n    add = staticmethod(sum)\n"
    )
    (folder / "their_part.py").write_text("def halves(x): return x[::2].sum() + x[1::2].sum()\n")
    found = box("their_sums:halves")
    assert (found.kind, found.call(np.arange(4.0))) == ("sum", 6)
    assert box("their_sums:halves", kind="mean").kind == "mean"
    assert box("their_sums:Inner.add").call([1, 2]) == 3
    assert box("numpy:nansum").call([1, np.nan]) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("numpy", "'numpy' is not a function; use numpy:sum, for example"),
        ("", "'' is not a function"),
        (":", "':' is not a function"),
        (7, "7 is not a function"),
        ("numpy:nothing", "numpy:nothing does not exist; 'numpy' has no 'nothing'"),
        ("numpy:add.nothing", "has no 'add.nothing'"),
        ("numpy:pi", r"numpy:pi is 3\.14.*; use the name of a function"),
        ("no_such_module_of_theirs:f", "no module 'no_such_module_of_theirs'"),
        ("no_such_module_of_theirs.part:f", "no module"),
        ("needy:f", "importing needy needs 'no_such_module_of_theirs'"),
        ("broken:f", "importing 'broken' raised ZeroDivisionError: 'division by zero'"),
        ("leaving:f", "importing 'leaving' raised SystemExit: 'enough'"),
        ("typo:f", "importing 'typo' raised SyntaxError"),
        ("..up:f", r"importing '\.\.up' raised"),
    ],
)
def test_what_cannot_be_had_is_one_line_that_says_why(folder, name, message):
    (folder / "needy.py").write_text("import no_such_module_of_theirs\n")
    (folder / "broken.py").write_text("1 / 0\n")
    (folder / "leaving.py").write_text("import sys; sys.exit('enough')\n")
    (folder / "typo.py").write_text("def f(:\n")
    with pytest.raises(FpdriftError, match=message) as raised:
        box(name)
    assert "\n" not in str(raised.value)


def test_an_unknown_kind_is_refused():
    with pytest.raises(FpdriftError, match="unknown kind 'product'; choose one of sum, mean"):
        box("numpy:sum", kind="product")
