"""Lesson 10: what its cells say and how its exercises are checked."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from typing import Any

from fpdrift.experiments import Question as Recorded
from fpdrift.experiments._hash_seed import MISSPELT, NAME, WAYS
from fpdrift.lessons.cnn import tell
from fpdrift.lessons.grading import (
    Feedback,
    Question,
    Quiz,
    compared,
    exercise,
    hint,
    number,
    right,
    text,
    whole,
)
from fpdrift.lessons.runtime import can_train, size, train_three
from fpdrift.recorded import load_recorded

#: Fresh processes for each way of setting the variable.
PROCESSES = size(5, 3)
_LATE = f"{NAME}=0 after the start"
_CALL = "keras.utils.set_random_seed"
_RUNS = 4


def hashes() -> dict[str, int]:
    """Count the different hashes of a text in fresh processes, for each way of setting it."""
    return {way: _distinct(before, late) for way, (before, late) in WAYS.items()}


def _distinct(before: dict[str, str | None], late: dict[str, str]) -> int:
    return len({_hash(before, late) for _ in range(PROCESSES)})


def _hash(before: dict[str, str | None], late: dict[str, str]) -> str:
    """Hash a text in a fresh process, with variables set before its start and after."""
    code = f"import os; os.environ.update({late!r}); print(hash('fpdrift'))"
    plain = {name: value for name, value in os.environ.items() if name not in (NAME, MISSPELT)}
    env = plain | {name: value for name, value in before.items() if value is not None}
    return subprocess.run(  # noqa: S603 - this interpreter, on one line of ours
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    ).stdout


def check_prediction(answer: Any, table: dict[str, int]) -> Feedback:
    """Compare the prediction with the fresh processes' hashes."""
    distinct = table[_LATE]
    seen = f"Set after the start, different hashes in {PROCESSES} processes: {distinct}."
    return compared(answer, distinct == 1, seen)


def live() -> str:
    """Describe what three short runs on this machine tell."""
    if not can_train():
        return "Not tried here: there is no TensorFlow. (pip install 'fpdrift[cnn]')"
    from fpdrift.comparison import compare

    runs = train_three()
    one, again, two = runs.values()
    return tell(compare(one, again), compare(one, two))


@exercise
def check_1(answer: Any) -> Feedback:
    """Check the variable's name."""
    given = text(answer).strip()
    if given == NAME:
        return right("Python reads it at its start, and only then.")
    if given == MISSPELT:
        return hint("That is the question's own spelling. A letter is missing.")
    if given.upper() == NAME:
        return hint("Names of variables are told apart by capitals.")
    return hint("It seeds Python's hash: PYTHON, HASH, SEED.")


@exercise
def check_2(answer: Any) -> Feedback:
    """Check the name of the one call that seeds a Keras program."""
    given = text(answer).strip().removesuffix("()").removeprefix("tf.")
    if given in (_CALL, "set_random_seed", "utils.set_random_seed"):
        return right("It seeds Python, NumPy and the backend.")
    if given in ("np.random.seed", "numpy.random.seed", "random.seed", "random.set_seed"):
        return hint("That seeds one generator alone. There is a call in keras.utils.")
    return hint("Look into keras.utils; the lesson's mended code has it.")


@exercise
def check_3(answer: Any) -> Feedback:
    """Check how much more a seed changes than a thread count."""
    recorded: Recorded = load_recorded("question")
    churn = {run.label: run.churn for run in recorded.distances}
    given, wanted = number(answer), churn["another seed"] / churn["2 threads"]
    if math.isclose(given, wanted, rel_tol=5e-3):
        return right(f"A seed changes {wanted:.1f} times as many as a thread, in these few runs.")
    if given > 0 and math.isclose(1 / given, wanted, rel_tol=5e-3):
        return hint("The other way round: the seed's churn over the threads'.")
    return hint("Divide the churn of 'another seed' by that of '2 threads'.")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check how many runs halve the uncertainty of a mean."""
    given = whole(answer)
    if given == _RUNS * 2**2:
        return right("Twice as sure costs four times the runs.")
    if given == _RUNS * 2:
        return hint("Twice the runs make the uncertainty smaller by the square root of two.")
    return hint("The square root of the number has to double.")


check_quiz = Quiz(
    Question(
        right="c",
        a="TensorFlow does not read it. Python does, and has done so long before.",
        b="The first line comes when Python is running, which is too late.",
        c="It is read once, when the interpreter starts.",
        d="Nothing reads it a second time.",
    ),
    Question(
        right="a",
        a="No seed chooses an order of additions; these things do.",
        b="Lesson 08 has two runs with all seeds set and other bits.",
        c="It comes from a generator, and that is seeded.",
        d="Its masks come from a generator as well.",
    ),
    Question(
        right="d",
        a="Size has nothing to do with whether a difference means anything.",
        b="A number helps to repeat the run, and not to judge the rise.",
        c="Two methods with one seed are one sample of each.",
        d="Only beside the spread of equal runs does a difference mean something.",
    ),
    Question(
        right="b",
        a="Another device may have other trees; that promise is not made.",
        b="Operations take a path whose order is fixed, which may be slower.",
        c="It fixes bits and improves nothing.",
        d="It even refuses some operations that draw without a seed.",
    ),
)
