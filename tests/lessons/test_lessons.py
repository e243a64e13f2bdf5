"""Every lesson: built, structured, honest about figures, run, its checks tried."""

import importlib
import importlib.util
import inspect
import re
import shutil
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from answers import ANSWERS, EQUAL, NEVER, constant
from helpers import require
from lesson_linter import TYPED, faults, prose
from nbformat import v4
from run_cells import run_cells
from shared_runs import THREE

from fpdrift.experiments import EXPERIMENTS, LIGHT, STUDIES
from fpdrift.lessons import cnn, lessons, order, runtime
from fpdrift.lessons.grading import (
    LETTERS,
    UNANSWERED,
    Compared,
    Feedback,
    call,
    compared,
    exercise,
    number,
    right,
)

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "lessons" / "src").glob("[0-9][0-9]_*.py"))
#: Lessons that take seconds.
CHEAP = ("00", "01", "02", "03", "06", "07")
#: Lessons that look at three small trainings.
TRAINED = ("08", "09", "10")
STEMS = [path.stem for path in SOURCES]


@pytest.fixture(scope="module")
def builder():
    require("jupytext")
    spec = importlib.util.spec_from_file_location("build", ROOT / "lessons" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One folder for all notebooks: what one of them has trained, the next need not."""
    return tmp_path_factory.mktemp("lessons")


def notebook(stem, kind="student"):
    folder = ROOT / "lessons" / ("solutions" if kind == "solution" else "")
    return nbformat.read(folder / f"{stem}.ipynb", as_version=4)


def checks(stem):
    return importlib.import_module(f"fpdrift.lessons.{stem[3:]}")


def lint(stem):
    return list(faults(notebook(stem), notebook(stem, "solution"), checks(stem)))


def test_built_files_are_not_stale(builder):
    assert builder.stale() == []


def test_a_changed_source_is_stale(builder, monkeypatch, tmp_path):
    for folder in ("src", "solutions"):
        (tmp_path / folder).mkdir()
    (tmp_path / "src" / "01_order.py").write_text(SOURCES[STEMS.index("01_order")].read_text())
    monkeypatch.setattr(builder, "HERE", tmp_path)
    assert builder.stale() == ["01_order.ipynb", "01_order.ipynb"]


def test_two_builds_give_the_same_bytes(builder):
    assert dict(builder.built()) == dict(builder.built())


@pytest.mark.parametrize("stem", STEMS)
def test_a_lesson_installs_what_it_says_that_one_needs(stem):
    top, setup = (cell.source for cell in notebook(stem).cells[:2])
    assert ('wheels[-1]}[cnn]"' in setup) == ("only fpdrift" not in top)


@pytest.mark.parametrize("stem", STEMS)
def test_structure(stem):
    assert lint(stem) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("# Order", "Order", "no title"),
        ("> *", "", "no question"),
        ("20 minutes", "90 minutes", "no time"),
        ("**You need:**", "", "needs"),
        ("## Look", "## See", "headings"),
        ("%pip install", "%pip list", "does not install"),
        ("prediction = ...", "prediction = False", "no prediction"),
        ("order.check_prediction(prediction)", "1", "not compared"),
        ("print(order.tell(result))", "print(1)\n" * 11, "more than 10 lines"),
        ("plot(result)", "", "0 main pictures"),
        ("order.check_2(answer_2)", "", "check_2 is not asked"),
        ("- **b** Yes: the one whose", "- Yes: the one whose", "an answer b"),
        ("order.check_quiz(3, quiz_3)", "", "question 3"),
        ("- Neither result is", "Neither result is", "three lines"),
        ("One step is one **ulp**", "They are 1 ulp apart", "typed figure"),
    ],
)
def test_the_linter_sees_what_is_missing(old, new, fault):
    student, solution = notebook("01_order"), notebook("01_order", "solution")
    assert any(old in cell.source for cell in student.cells)
    for cell in student.cells:
        cell.source = cell.source.replace(old, new)
    found = list(faults(student, solution, order))
    assert len(found) == 1, found
    assert fault in found[0]


def test_the_linter_sees_outputs_and_unsolved_solutions():
    student = notebook("01_order")
    assert "a solution that is none" in list(faults(student, student, order))
    code = next(cell for cell in student.cells if cell.cell_type == "code")
    code.execution_count = 1
    solution = notebook("01_order", "solution")
    assert list(faults(student, solution, order)) == ["outputs in a student's file"]


def test_the_linter_of_prose_sees_typed_figures():
    for text in (
        *("it is 2.4444", "about 1e-9", "they are 1 ulp apart", "2,375,658 weights", "5 %"),
        *("loss is 12.55", "469 images", "at step 7", "each adds 4 numbers", "18 760 updates"),
    ):
        assert TYPED.search(prose(text)), text
    for text in ("type `2.4444`", "$2 \\cdot 11$", "two of them", "C01", "lessons 06, 08 and 09"):
        assert not TYPED.search(prose(text)), text


def test_the_linter_sees_a_figure_in_a_hint(monkeypatch):
    source = inspect.getsource(order).replace('hint("', 'hint("at step 7: ', 1)
    assert 'hint("at step 7' in source
    monkeypatch.setattr("lesson_linter.inspect.getsource", lambda _: source)
    (found,) = lint("01_order")
    assert found.startswith("a typed figure: '7")


def feedback(results):
    """Tell predictions from the rest."""
    found = [result for result in results if isinstance(result, Feedback)]
    guesses = [result for result in found if isinstance(result, Compared)]
    return guesses, [result for result in found if not isinstance(result, Compared)]


def titled(text):
    """Tell the axes that `plot` gave: beside the picture, their title is there to be read aloud."""
    return re.match(r"<Axes: title=\{'left': .{20}", text)


@pytest.fixture(scope="module")
def execute(place):
    """Execute notebooks in one kernel, which forgets its names before each."""
    nbclient = require("nbclient")
    require("ipykernel")
    resources = {"metadata": {"path": place}}
    client = nbclient.NotebookClient(v4.new_notebook(), timeout=600, resources=resources)

    def execute(book):
        client.nb = deepcopy(book)
        client.nb.cells.insert(0, v4.new_code_cell("%reset -f"))
        client.execute(cleanup_kc=False)
        return client.nb

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FPDRIFT_FAST", "1")
        with client.setup_kernel():
            yield execute


@pytest.mark.slow
def test_a_notebook_shows_each_of_its_pictures(execute):
    """Ours and the student's own: the backend sets up its display once, at the first."""
    ours = "from fpdrift.plotting import plot\nimport fpdrift\nplot(fpdrift.orders('1/3+1'))"
    own = "import matplotlib.pyplot as plt\nplt.plot([1, 2])"
    book = v4.new_notebook(cells=[v4.new_code_cell(source) for source in (ours, ours, own)])
    shown = ["image/png" in str(cell.outputs) for cell in execute(book).cells]
    assert shown == [False, True, True, True]


@pytest.mark.slow
@pytest.mark.parametrize("stem", STEMS)
def test_notebook_runs(stem, execute, place, train_once, monkeypatch):
    """The solution in a real kernel: no error, all right, one picture; then the student's file."""
    monkeypatch.setenv("FPDRIFT_FAST", "1")
    if stem[:2] in TRAINED and runtime.can_train():
        train_once(**THREE)
        shutil.copytree(train_once.folder, place / runtime.FOLDER, dirs_exist_ok=True)
    trained = set(place.rglob("*.fpdrift"))
    book = execute(notebook(stem, "solution"))
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    texts = [output.get("data", {}).get("text/plain", "") for output in outputs]
    wrong = [text for text in texts if text.startswith("Not yet.")]
    assert not wrong, wrong
    assert len([text for text in texts if text.startswith("Right.")]) >= 7
    assert any(text.startswith("You said ") for text in texts)
    assert len([o for o in outputs if "image/png" in o.get("data", {})]) == 1
    assert len([text for text in texts if titled(text)]) == (stem != "09_growth")  # it sets an axis
    assert not [o for o in outputs if o.get("name") == "stderr"], outputs
    assert set(place.rglob("*.fpdrift")) == trained, "a lesson trains other runs than shared ones"
    monkeypatch.chdir(place)
    guesses, answers = feedback(run_cells(notebook(stem)))
    assert [str(guess) for guess in guesses] == [
        "You made no prediction. Guess first: a wrong guess costs nothing."
    ]
    assert len(answers) >= 7
    assert not any(answer.right for answer in answers)
    assert set(place.rglob("*.fpdrift")) == trained, "a student's file trains no other runs"


@pytest.mark.slow
@pytest.mark.parametrize("stem", [stem for stem in STEMS if stem[:2] in CHEAP])
def test_every_cell_can_be_run_again(stem, monkeypatch):
    """Twice in turn, and every answer is right both times."""
    require("ipykernel")
    monkeypatch.setenv("FPDRIFT_FAST", "1")
    book = notebook(stem, "solution")
    guesses, answers = feedback(run_cells(book, times=2))
    assert len(guesses) == 2
    assert str(guesses[0]) == str(guesses[1])
    assert len(answers) >= 14
    assert [answer for answer in answers if not answer.right] == []


def told(check):
    """Give the function behind a check that stands with a measurement."""
    return getattr(check, "func", check)


@pytest.mark.parametrize(
    "check", ANSWERS, ids=lambda c: f"{told(c).__module__[16:]}.{told(c).__name__}"
)
def test_checks_accept_the_right_and_hint_at_the_wrong(check):
    good, wrong = ANSWERS[check]
    assert good
    assert len(wrong) >= 3
    for answer in good:
        assert check(answer).right, answer
    assert check(...) == UNANSWERED
    for answer in (*wrong, *NEVER):
        said = check(answer)
        assert not said.right, answer
        assert len(said.text) > 20


def test_every_exercise_has_right_and_wrong_answers():
    there = {
        check
        for stem in STEMS
        for name, check in vars(checks(stem)).items()
        if name.removeprefix("check_").isdigit()
    }
    assert there == set(map(told, ANSWERS))


@pytest.mark.parametrize("stem", STEMS)
def test_quiz_tells_the_one_right_answer_from_the_others(stem):
    quiz = checks(stem).check_quiz
    for place, question in enumerate(quiz.questions, 1):
        said = {letter: quiz(place, letter) for letter in LETTERS}
        assert [letter for letter in LETTERS if said[letter].right] == [question.right]
        assert quiz(place, f" {question.right.upper()} ").right
        for never in (*NEVER, "e", "ab", 1, ""):
            assert not quiz(place, never).right
    letters = {question.right for question in quiz.questions}
    assert len(letters) >= 3, "a student would guess the letter"


@pytest.mark.parametrize(
    ("said", "seen", "begins", "holds"),
    [
        (True, True, "You said True. It is. You saw", True),
        (False, True, "You said False. It is. That is", False),
        (1, True, "Your prediction should be True or False", False),
        (True, 1, "Your prediction should be a whole number", False),
        ("b", "a", "You said b.", False),
        (..., 1, "You made no prediction", False),
    ],
)
def test_a_prediction_is_compared(said, seen, begins, holds):
    told = compared(said, seen, "It is.")
    assert repr(told).startswith(begins)
    assert told.right is holds


def test_where_nothing_differs_the_answer_is_none():
    assert cnn.check_1(None, EQUAL).right
    assert not cnn.check_1(0, EQUAL).right


def test_a_students_function_may_raise_anything():
    @exercise
    def check(answer):
        return right("yes") if number(call(answer, 2.0)) == 4 else Feedback(False, "no")

    assert check(lambda x: x * x).right
    for function in (lambda x: ... * x, lambda x: ... - x, constant(...)):
        assert "still a ..." in check(function).text
    assert "ZeroDivisionError" in check(lambda x: x / 0).text
    assert "Give a number" in check(constant("s")).text
    assert "Give a function" in check(4).text


def test_every_lesson_is_told_by_an_experiment_and_the_other_way_round():
    told = {item.lesson for item in (*EXPERIMENTS, *LIGHT, *STUDIES)}
    assert told == {lesson.number for lesson in lessons()}
