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
    """Describe what three short runs on this machine show."""
    if not can_train():
        return "Skipped: TensorFlow is not installed. (pip install 'fpdrift[cnn]')"
    from fpdrift.comparison import compare

    runs = train_three()
    one, again, two = runs.values()
    return tell(compare(one, again), compare(one, two))


@exercise
def check_1(answer: Any) -> Feedback:
    """Check the variable's name."""
    given = text(answer).strip()
    if given == NAME:
        return right("Python reads it when it starts, and only then.")
    if given == MISSPELT:
        return hint("That is the spelling in the forum question. A letter is missing.")
    if given.upper() == NAME:
        return hint("Write the name in capitals.")
    return hint("It seeds Python's hash. Combine PYTHON, HASH and SEED.")


@exercise
def check_2(answer: Any) -> Feedback:
    """Check the name of the one call that seeds a Keras program."""
    given = text(answer).strip().removesuffix("()").removeprefix("tf.")
    if given in (_CALL, "set_random_seed", "utils.set_random_seed"):
        return right("It seeds Python, NumPy and the backend.")
    if given in ("np.random.seed", "numpy.random.seed", "random.seed", "random.set_seed"):
        return hint("That seeds only one generator. There is a call in keras.utils.")
    return hint("Look in keras.utils; the fixed code in this lesson uses it.")


@exercise
def check_3(answer: Any) -> Feedback:
    """Check how much more a seed changes than a thread count."""
    recorded: Recorded = load_recorded("question")
    churn = {run.label: run.churn for run in recorded.distances}
    given, wanted = number(answer), churn["another seed"] / churn["2 threads"]
    if math.isclose(given, wanted, rel_tol=5e-3):
        return right(
            f"In these few runs, a new seed changes {wanted:.1f} times as many as another thread."
        )
    if given > 0 and math.isclose(1 / given, wanted, rel_tol=5e-3):
        return hint("It is the other way round: the churn of the seed over that of the threads.")
    return hint("Divide the churn of 'another seed' by that of '2 threads'.")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check how many runs halve the uncertainty of a mean."""
    given = whole(answer)
    if given == _RUNS * 2**2:
        return right("Halving the uncertainty takes four times as many runs.")
    if given == _RUNS * 2:
        return hint("Doubling the runs divides the uncertainty by the square root of two.")
    return hint("The square root of the number of runs has to double.")


check_quiz = Quiz(
    Question(
        right="c",
        a="TensorFlow does not read it. Python has read it long before that.",
        b="When the first line runs, Python has already started. That is too late.",
        c="It is read once, when the interpreter starts.",
        d="Nothing reads it a second time.",
    ),
    Question(
        right="a",
        a="These determine the order of additions; a seed does not.",
        b="Lesson 08 has two runs with all seeds set and different bits.",
        c="It comes from a generator, which is seeded.",
        d="Its masks come from a generator, which is seeded too.",
    ),
    Question(
        right="d",
        a="The size of the network does not decide whether a difference means anything.",
        b="The value helps to repeat the run, but not to judge the rise.",
        c="With one seed you have one sample of each method.",
        d="A difference means something only if it is compared with the spread of equal runs.",
    ),
    Question(
        right="b",
        a="Another device may have other trees; op determinism makes no promise about that.",
        b="Operations use code paths with a fixed order, which may be slower.",
        c="It fixes the bits; it does not improve the model.",
        d="It even rejects some operations that draw random numbers without a seed.",
    ),
)
