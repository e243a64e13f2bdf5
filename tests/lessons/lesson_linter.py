"""What every lesson has to have: faults are named, so that a test can plant them one by one."""

import ast
import inspect
import re

from fpdrift.lessons.grading import LETTERS, Quiz

#: Headings, in this order; others may stand between.
PARTS = (
    "Predict first",
    "Look",
    "Exercises",
    "Quiz",
    "What this lesson does not show",
    "What you have learnt",
)
MOST_LINES = 10
MINUTES = range(20, 46)
EXERCISES = range(3, 6)

#: A figure that code could give: any number that stands for itself, not in a name as float32.
TYPED = re.compile(r"(?<![\w.])\d[\d ,.]*")

#: Numbers that count no measurement: of lessons, exercises and minutes, the standard's own, the
#: nudge's size, and small ones that stand for themselves.
NAMED = re.compile(
    r"\*\*\d\.?\*\*|\blessons?\s\d+(,?\s(and\s)?\d+)*|\bexercises? \d|\b\d+ minutes|\bIEEE 754"
    r"|(?<![\w.,])(1e-8|[012]\.0|[01])(?!\w|[,.]\d| (ulp|bit|result|step|time|order|run)| ?%)",
    re.IGNORECASE,
)
#: In a text of plain words: calls and indices, innermost first; labels in quotes; arithmetic.
CODE = re.compile(
    r"[\w.]+(\([^()\[\]]*\)|\[[^()\[\]]*\])|(?<!\w)'[^']+'(?!\w)|\d+/\d+|\d[\d.]*\*\*-?\d*"
)


def prose(text):
    """Leave out code, links and formulas, and the numbers that count no measurement."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return NAMED.sub("", re.sub(r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)", "", text))


def said(module):
    """Give what is typed in the hints and praise of a module of checks, without code."""
    for call in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("right", "hint"):
            for text in ast.walk(call):
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield plain(text.value)


def plain(text):
    """Leave out calls, one in another, and arithmetic."""
    while (less := CODE.sub("x", text)) != text:
        text = less
    return text


def faults(student, solution, module):
    """Name everything that a lesson lacks; its two notebooks and its module of checks."""
    texts = [c.source for c in student.cells if c.cell_type == "markdown"]
    code = [c.source for c in student.cells if c.cell_type == "code"]
    solved = [c.source for c in solution.cells if c.cell_type == "code"]
    return [
        *_head(texts[0]),
        *_headings("\n".join(texts)),
        *_prediction(code),
        *_cells(student, code, solved),
        *_exercises(code, module),
        *_quiz(texts, code, module),
        *_learnt(texts[-1]),
        *_figures(texts, module),
    ]


def _head(first):
    if not re.match(r"# \w", first):
        yield "no title"
    if "\n> *" not in first or "?" not in first.split("**Time:**")[0]:
        yield "no question that a person asks"
    minutes = re.search(r"\*\*Time:\*\* (\d+) minutes", first)
    if not minutes or int(minutes[1]) not in MINUTES:
        yield f"no time from {MINUTES[0]} to {MINUTES[-1]} minutes"
    if "**You need:**" not in first:
        yield "not said what one needs"


def _headings(text):
    found = re.findall(r"^## (.+)$", text, re.MULTILINE)
    if [name for name in found if name in PARTS] != list(PARTS):
        yield f"headings are {found}"


def _prediction(code):
    if "%pip install" not in code[0]:
        yield "the first cell does not install what is missing"
    if not re.fullmatch(r"prediction = \.\.\.", code[1]):
        yield "the next code is no prediction"
    if sum("check_prediction(prediction" in cell for cell in code) != 1:
        yield "the prediction is not compared once"


def _cells(student, code, solved):
    if any(len(cell.splitlines()) > MOST_LINES for cell in code):
        yield f"a cell of more than {MOST_LINES} lines"
    for cell in student.cells:
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count is not None):
            yield "outputs in a student's file"
    pictures = sum(len(re.findall(r"^plot\(", cell, re.MULTILINE)) for cell in code)
    if pictures != 1:
        yield f"{pictures} main pictures"
    if any("= ..." in cell or "return ..." in cell or "# answer" in cell for cell in solved):
        yield "a solution that is none"


def _exercises(code, module):
    there = {name for name in vars(module) if re.fullmatch(r"check_\d", name)}
    if len(there) not in EXERCISES:
        yield f"{len(there)} exercises"
    for name in sorted(there):
        places = [i for i, cell in enumerate(code) if re.search(rf"\.{name}\(", cell)]
        # a function to complete has a cell of its own, before that of its check
        if len(places) != 1 or "..." not in "".join(code[places[0] - 1 : places[0] + 1]):
            yield f"{name} is not asked once"


def _quiz(texts, code, module):
    if not isinstance(module.check_quiz, Quiz) or len(module.check_quiz.questions) != Quiz.COUNT:
        yield f"no quiz of {Quiz.COUNT}"
        return
    asked = "\n".join(texts).partition("## Quiz")[2].partition("## What this lesson")[0]
    for letter in LETTERS:
        if len(re.findall(rf"^- \*\*{letter}\*\* \S", asked, re.MULTILINE)) != Quiz.COUNT:
            yield f"not every question has an answer {letter}"
    for number in range(1, Quiz.COUNT + 1):
        if sum(f"check_quiz({number}, quiz_{number})" in cell for cell in code) != 1:
            yield f"question {number} is not checked once"
    reasons = [q.reason(letter) for q in module.check_quiz.questions for letter in LETTERS]
    if len(set(reasons)) != len(reasons) or min(map(len, reasons)) < 25:
        yield "an answer without a reason of its own"


def _learnt(last):
    if len(re.findall(r"^- ", last.partition("## What you have learnt")[2], re.MULTILINE)) != 3:
        yield "not learnt in three lines"


def _figures(texts, module):
    reasons = [
        question.reason(letter)
        for question in getattr(module.check_quiz, "questions", ())
        for letter in LETTERS
    ]
    for text in (*texts, *reasons, *said(module)):
        if found := TYPED.search(prose(text)):
            yield f"a typed figure: {found[0]!r} in {text.strip().splitlines()[0]!r}"
