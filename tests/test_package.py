"""`import fpdrift` is light, and every public name resolves."""

import importlib.util
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fpdrift

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
#: Every name of ours in a page that is more than a public name or a file's.
DOTTED = sorted(
    {
        name
        for page in PAGES
        for name in re.findall(r"\bfpdrift(?:\.[A-Za-z_]\w*)+", page.read_text(encoding="utf-8"))
        if name.partition(".")[2] not in {*fpdrift.__all__, "pptx", "pdf"}
    }
)
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


def test_every_module_is_there_after_import_fpdrift_alone():
    found = {m.name for m in pkgutil.iter_modules(fpdrift.__path__) if not m.name.startswith("_")}
    assert found == set(fpdrift._MODULES) <= set(dir(fpdrift))


def test_names_are_found_in_the_pages():
    assert {"fpdrift.training.keep_step", "fpdrift.results.Result.from_json"} <= set(DOTTED)


@pytest.mark.parametrize("name", [*DOTTED, "fpdrift.reduction.makers.pairwise"])
def test_what_a_page_names_works_after_import_fpdrift_alone(name):
    assert in_a_fresh_process(f"import fpdrift; {name}; print('fine')") == ["fine"]


@pytest.mark.slow
def test_the_recorder_resolves_or_says_what_to_install():
    code = "import fpdrift\ntry: print(fpdrift.DriftRecorder.__name__)\n"
    code += "except fpdrift.MissingExtraError as error: print(error.module)"
    expected = "DriftRecorder" if importlib.util.find_spec("keras") else "keras"
    assert in_a_fresh_process(code) == [expected]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fpdrift.nothing  # noqa: B018 - reading it is the test
