"""docs/why-do-my-runs-differ.md: its commands exist, its rules exist, its figures were recorded."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import require

import fpdrift
from fpdrift.cli.main import parser
from fpdrift.cli.screens import screen
from fpdrift.lint import table

PAGE = Path(__file__).parents[2] / "docs" / "why-do-my-runs-differ.md"
TEXT = PAGE.read_text(encoding="utf-8")
#: Recorded result -> figures of it that the page quotes.
FIGURES = {
    "no-seeds": ("0.54", "3.8e-06"),
    "determinism": ("0.98 to 1.22", "6 pairs"),
    "threads-in-training": ("5.7e-05 to 3.1e-03", "8.2e-05", "5.2e-03"),
    "question": ("3.3 %", "6.3 %"),
    "long": ("4.7 %", "18,760"),
    "batch": ("3 of 6 operations",),
    "sources": ("6.4e-04",),
}


def test_its_commands_are_commands():
    commands = re.findall(r"`fpdrift ([^`]+)`", TEXT)
    assert len(commands) > 10
    names = set(re.findall(r"^    (\w+)", parser().format_help(), re.MULTILINE))
    for command in commands:
        name, *arguments = shlex.split(command)
        assert name in names
        if arguments:
            parser().parse_args([name, *arguments])


def test_its_rules_are_rules_of_the_linter():
    assert set(re.findall(r"FPD\d+", TEXT)) <= set(re.findall(r"FPD\d+", table()))


@pytest.mark.parametrize("name", FIGURES)
def test_its_figures_are_those_of_the_recording(name):
    shown = " ".join(" ".join(screen(fpdrift.load_recorded(name))).split())
    page = " ".join(TEXT.split())
    for figure in FIGURES[name]:
        assert figure in shown
        assert figure in page


#: Prints, for each call of the table, whether two draws after it are equal.
REACH = """
import random, sys
import keras, numpy as np, tensorflow as tf

def shuffled():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    x = np.arange(64, dtype="float32")[:, None] / 64
    model.fit(x, np.sin(9 * x), batch_size=4, verbose=0)
    return model.get_weights()[0].tobytes()

draws = (
    random.random,
    np.random.random,
    lambda: float(tf.random.uniform([])),
    lambda: np.asarray(keras.initializers.GlorotUniform()((4, 4))).tobytes(),
    shuffled,
    lambda: np.random.default_rng().random(),
)
for call in sys.argv[1:]:
    drawn = []
    for draw in draws:
        eval(call)
        first = draw()
        eval(call)
        drawn.append("yes" if first == draw() else "no")
    print(*drawn)
"""


@pytest.mark.slow
def test_the_table_of_seeds_is_what_the_calls_do():
    require("tensorflow")
    rows = re.findall(r"^\| `([\w.]+\(0\))` \| (.*) \|$", TEXT, re.MULTILINE)
    assert len(rows) == 4
    calls = [call for call, _ in rows]
    done = subprocess.run(
        [sys.executable, "-c", REACH, *calls], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [cells.replace(" |", "") for _, cells in rows]
