"""``fpdrift reveal``: the tree on the screen, and an engineer's own function, good or bad."""

import os
import subprocess
import sys

import numpy as np
import pytest

from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.cli.text_figures import MOST_INPUTS, tree_text
from fpdrift.reduction import Revealed, plans, reveal
from fpdrift.serialization import Result

MY_SUM = """
import sys
import numpy as np
print("noise of my own")
number = 3
def loop(x):
    total = x.dtype.type(0)
    for value in x:
        total = total + value
    return total
def raises(x):
    raise ValueError("two\\nlines")
def vector(x):
    return x
def ends(x):
    sys.exit(3)
def dot(a, b):
    return np.dot(a, b)
"""


@pytest.fixture
def my_sum(tmp_path, monkeypatch):
    """Stand in an empty folder with a module of one's own."""
    (tmp_path / "my_sum.py").write_text(MY_SUM)
    (tmp_path / "broken.py").write_text("def f(:")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in ("my_sum", "broken"):
        sys.modules.pop(name, None)


def children(rows):
    """Read a drawn tree back: what each addition adds, as a set of sets of inputs."""
    found, open_ends = set(), {}
    for row in rows:
        label = row.replace(".", " ").replace("+", " ").replace("|", " ").replace("-", " ")
        here = frozenset([int(label)])
        for column, mark in enumerate(row):
            if mark == ".":
                open_ends[column] = [here]
            elif mark == "+":
                open_ends[column].append(here)
                below = [r[column] if len(r) > column else " " for r in rows[rows.index(row) + 1 :]]
                if not below or below[0] not in "|+":
                    terms = open_ends.pop(column)
                    found.add(frozenset(terms))
                    here = frozenset().union(*terms)
    return found


def additions(plan):
    """Give the same from the plan itself."""
    sets = [frozenset([i]) for i in range(plan.n)]
    found = set()
    for begin, end in zip(plan.starts[:-1], plan.starts[1:], strict=True):
        terms = [sets[k] for k in plan.children[begin:end]]
        sets.append(frozenset().union(*terms))
        found.add(frozenset(terms))
    return found


@pytest.mark.parametrize("n", [1, 2, 3, 8, 16, 31, 32])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_drawn_tree_can_be_read_back(n, seed):
    for plan in (plans.random(n, np.random.default_rng(seed)), plans.fused(n, 2 + seed)):
        rows = tree_text(plan)
        assert len(rows) == n
        assert max(map(len, rows)) <= 72
        assert children(rows) == additions(plan)


def test_the_drawn_tree_of_a_loop():
    assert tree_text(plans.sequential(4)) == ["0 -.", "1 -+-.", "2 ---+-.", "3 -----+"]


@pytest.mark.parametrize("n", [1, 2, MOST_INPUTS, MOST_INPUTS + 1, 1000])
def test_the_screen_fits_and_json_is_the_result(capsys, tmp_path, n):
    path = tmp_path / "sum.json"
    assert main(["reveal", "numpy:sum", "--n", str(n), "--json", str(path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert max(map(len, printed)) <= 80
    saved = Result.from_json(path.read_text())
    assert isinstance(saved, Revealed)
    assert saved.plan == reveal(np.sum, n).plan
    assert screen(saved) == printed
    assert [p.name for p in tmp_path.iterdir()] == ["sum.json"]


def test_json_alone_on_standard_output(capsys, my_sum):
    assert main(["reveal", "my_sum:loop", "--n", "5", "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert Result.from_json(captured.out).plan == plans.sequential(5)
    assert "noise of my own" in captured.err


def test_it_says_that_it_runs_your_code(capsys, my_sum):
    assert main(["reveal", "my_sum:loop", "--n", "5"]) == 0
    captured = capsys.readouterr()
    assert captured.err.splitlines()[0] == (
        "fpdrift: my_sum:loop is not a known name: running its code"
    )
    assert "The order in which my_sum:loop adds 5 float32 numbers is confirmed." in captured.out
    assert "one after the other, from first to last" in captured.out
    assert main(["reveal", "my_sum:dot", "--kind", "dot", "--n", "5"]) == 0
    assert main(["reveal", "numpy:sum"]) == 0
    assert "running its code" not in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("my_sum:raises", ["my_sum:raises", "ValueError", "two"]),
        ("my_sum:vector", ["my_sum:vector", "shape"]),
        ("my_sum:nosuch", ["my_sum:nosuch does not exist"]),
        ("my_sum:number", ["my_sum:number", "3", "function"]),
        ("my_sum:ends", ["my_sum:ends", "ended the program", "3"]),
        ("my_sum:dot", ["my_sum:dot", "argument"]),
        ("broken:f", ["broken", "SyntaxError"]),
        ("nosuchmodule:f", ["nosuchmodule"]),
    ],
)
def test_a_bad_function_is_one_line(capsys, my_sum, name, words):
    assert main(["reveal", name, "--n", "6"]) == 2
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("fpdrift: ")]
    assert len(lines) == 2, captured.err
    assert all(word in lines[1] for word in words), lines
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_the_command_finds_a_module_where_it_is_called(my_sum):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from fpdrift.cli.main import main; main()",
            "reveal",
            "my_sum:loop",
        ],
        capture_output=True,
        text=True,
        cwd=my_sum,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )
    assert "confirmed" in done.stdout, done.stderr


