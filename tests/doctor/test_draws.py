"""The ledger of random draws, and the first draw in which two runs differ."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import differing_draws as scripts
import numpy as np
import pytest

from fpdrift.doctor import _draw_keras
from fpdrift.doctor._first_draw import first_difference

DRIVER = Path(__file__).with_name("draws_driver.py")
DIFFERENT = scripts.QUICK | scripts.NUMPY
WITH_LIBRARIES = scripts.LIBRARIES | scripts.TENSORFLOW
SAME_WITH_LIBRARIES = scripts.SAME_LIBRARIES | scripts.SAME_TENSORFLOW


def drive(how, paths, *, run=1, watched="watched"):
    """Run scripts in a fresh process; give what each entered and drew."""
    env = {"RUN": str(run), "PYTHONHASHSEED": str(run), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(DRIVER), how, watched, *map(str, paths)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | env, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def script_of(library):
    return Path(__file__).with_name(f"draws_of_{library}.py")


def two_runs(how, folder, given, *more):
    paths = [*scripts.write(folder, given), *more]
    return [drive(how, paths, run=run) for run in (1, 2)]


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """Two runs of each script without large libraries."""
    folder = tmp_path_factory.mktemp("apart")
    same = {f"same_{name}": script for name, script in scripts.SAME.items()}
    return two_runs("apart", folder, DIFFERENT | same)


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Two runs of all scripts with large libraries; what nothing seeds comes first."""
    folder = tmp_path_factory.mktemp("together")
    same = {f"same_{name}": script for name, script in SAME_WITH_LIBRARIES.items()}
    return two_runs("together", folder, WITH_LIBRARIES | same, script_of("tensorflow"))


def check_difference(name, expected, runs):
    script, kind, generator, call = expected
    assert [run[name]["failures"] for run in runs] == [0, 0]
    found = first_difference(*(run[name]["entries"] for run in runs))
    lines = scripts.text_of(script).splitlines()
    line = 1 + next(i for i, text in enumerate(lines) if text.endswith("# here"))
    assert (found.kind, found.generator, found.call) == (kind, generator, call), found
    assert (found.file, found.line) == (f"{name}.py", line)
    assert f"{name}.py:{line}" in found.sentence


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_first_differing_draw_is_named(apart, name):
    check_difference(name, DIFFERENT[name], apart)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_LIBRARIES)
def test_the_first_differing_draw_of_a_library_is_named(together, name):
    check_difference(name, WITH_LIBRARIES[name], together)


@pytest.mark.parametrize("name", scripts.SAME)
def test_a_seeded_script_has_no_difference(apart, name):
    entries = [run[f"same_{name}"]["entries"] for run in apart]
    assert first_difference(*entries) is None
    assert entries[0] or name == "temporary_file"


@pytest.mark.slow
@pytest.mark.parametrize("name", SAME_WITH_LIBRARIES)
def test_a_seeded_script_with_libraries_has_no_difference(together, name):
    entries = [run[f"same_{name}"]["entries"] for run in together]
    assert first_difference(*entries) is None
    assert entries[0] or name == "keras_stateless"


@pytest.fixture(scope="module")
def drawn_apart():
    """What the scripts of Python and NumPy draw, with a ledger and without."""
    paths = [script_of("python"), script_of("numpy")]
    return [drive("apart", paths, watched=how) for how in ("watched", "plain")]


@pytest.mark.parametrize("library", ["python", "numpy"])
def test_a_ledger_changes_no_bit_of_what_is_drawn(drawn_apart, library):
    watched, plain = (run[f"draws_of_{library}"] for run in drawn_apart)
    assert watched["drawn"] == plain["drawn"]
    assert len(watched["drawn"]) > 60
    assert watched["failures"] == 0
    assert plain["entries"] == []


def calls_of(entries):
    return {entry["call"] for entry in entries if entry["event"] == "draw"}


def test_every_function_of_python_is_entered(drawn_apart):
    calls = calls_of(drawn_apart[0]["draws_of_python"]["entries"])
    functions = {name for name in random.__all__ if name not in ("Random", "SystemRandom")}
    functions -= {"seed", "getstate", "setstate"}
    assert {call for call in calls if call.startswith("random.")} == {
        f"random.{name}" for name in functions
    }
    assert {call for call in calls if not call.startswith("random.")} == {
        f"Random.{name}" for name in functions
    }


def test_every_method_of_numpy_is_entered(drawn_apart):
    """Of the global functions, `ranf` and `sample` call `random_sample`."""
    calls = calls_of(drawn_apart[0]["draws_of_numpy"]["entries"])
    for kind in (np.random.RandomState, np.random.Generator):
        names = {name for name in dir(kind) if name[0] != "_"}
        names -= {"seed", "get_state", "set_state", "bit_generator", "spawn"}
        assert {f"{kind.__name__}.{name}" for name in names} <= calls
    methods = {call for call in calls if call.startswith("RandomState.")}
    functions = {call for call in calls if call.startswith("np.random.")}
    of_methods = {call.replace("RandomState", "np.random") for call in methods}
    assert functions == of_methods - {"np.random.tomaxint"}  # which is no function


@pytest.mark.slow
def test_a_ledger_changes_no_bit_of_tensorflow(together):
    watched = together[0]["draws_of_tensorflow"]
    plain = drive("together", [script_of("tensorflow")], watched="plain")["draws_of_tensorflow"]
    assert watched["drawn"] == plain["drawn"]
    assert len(watched["drawn"]) > 50
    assert watched["failures"] == 0
    calls = calls_of(watched["entries"])
    names = set(_draw_keras._TENSORFLOW.values())
    assert {f"tf.random.{name}" for name in names} <= calls
    assert {f"tf.random.Generator.{name}" for name in _draw_keras._TF_METHODS} <= calls
    assert {f"keras.random.{name}" for name in _draw_keras._KERAS} <= calls
    assert "SeedGenerator.next" in calls
