"""A function that is called as soon as a module is loaded."""

import importlib
import sys

import pytest

from fpdrift.doctor._draw_hooks import after_import


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A package of this test's own that nobody has imported yet."""
    folder = tmp_path / "fpdrift_fresh"
    folder.mkdir()
    (folder / "__init__.py").write_text("value = 1\n")
    (folder / "part.py").write_text("from fpdrift_fresh import value\n")
    (folder / "broken.py").write_text("raise ValueError('broken')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "fpdrift_fresh"
    for name in [name for name in sys.modules if name.startswith("fpdrift_fresh")]:
        del sys.modules[name]


def test_a_callback_sees_the_module_before_anyone_else(module):
    seen = []

    def replace(loaded):
        seen.append(loaded.__name__)
        loaded.value = 2

    after_import(module, replace)
    assert seen == []
    assert module not in sys.modules
    part = importlib.import_module(f"{module}.part")
    assert seen == [module]
    assert part.value == 2


def test_a_submodule_has_callbacks_of_its_own_in_order(module):
    seen = []
    after_import(f"{module}.part", lambda _: seen.append(1))
    after_import(f"{module}.part", lambda _: seen.append(2))
    importlib.import_module(module)
    assert seen == []
    importlib.import_module(f"{module}.part")
    importlib.reload(sys.modules[f"{module}.part"])
    assert seen == [1, 2]


def test_a_module_that_is_loaded_already_is_called_back_at_once():
    seen = []
    after_import("json", seen.append)
    assert [loaded.__name__ for loaded in seen] == ["json"]


def test_the_import_machinery_finds_a_watched_module_as_before(module):
    after_import(module, lambda _: None)
    spec = importlib.util.find_spec(module)
    loaded = importlib.import_module(module)
    assert loaded.__spec__.loader.get_source(module) == "value = 1\n"
    assert type(spec.loader) is type(loaded.__spec__.loader)
    assert "exec_module" not in vars(loaded.__spec__.loader)


def test_a_module_that_fails_to_load_calls_nobody(module):
    seen = []
    after_import(f"{module}.broken", seen.append)
    with pytest.raises(ValueError, match="broken"):
        importlib.import_module(f"{module}.broken")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"{module}.absent")
    assert seen == []
