"""`import fpdrift` is light, and every public name resolves."""

import importlib.util
import subprocess
import sys

import pytest

import fpdrift

HEAVY = (
    *("tensorflow", "keras", "matplotlib", "sklearn", "scipy", "rich", "pandas"),
    *("torch", "jax", "cupy"),
)


def in_a_fresh_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "use",
    [
        "pass",
        "fpdrift.anatomy(0.1).to_json()",
        "fpdrift.orders('2*11/9').orders[0].ledger",
        "fpdrift.ulp_distance(1.0, 2.0)",
    ],
)
def test_import_fpdrift_loads_nothing_heavy(use):
    code = f"import sys, fpdrift; {use}; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in in_a_fresh_process(code)}
    assert "fpdrift" in loaded
    assert not loaded & set(HEAVY)


def test_the_names_are_listed_before_they_are_loaded():
    code = "import sys, fpdrift; print(*dir(fpdrift)); print('numpy' in sys.modules)"
    *names, numpy_loaded = in_a_fresh_process(code)
    assert set(fpdrift.__all__) <= set(names)
    assert numpy_loaded == "False"


@pytest.mark.parametrize("name", [n for n in fpdrift.__all__ if n != "DriftRecorder"])
def test_every_public_name_resolves(name):
    assert getattr(fpdrift, name) is not None


@pytest.mark.slow
def test_the_recorder_resolves_or_says_what_to_install():
    code = "import fpdrift\ntry: print(fpdrift.DriftRecorder.__name__)\n"
    code += "except fpdrift.MissingExtraError as error: print(error.module)"
    expected = "DriftRecorder" if importlib.util.find_spec("keras") else "keras"
    assert in_a_fresh_process(code) == [expected]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fpdrift.nothing  # noqa: B018 - reading it is the test