def test_two_functions_against_each_other(capsys, my_sum, tmp_path):
    argv = ["reveal", "numpy:sum", "--against", "my_sum:loop", "--n", "8"]
    assert main([*argv, "--plot", str(tmp_path / "two.png")]) == 0
    printed = capsys.readouterr().out
    assert "numpy:sum and my_sum:loop add 8 float32 numbers in different orders." in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert (tmp_path / "two.png").stat().st_size > 10_000


def test_products_and_means_are_compared(capsys):
    assert main(["reveal", "numpy:dot", "--against", "numpy:matmul", "--n", "6"]) == 0
    assert "numpy:dot and numpy:matmul" in capsys.readouterr().out
    assert main(["reveal", "numpy:sum", "--against", "numpy:mean"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "numpy:sum and numpy:mean add 16 float32 numbers in the same order, different" in printed
    assert "returns its sum divided by n" in printed
    assert main(["reveal", "numpy:mean", "--against", "numpy:mean"]) == 0
    assert "numpy:mean and numpy:mean add 16 float32 numbers in the same order." in (
        " ".join(capsys.readouterr().out.split())
    )


def test_a_mean_of_your_own_is_recognised_and_a_product_says_how_it_rounds(capsys, my_sum):
    (my_sum / "my_sum.py").write_text(
        MY_SUM + "def mean(x):\n    return loop(x) / x.dtype.type(len(x))\n"
    )
    assert main(["reveal", "my_sum:mean", "--n", "5"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "is confirmed. The plan reproduces" in printed
    assert "It is a mean." in printed
    assert "Its sum is divided by n." in printed
    assert main(["reveal", "my_sum:dot", "--kind", "dot", "--n", "2"]) == 0
    assert "roduct" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["numpy:mean", "numpy:dot", "numpy:matmul", "math:fsum"])
def test_every_kind_of_box_is_asked(capsys, name):
    assert main(["reveal", name, "--n", "7", "--json", "-"]) == 0
    found = Result.from_json(capsys.readouterr().out)
    assert (found.name, found.n) == (name, 7)
    assert found.verdict == ("order-independent" if name == "math:fsum" else "confirmed")


def test_list_names_each_box_once_with_the_reason_for_those_not_here(capsys):
    from fpdrift.backends.summing_functions import known

    assert main(["reveal", "--list"]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    for item in known():
        assert item.name in printed
        if item.missing:
            assert " ".join(item.missing.split()) in " ".join(printed.split())


def test_a_plan_has_the_same_screen():
    lines = screen(plans.pairwise(4))
    assert [line.strip() for line in lines[3:6]] == ["0 -.", "1 -+-.", "2 -. |"]
    told = screen(reveal(lambda x: (x[0] + x[1]) + (x[2] + x[3]), 4))
    assert "\n".join(lines) in "\n".join(told)
