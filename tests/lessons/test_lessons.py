"""Every lesson: built, structured, honest about figures, and checked by functions that bite."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest
from helpers import require

from fpdrift.cli.main import main
from fpdrift.errors import FpdriftError
from fpdrift.experiments import EXPERIMENTS
from fpdrift.lessons import copy_lesson, copy_lessons, find_lesson, lessons, order

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "lessons" / "src").glob("[0-9][0-9]_*.py"))

#: A figure that code could give: a decimal fraction, a power of ten, a count of ulps.
TYPED = re.compile(r"\d+\.\d{3,}|\d[eE][-+]?\d|\b\d+ ulps?\b|\d{1,3}(,\d{3})+")


@pytest.fixture(scope="module")
def builder():
    require("jupytext")
    spec = importlib.util.spec_from_file_location("build", ROOT / "lessons" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def notebook(path):
    return nbformat.read(path, as_version=4)


def test_built_files_are_not_stale(builder):
    assert builder.stale() == []


def test_two_builds_give_the_same_bytes(builder):
    assert dict(builder.built()) == dict(builder.built())


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_structure(source):
    student = notebook(ROOT / "lessons" / f"{source.stem}.ipynb")
    solution = notebook(ROOT / "lessons" / "solutions" / f"{source.stem}.ipynb")
    text = "\n".join(cell.source for cell in student.cells if cell.cell_type == "markdown")
    for part in ("> *", "Predict first", "Exercises", "does not show", "have learnt", "**Time:**"):
        assert part in text, part
    code = [cell for cell in student.cells if cell.cell_type == "code"]
    assert all(len(cell.source.splitlines()) <= 10 for cell in code)
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    answers = [cell for cell in code if re.search(r"= \.\.\.$", cell.source, re.MULTILINE)]
    assert len(answers) >= 4
    solved = "\n".join(cell.source for cell in solution.cells if cell.cell_type == "code")
    assert "= ..." not in solved
    assert "# answer" not in solved


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_prose_holds_no_typed_figure(source):
    student = notebook(ROOT / "lessons" / f"{source.stem}.ipynb")
    for cell in student.cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"`[^`]*`", "", cell.source)  # what is to be typed in is no result
            assert not TYPED.search(prose), TYPED.search(prose)


def test_the_linter_of_prose_sees_typed_figures():
    for text in ("it is 2.4444", "about 1e-8", "they are 1 ulp apart", "2,375,658 weights"):
        assert TYPED.search(text), text


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["student", "solution"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_notebook_runs(source, kind, tmp_path):
    nbclient = require("nbclient")
    require("ipykernel")
    folder = ROOT / "lessons" / ("solutions" if kind == "solution" else "")
    book = notebook(folder / f"{source.stem}.ipynb")
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()
    texts = [
        output.get("data", {}).get("text/plain", "")
        for cell in book.cells
        for output in cell.get("outputs", [])
    ]
    verdicts = [text for text in texts if text.startswith(("Right.", "Not yet."))]
    assert len(verdicts) >= 5
    expected = "Right." if kind == "solution" else "Not yet."
    assert all(text.startswith(expected) for text in verdicts), verdicts
    pictures = [
        o for c in book.cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})
    ]
    assert len(pictures) == 1


@pytest.mark.parametrize(
    ("check", "good", "wrong"),
    [
        (order.check_prediction, [False], [True, "False", 0, ...]),
        (order.check_1, [1], [0, 2, 4.44e-16, True, "1", ...]),
        (order.check_2, ["2*11/9", " 2 * 11 / 9"], ["2/9*11", "22/9", 1, ...]),
        (
            order.check_3,
            [(1, 3, 10), [1, 3, 10]],
            [
                (2, 11, 9),
                (11, 2, 9),
                (2, 4, 8),
                (1, 3),
                7,
                (1.0, 3, 10),
                (0, 3, 10),
                (1, 3, 21),
                ...,
            ],
        ),
        (
            order.check_4,
            ["0.1+0.2+0.3"],
            ["0.5+0.25+0.125", "0.1*3", "0.1+", "1/3+1", 0.6, "import os", ...],
        ),
    ],
)
def test_checks_accept_the_right_and_hint_at_the_wrong(check, good, wrong):
    for answer in good:
        assert check(answer).right, answer
    for answer in wrong:
        feedback = check(answer)
        assert not feedback.right, answer
        assert len(feedback.text) > 20


def test_every_lesson_is_told_by_an_experiment():
    told = {item.lesson for item in EXPERIMENTS if item.lesson}
    assert told == {lesson.number for lesson in lessons()}


def test_copy_keeps_what_a_student_wrote(tmp_path):
    files = copy_lessons(tmp_path / "mine")
    assert len(files) == 2 * len(lessons())
    files[0].write_text("my answers")
    with pytest.raises(FpdriftError, match="exists already"):
        copy_lessons(tmp_path / "mine")
    assert copy_lesson(lessons()[0], tmp_path / "mine") == files[0]
    assert files[0].read_text() == "my answers"


def test_lessons_are_found_by_number(capsys):
    assert find_lesson("1") == find_lesson("01")
    assert main(["lessons", "list"]) == 0
    assert capsys.readouterr().out.startswith("01  Order")


def test_copy_from_the_command_line(capsys, tmp_path):
    assert main(["lessons", "copy", str(tmp_path / "x")]) == 0
    assert main(["lessons", "copy", str(tmp_path / "x")]) == 2
    assert "exists already" in capsys.readouterr().err
    (tmp_path / "file").write_text("kept")
    assert main(["lessons", "copy", str(tmp_path / "file")]) == 2
    assert "is a file; name a folder" in capsys.readouterr().err
