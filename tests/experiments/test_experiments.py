import json
import subprocess
import sys

import pytest
from helpers import require
from made_records import made

from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.errors import FpdriftError
from fpdrift.experiments import EXPERIMENTS, Settings, experiment
from fpdrift.records import open_record
from fpdrift.serialization import Result

LIGHT = [item.name for item in EXPERIMENTS if item.name != "cnn"]


def test_light_experiments_load_nothing_heavy():
    script = (
        "import sys; from fpdrift.experiments import experiment, Settings\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'sklearn', 'scipy', 'rich', 'pandas'}\n"
        f"for name in {LIGHT}:\n"
        "    experiment(name).run(Settings())\n"
        "    print(name, *sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == LIGHT


@pytest.mark.parametrize("name", LIGHT)
def test_printed_figures_are_those_of_the_json(name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--only", name]) == 0
    printed = capsys.readouterr().out.splitlines()
    folder = tmp_path / "fpdrift-out"
    saved = Result.from_json((folder / f"{name}.json").read_text())
    lines = screen(saved)
    start = printed.index(lines[0])
    assert printed[start : start + len(lines)] == lines
    assert all(len(line) <= 80 for line in printed), max(printed, key=len)
    assert sorted(p.name for p in folder.iterdir()) == [
        f"{name}.{k}" for k in ("json", "png", "svg")
    ]


def test_the_step_on_threads_takes_the_seed_and_reveals_numpy():
    found = experiment("threads").run(Settings(seed=5))
    assert found.sums.seed == 5
    assert (found.tree.name, found.tree.n, found.tree.verdict) == ("numpy:sum", 8, "confirmed")
    line = screen(found)[-1]
    assert str(found.tree.plan) in line
    assert line.endswith(": confirmed.")


def test_without_tensorflow_the_fifth_step_says_what_to_install(tmp_path):
    script = (
        "import sys\n"
        "for name in ('tensorflow', 'keras'): sys.modules[name] = None\n"
        "from importlib import util; find = util.find_spec\n"
        "util.find_spec = lambda n, *a: None if n in ('tensorflow', 'keras') else find(n, *a)\n"
        "from fpdrift.cli.main import main\n"
        f"sys.exit(main(['demo', '--no-plots', '--out', {str(tmp_path)!r}, *sys.argv[1:]]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "5 cnn" in done.stdout
    assert "fpdrift[cnn]" in done.stdout
    assert sorted(p.stem for p in tmp_path.glob("*.json")) == sorted(LIGHT)
    done = subprocess.run(
        [sys.executable, "-c", script, "--only", "cnn"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "fpdrift[cnn]" in done.stderr
    assert len(done.stderr.splitlines()) == 1


REAL = pytest.param("real", marks=[pytest.mark.slow, pytest.mark.check])


@pytest.fixture(params=["made", REAL])
def trainings(request, monkeypatch):
    """What stands in for training writes other bits for other threads or a nudge, like it."""

    def train(condition, *, overwrite, **named):
        assert overwrite
        return made(condition, **named, labels="one-hot", bits=bits)

    def bits(condition):
        return 2 * condition.intra_op_threads + (condition.perturbation is not None)

    if request.param == "made":
        monkeypatch.setattr("fpdrift.training.train", train)
    else:
        require("tensorflow")
    return request.param


def test_the_cnn_step_end_to_end(trainings, capsys, tmp_path):
    argv = ["demo", "--only", "cnn", "--steps", "3", "--data", "digits", "--out", str(tmp_path)]
    assert main(argv) == 0
    printed = capsys.readouterr().out
    saved = Result.from_json((tmp_path / "cnn.json").read_text())
    assert all(line in printed for line in screen(saved))
    again, _, nudged = saved.pairs.comparisons
    assert again.first_difference is None
    assert nudged.first_difference.step == 0
    assert saved.verdict != "nondeterministic"
    assert trainings == "real" or saved.verdict == "thread-dependent"
    assert ("with more threads it gave" in " ".join(printed.split())) == (
        saved.verdict == "thread-dependent"
    )
    assert sorted(saved.records) == sorted(p.name for p in tmp_path.glob("*.fpdrift"))
    assert json.loads((tmp_path / "cnn.json").read_text())["result"]["steps"] == 3
    if trainings == "real":
        # the fourth step shows, without TensorFlow, the very nudge that the fifth one trains with
        account = experiment("nudge").run(Settings())
        told = open_record(tmp_path / "nudged.fpdrift").meta["nudge"]
        assert told == json.loads(account.to_json())["result"]


def test_verdict_follows_from_the_pairs():
    from fpdrift.experiments._demo import judge

    class Pair:
        def __init__(self, first):
            self.first_difference = first

    assert judge(Pair("step 1"), Pair("step 1")) == "nondeterministic"
    assert judge(Pair("step 1"), Pair(None)) == "nondeterministic"
    assert judge(Pair(None), Pair("step 1")) == "thread-dependent"
    assert judge(Pair(None), Pair(None)) == "no drift seen"


def test_settings_refuse_what_makes_no_sense():
    for wrong in ({"seed": -1}, {"seed": 2**32}, {"steps": 0}, {"steps": 10**9}):
        with pytest.raises(FpdriftError, match=str(next(iter(wrong.values())))):
            Settings(**wrong)


def test_unknown_experiment_names_the_choices():
    with pytest.raises(FpdriftError, match=r"dance.*order, chain, threads, nudge, cnn"):
        experiment("dance")
