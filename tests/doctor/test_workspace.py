"""The copy of a folder in which a script runs, and the cells of a notebook."""

import json

import pytest

from fpdrift.doctor import _workspace
from fpdrift.doctor._notebook import code_cells, run_notebook
from fpdrift.doctor._workspace import copy_folder, files_in


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "project"
    (source / "data" / "deep").mkdir(parents=True)
    (source / ".git").mkdir()
    (source / "__pycache__").mkdir()
    (source / "train.py").write_text("print(1)")
    (source / "data" / "deep" / "x.csv").write_text("1,2")
    (source / ".git" / "config").write_text("private")
    (source / "__pycache__" / "train.pyc").write_text("old")
    return source


def test_a_copy_has_the_script_s_files_and_no_caches(folder, tmp_path):
    copy_folder(folder, tmp_path / "copy")
    assert files_in(tmp_path / "copy") == {
        tmp_path / "copy" / "train.py",
        tmp_path / "copy" / "data" / "deep" / "x.csv",
    }


def test_what_a_run_writes_stays_in_its_copy(folder, tmp_path):
    copy_folder(folder, tmp_path / "copy")
    (tmp_path / "copy" / "data" / "deep" / "x.csv").write_text("changed")
    (tmp_path / "copy" / "data" / "new").write_text("new")
    assert (folder / "data" / "deep" / "x.csv").read_text() == "1,2"
    assert not (folder / "data" / "new").exists()


def test_large_files_are_linked(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(_workspace, "_ONE", 5)
    copy_folder(folder, tmp_path / "copy")
    assert (tmp_path / "copy" / "train.py").is_symlink()
    assert not (tmp_path / "copy" / "data" / "deep" / "x.csv").is_symlink()


@pytest.mark.parametrize(("limit", "value"), [("_FILES", 1), ("_ALL", 5)])
def test_a_folder_too_large_to_copy_is_linked_entry_by_entry(
    folder, tmp_path, monkeypatch, limit, value
):
    monkeypatch.setattr(_workspace, limit, value)
    copy_folder(folder, tmp_path / "copy")
    assert {p.name for p in (tmp_path / "copy").iterdir()} == {"train.py", "data"}
    assert all(p.is_symlink() for p in (tmp_path / "copy").iterdir())
    assert (tmp_path / "copy" / "data" / "deep" / "x.csv").read_text() == "1,2"


def test_a_dangling_link_does_not_matter(folder, tmp_path):
    (folder / "gone").symlink_to(folder / "nowhere")
    copy_folder(folder, tmp_path / "copy")
    assert not (tmp_path / "copy" / "gone").exists()


def notebook(path, *cells):
    content = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    content.insert(1, {"cell_type": "markdown", "source": ["# not code"]})
    path.write_text(json.dumps({"cells": content}))
    return str(path)


def test_magics_of_a_notebook_are_skipped_and_lines_keep_their_numbers(tmp_path):
    path = notebook(
        tmp_path / "n.ipynb",
        "%matplotlib inline\nx = 1\nif x:\n    !pip install keras\n",
        "%%bash\nrm -rf data",
        "files = !ls\ny = x + 1",
    )
    first, shell, last = code_cells(path)
    assert first == "pass\nx = 1\nif x:\n    pass\n"
    assert shell == ""
    assert last.splitlines()[1] == "y = x + 1"


def test_a_notebook_runs_as_the_main_program(tmp_path):
    out = tmp_path / "out"
    path = notebook(
        tmp_path / "n.ipynb",
        "import sys\nfrom pathlib import Path\nx = 2",
        f"Path({str(out)!r}).write_text(f'{{__name__}} {{x + 1}}')",
    )
    import sys

    main = sys.modules["__main__"]
    try:
        run_notebook(path)
    finally:
        sys.modules["__main__"] = main
    assert out.read_text() == "__main__ 3"


def test_an_error_in_a_notebook_names_its_cell_and_line(tmp_path):
    import sys
    import traceback

    path = notebook(tmp_path / "n.ipynb", "x = 1", "y = 2\nx / 0")
    main = sys.modules["__main__"]
    try:
        with pytest.raises(ZeroDivisionError) as raised:
            run_notebook(path)
    finally:
        sys.modules["__main__"] = main
    last = traceback.extract_tb(raised.tb)[-1]
    assert (last.filename, last.lineno, last.line) == (f"{path}:cell 2", 2, "x / 0")
