"""fpdrift from its wheel alone, outside the checkout: lessons and recorded data came with it."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from helpers import missing, require
from outside import CELLS, ROOT, SMALL, Outside, build_wheel, sealed

from fpdrift.lessons import runtime
from fpdrift.recorded import recorded_names


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.mktemp("outside")


@pytest.fixture(scope="module")
def wheel(base):
    require("build")
    require("hatchling")
    return build_wheel(base / "dist")


@pytest.fixture(scope="module")
def light(base, wheel):
    """An environment without TensorFlow."""
    require("nbformat")
    outside = Outside(base / "light", wheel, without=("tensorflow", "keras"))
    outside.fpdrift("lessons", "copy", "mine", cwd=base)
    return outside


@pytest.mark.check
def test_the_wheel_holds_all_that_the_package_has(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    places = {"fpdrift": "fpdrift", "lessons": "fpdrift/lessons/notebooks"}
    for place, inside in places.items():
        for path in (ROOT / place).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{inside}/{path.relative_to(ROOT / place).as_posix()}" in held
    assert not any(name.startswith(("tests/", "figures/")) for name in held)


@pytest.mark.check
@pytest.mark.slow
def test_it_is_the_wheel_that_runs_and_its_recordings_load(base, light):
    code = "import fpdrift; print(fpdrift.__file__)\nfor name in {}: fpdrift.load_recorded(name)"
    done = light.run("-c", code.format(recorded_names()), cwd=base)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(base / "light")
    assert "TensorFlow is not installed: lesson 08 cannot run" in light.fpdrift(
        "lessons", "check", cwd=base
    )


@pytest.mark.check
@pytest.mark.slow
def test_the_light_lessons_run_without_tensorflow(base, light):
    books = sorted((base / "mine" / "solutions").glob("0[0-7]_*.ipynb"))
    assert len(books) == 8
    done = light.run(CELLS, *books, cwd=base, **SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Right.") >= 7 * len(books)


@pytest.mark.check
@pytest.mark.slow
def test_a_lesson_runs_where_nothing_can_be_written(base, light):
    if shutil.which("unshare") is None:
        missing("unshare is not installed")
    given = {"under": sealed(base), "cwd": base, **SMALL}
    if light.run("-c", "", **given).returncode:
        pytest.skip("this system lets nobody make a folder read-only")
    assert "Read-only file system" in light.run("-c", "open('x', 'w')", **given).stderr
    done = light.run(CELLS, base / "mine" / "solutions" / "01_order.ipynb", **given)
    assert done.returncode == 0, done.stderr


@pytest.mark.check
@pytest.mark.slow
def test_the_first_cell_installs_what_is_missing(base, wheel):
    """As on Colab, but from the wheel beside the notebook; the libraries are there already."""
    bare, place = Outside(base / "bare"), base / "colab"
    place.mkdir()
    book = json.loads((ROOT / "lessons" / "08_cnn.ipynb").read_text(encoding="utf-8"))
    first = next(cell for cell in book["cells"] if cell["cell_type"] == "code")
    none = bare.run("-m", "IPython", "-c", "".join(first["source"]), cwd=place)
    assert "put its wheel" in none.stdout + none.stderr  # and no index was asked
    shutil.copy(wheel, place)
    for imported in (1, 0):
        assert bare.run("-c", "import fpdrift", cwd=place).returncode == imported
        cell = "".join(first["source"]) + "\nimport fpdrift; print(fpdrift.__file__)"
        done = bare.run("-m", "IPython", "-c", cell, cwd=place, PIP_NO_INDEX="1")
        assert done.returncode == 0, done.stdout + done.stderr
        assert Path(done.stdout.split()[-1]).is_relative_to(base / "bare")
    assert "restart" not in done.stdout, "what is there is not installed again"


def test_records_go_elsewhere_where_nothing_can_be_written(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert runtime._can_write(Path("made") / "lessons")
    assert list((tmp_path / "made" / "lessons").iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    assert not runtime._can_write(Path("file") / "lessons")


def test_what_is_there_is_copied_and_not_trained_again(monkeypatch, tmp_path):
    asked = []

    def ensemble(runs, *, steps, directory, executor):
        asked.append(directory)
        return type("Done", (), {"records": lambda _, folder: [folder] * len(runs)})()

    monkeypatch.setattr("fpdrift.ensembles._ensemble.ensemble", ensemble)
    monkeypatch.setattr(runtime, "FOLDER", tmp_path)
    (tmp_path / "a.fpdrift").write_bytes(b"record")
    assert set(runtime.train_three().values()) == {tmp_path}
    monkeypatch.setattr(runtime, "_can_write", lambda _: False)
    (folder,) = set(runtime.train_three().values())
    assert folder != tmp_path
    assert (folder / "a.fpdrift").read_bytes() == b"record"
    assert asked == [tmp_path, folder]
    shutil.rmtree(folder)
