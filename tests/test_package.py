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


def in_a_fresh_process(code, given=""):
    """Run code; give the lines that it prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


#: What nobody has to wait for; each is followed by the names of all modules that are loaded.
LIGHT = (
    "set(fpdrift.__all__) <= set(dir(fpdrift))",
    "fpdrift.anatomy(0.1).to_json()",
    "fpdrift.orders('2*11/9').orders[0].ledger",
    "fpdrift.ulp_distance(1.0, 2.0)",
)


@pytest.fixture(scope="module")
def loaded():
    """What is loaded after each of these, one after the other in one process."""
    uses = "\n".join(f"assert {use} is not False; print(*sys.modules, sep=',')" for use in LIGHT)
    told = in_a_fresh_process(f"import sys, fpdrift\n{uses}")
    return {use: set(names.split(",")) for use, names in zip(LIGHT, told, strict=True)}


@pytest.mark.parametrize("use", LIGHT)
def test_import_fpdrift_loads_nothing_heavy(use, loaded):
    found = {name.partition(".")[0] for name in loaded[use]}
    assert "fpdrift" in found
    assert not found & set(HEAVY)


def test_the_names_are_listed_before_they_are_loaded(loaded):
    assert "numpy" not in loaded[LIGHT[0]]


@pytest.mark.parametrize("name", sorted({*fpdrift.__all__} - {"DriftRecorder", "record"}))
def test_every_public_name_resolves(name):
    assert getattr(fpdrift, name) is not None


def test_every_module_is_there_after_import_fpdrift_alone():
    found = {m.name for m in pkgutil.iter_modules(fpdrift.__path__) if not m.name.startswith("_")}
    assert found == set(fpdrift._MODULES) <= set(dir(fpdrift))


def test_names_are_found_in_the_pages():
    assert {"fpdrift.step_debug.keep_step", "fpdrift.serialization.Result.from_json"} <= set(DOTTED)


#: Looks each name up as if nothing else of ours had been loaded; a process for each takes long.
ALONE = """
import sys
for name in sys.stdin.read().split():
    for module in [m for m in sys.modules if m.partition(".")[0] == "fpdrift"]:
        del sys.modules[module]
    try:
        exec(f"import fpdrift; {name}", {})
    except Exception as error:
        print(f"{name}: {error!r}")
"""


def test_what_a_page_names_works_after_import_fpdrift_alone():
    names = [*DOTTED, "fpdrift.reduction.plans.pairwise", "fpdrift.comparison.nothing"]
    (told,) = in_a_fresh_process(ALONE, " ".join(names))
    assert told.startswith("fpdrift.comparison.nothing: AttributeError(")


@pytest.mark.check  # the recorder's own tests find it in a fresh process, too
@pytest.mark.slow
def test_the_recorder_resolves_or_says_what_to_install():
    code = "import fpdrift\ntry: print(fpdrift.DriftRecorder.__name__)\n"
    code += "except fpdrift.MissingExtraError as error: print(error.module)"
    expected = "DriftRecorder" if importlib.util.find_spec("keras") else "keras"
    assert in_a_fresh_process(code) == [expected]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fpdrift.nothing  # noqa: B018 - reading it is the test
