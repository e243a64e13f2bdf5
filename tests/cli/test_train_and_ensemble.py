"""``fpdrift train`` and ``fpdrift ensemble``: what a file or options ask for is done."""

import json
import re
import textwrap
from pathlib import Path

import pytest
from dask_processes import Cluster
from helpers import require
from made_records import made

from fpdrift.cli.conditions import OPTIONS, OTHER_NAMES
from fpdrift.cli.ensemble import KEYS, read_plan
from fpdrift.cli.main import main
from fpdrift.cli.progress import TimeLeft, duration
from fpdrift.ensembles import _remote
from fpdrift.errors import FpdriftError
from fpdrift.perturbation import Perturbation
from fpdrift.records import open_record
from fpdrift.serialization import Result
from fpdrift.training import Condition
from fpdrift.training._network_names import NAMES, recorded_name
from fpdrift.training._networks import NETWORKS

PLAN = """
steps = 2
directory = "runs"
tries = 1
[[condition]]
intra_op_threads = [1, 2]
seed = {from = 1, to = 2}
[[condition]]
op_determinism = true
repeat = 2
"""


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Make records instead of training, in an empty current folder; collect the conditions."""
    conditions = []

    def train(condition, *args, **named):
        named.pop("overwrite", None)
        conditions.append(condition)
        return made(condition, *args, **named)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_remote, "train", train)
    monkeypatch.setattr("fpdrift.training.train", train)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return conditions


def told(capsys, *argv, code=0):
    """Run a command; give what it printed, and what it said beside that."""
    assert main(list(argv)) == code
    out, err = capsys.readouterr()
    assert "-" in argv or all(len(line) <= 80 for line in out.splitlines())
    return out, err


def plan(text):
    Path("plan.toml").write_text(text)
    return read_plan(Path("plan.toml"))


def test_a_plan_is_what_the_file_says(trained):
    found = plan(PLAN)
    conditions = found.pop("conditions")
    assert found == {"steps": 2, "directory": "runs", "tries": 1}
    threads_and_seeds = [(c.intra_op_threads, c.seed) for c in conditions[:4]]
    assert threads_and_seeds == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert conditions[4:] == [Condition(op_determinism=True)] * 2


def test_a_plan_names_its_own_directory_and_nudges(trained):
    found = plan('[[condition]]\nperturbation = [{kind = "noise", size = 1e-6}, {kind = "noise"}]')
    nudges = [Perturbation(kind="noise", size=1e-6), Perturbation(kind="noise")]
    assert found == {
        "directory": "plan",
        "conditions": [Condition(perturbation=nudge) for nudge in nudges],
    }
    assert len(plan("[[condition]]\nseed = {from = 0, to = 99}")["conditions"]) == 100


ONE = "[[condition]]\nseed = 1\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "plan.toml has no [[condition]]; add one"),
        ("condition = 3", "plan.toml has no [[condition]]"),
        ("condition = [1]", "plan.toml has no [[condition]]"),
        ("[condition]\nseed = 1", "plan.toml has no [[condition]]"),
        ("step = 3\n" + ONE, "plan.toml: unknown key 'step'; choose one of network, data"),
        ("[[condition]]\ncores = 3", "plan.toml, condition 1: unknown key 'cores'; choose one"),
        ("[[condition]]\nsede = 3", "(did you mean 'seed'?)"),
        ("[[condition]]\nxla = true\njit = true", "condition 1: unknown key 'xla'"),
        (ONE + "[[condition]]\nseed = 'x'", "plan.toml, condition 2: seed is 'x'; choose a whole"),
        ("[[condition]]\nseed = []", "condition 1: seed is an empty list"),
        ("[[condition]]\nseed = {from = 1}", "condition 1: seed is {'from': 1}; choose a value"),
        ("[[condition]]\nseed = {from = 3, to = 1}", "condition 1: seed: to is 1; choose a whole"),
        ("[[condition]]\nrepeat = 0", "condition 1: repeat is 0"),
        ("[[condition]]\nonednn = 1", "condition 1: onednn is 1; choose True, False or None"),
        ("[[condition]]\nperturbation = {kind = 'x'}", "condition 1: unknown kind of nudge 'x'"),
        ("[[condition]]\nseed = {from = 0, to = 4000000000}", "condition 1: more than 100,000"),
        ("[[condition]]\nrepeat = 50001\nseed = [1, 2]", "condition 1: more than 100,000 runs"),
        ("steps 3", "plan.toml is not TOML: Expected '='"),
        ("a = " + "[" * 5000, "plan.toml is not TOML"),
        ("steps = 0\n" + ONE, "steps is 0"),
        ("network = 3\n" + ONE, "unknown network 3"),
        ("data = 'cats'\n" + ONE, "unknown data 'cats'"),
        ("tries = true\n" + ONE, "tries is True"),
        ("timeout = 'long'\n" + ONE, "timeout must be a number of seconds above 0"),
        ("directory = 3\n" + ONE, "not a path: 3"),
    ],
)
def test_a_bad_plan_is_one_line_that_names_the_key(trained, capsys, text, words):
    Path("plan.toml").write_text(text)
    out, err = told(capsys, "ensemble", "plan.toml", code=2)
    assert out == ""
    assert words in err
    assert len(err.splitlines()) == 1
    assert sorted(path.name for path in Path().iterdir()) == ["plan.toml"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["none.toml"], "cannot read none.toml: No such file"),
        (["."], "cannot read .: Is a directory"),
        (["plan.toml", "--workers", "0"], "--workers is 0"),
        (["plan.toml", "--workers", "1", "--scheduler", "x"], "not allowed with"),
        (["plan.toml", "--scheduler", "nonsense://x"], "--scheduler nonsense://x: no Dask"),
        (["plan.toml", "--scheduler", ""], "--scheduler : no Dask scheduler"),
        (["plan.toml", "--out", ""], "--out"),
    ],
)
def test_bad_arguments_of_an_ensemble(trained, capsys, argv, words):
    if "--scheduler" in argv:
        require("distributed")
    Path("plan.toml").write_text(PLAN)
    _, err = told(capsys, "ensemble", *argv, code=2)
    assert words in err
    assert len(err.splitlines()) == 1
    assert trained == []


@pytest.mark.parametrize("workers", [[], ["--workers", "3"]])
def test_an_ensemble_is_trained_and_told(trained, capsys, workers):
    Path("plan.toml").write_text(PLAN)
    out, err = told(capsys, "ensemble", "plan.toml", *workers, "--json", "all.json")
    assert out.splitlines()[0].startswith("  6 runs of 2 steps finished, under ")
    assert "op determinism 2" in " ".join(out.split())
    assert err.splitlines()[-1] == "Records in runs/. Next: fpdrift class runs"
    first = "0 of 6 runs done" if workers else "run 1 of 6, threads=1"
    assert err.splitlines()[0] == f"  {first} ..."
    result = Result.from_json(Path("all.json").read_text())
    assert sorted([*result.names, "ensemble.lock"]) == sorted(
        p.name for p in Path("runs").iterdir()
    )
    assert len(trained) == 6
    again, _ = told(capsys, "ensemble", "plan.toml")
    assert len(trained) == 6
    assert again == out
    told(capsys, "ensemble", "plan.toml", "--out", "other")
    assert len(trained) == 12


def test_a_network_has_one_name_in_records(trained, capsys):
    """So what was trained under the old name is not trained again, and compares equal."""
    for name in ("cnn-glorot", "question"):
        Path("plan.toml").write_text(f'network = "{name}"\nsteps = 2\n{ONE}')
        told(capsys, "ensemble", "plan.toml")
        assert len(trained) == 1
    (record,) = Path("plan").glob("*.fpdrift")
    assert open_record(record).meta["network"] == "question"
    assert [recorded_name(name) for name in NAMES] == list(NETWORKS)
    assert [recorded_name(name) for name in NETWORKS] == list(NETWORKS)
    assert list(NAMES)[:2] == ["cnn-he", "cnn-glorot"]


def test_many_conditions_are_not_all_listed(trained, capsys):
    Path("plan.toml").write_text("steps = 1\n[[condition]]\nseed = {from = 1, to = 30}")
    out, _ = told(capsys, "ensemble", "plan.toml")
    assert out.splitlines()[-1].strip() == "and 10 more"
    assert len(out.splitlines()) == 25


def test_ctrl_c_says_how_to_go_on(trained, capsys, monkeypatch):
    whole = _remote.train

    def train(condition, *args, **named):
        if condition.seed == 2:
            raise KeyboardInterrupt
        return whole(condition, *args, **named)

    monkeypatch.setattr(_remote, "train", train)
    Path("plan.toml").write_text(PLAN)
    out, err = told(capsys, "ensemble", "plan.toml", code=130)
    assert out == ""
    assert err.splitlines()[-2:] == [
        "1 of 6 runs are done, in runs/; the same command resumes.",
        "fpdrift: interrupted",
    ]
    assert len(list(Path("runs").glob("*.fpdrift"))) == 1


def test_a_cluster_trains_what_the_file_says(trained, capsys, tmp_path):
    require("distributed")
    folder = tmp_path / "cluster"
    folder.mkdir()
    Path("plan.toml").write_text(PLAN)
    with Cluster(folder, made=True) as cluster:
        out, err = told(capsys, "ensemble", "plan.toml", "--scheduler", cluster.address)
    assert "6 runs of 2 steps" in out
    assert err.splitlines()[-1] == "Records in runs/. Next: fpdrift class runs"
    assert trained == []
    assert len(list(Path("runs").glob("*.fpdrift"))) == 6


def test_train_takes_a_whole_condition(trained, capsys):
    options = ["--intra-op-threads", "2", "--inter-op-threads", "1", "--onednn", "off", "--jit"]
    options += ["--instruction-set", "AVX2", "--op-determinism", "--dtype-policy", "float64"]
    options += ["--seed", "3", "--init-seed", "4", "--order-seed", "5", "--dropout-seed", "6"]
    options += ["--hash-seed", "7", "--perturbation", "1e-6"]
    out, err = told(capsys, "train", "a.fpdrift", "--steps", "2", *options)
    assert trained == [
        Condition(
            intra_op_threads=2,
            inter_op_threads=1,
            onednn=False,
            instruction_set="AVX2",
            op_determinism=True,
            jit=True,
            dtype_policy="float64",
            seed=3,
            init_seed=4,
            order_seed=5,
            dropout_seed=6,
            hash_seed=7,
            perturbation=Perturbation(kind="noise", size=1e-6),
        )
    ]
    assert out.startswith("  a.fpdrift is a complete record of 3 steps")
    assert "condition threads=2, inter-op threads=1, oneDNN off" in " ".join(out.split())
    assert err.splitlines()[-1] == "Record: a.fpdrift. Next: fpdrift show a.fpdrift"


def test_options_and_keys_have_the_names_of_the_fields():
    assert set(OPTIONS) == set(Condition.__dataclass_fields__)
    assert set(OTHER_NAMES.values()) <= set(OPTIONS)
    assert not set(OTHER_NAMES) & set(OPTIONS)


OTHERS = {
    "threads": ("2", {"intra_op_threads": 2}),
    "xla": (None, {"jit": True}),
    "jit_compile": (None, {"jit": True}),
    "dtype": ("float64", {"dtype_policy": "float64"}),
    "nudge": ("1e-6", {"perturbation": Perturbation(kind="noise", size=1e-6)}),
}


@pytest.mark.parametrize("other", OTHER_NAMES)
def test_other_names_are_read_with_a_hint(trained, capsys, other):
    value, fields = OTHERS[other]
    words = [f"--{other.replace('_', '-')}", *([value] if value else [])]
    _, err = told(capsys, "train", "a.fpdrift", "--steps", "2", *words)
    name = OTHER_NAMES[other]
    assert trained == [Condition(**fields)]
    first = f"fpdrift: {words[0]} is deprecated; use --{name.replace('_', '-')}"
    assert err.splitlines()[0] == first
    literal = {"nudge": '{kind = "noise", size = 1e-6}', "dtype": '"float64"', "threads": "2"}
    found = plan(f"[[condition]]\n{other} = {literal.get(other, 'true')}\nseed = 3")
    assert found["conditions"] == [Condition(**fields, seed=3)]
    assert capsys.readouterr().err.splitlines() == [
        f"fpdrift: plan.toml, condition 1: {other} is deprecated; use {name}"
    ]


def test_paths_in_the_next_command_are_quoted(trained, capsys):
    _, err = told(capsys, "train", "my run.fpdrift", "--steps", "2")
    assert err.splitlines()[-1] == ("Record: my run.fpdrift. Next: fpdrift show 'my run.fpdrift'")
    Path("plan.toml").write_text(PLAN.replace('"runs"', '"my runs"'))
    _, err = told(capsys, "ensemble", "plan.toml")
    assert err.splitlines()[-1] == "Records in my runs/. Next: fpdrift class 'my runs'"


@pytest.mark.parametrize("step", [0, 7])
def test_ctrl_c_in_a_training_says_what_is_saved(trained, capsys, monkeypatch, step):
    def train(condition, *args, progress, **named):
        for done in range(step + 1):
            progress(done, 20)
        raise KeyboardInterrupt

    monkeypatch.setattr("fpdrift.training.train", train)
    out, err = told(capsys, "train", "my run.fpdrift", "--steps", "20", code=130)
    assert out == ""
    said, last = err.splitlines()[-2:]
    assert last == "fpdrift: interrupted"
    assert said == (
        "Steps 1 to 7 of 20 are recorded in my run.fpdrift. To see them: fpdrift show "
        "'my run.fpdrift'. A training does not resume: to start again from step 1, repeat the "
        "command with --overwrite."
        if step
        else "No step was recorded. To start again, repeat the command."
    )


def test_train_leaves_to_the_framework_what_is_not_said(trained, capsys):
    argv = ["--network", "question", "--data", "digits", "--json", "-", "--overwrite"]
    out, _ = told(capsys, "train", "b.fpdrift", "--labels", "one-hot", "--steps", "3", *argv)
    assert trained == [Condition()]
    assert json.loads(out)["result"]["last_step"] == 3
    meta = open_record("b.fpdrift").meta
    assert (meta["network"], meta["data"]["name"]) == ("question", "digits")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--steps", "0"], "steps is 0"),
        (["--steps", "many"], "--steps"),
        (["--network", "resnet"], "unknown network 'resnet'"),
        (["--intra-op-threads", "0"], "intra_op_threads is 0"),
        (["--onednn", "maybe"], "--onednn"),
        (["--dtype-policy", "float1"], "unknown dtype_policy 'float1'"),
        (["--perturbation", "nan"], "nan"),
        (["--timeout", "-1"], "timeout must be a number of seconds above 0"),
    ],
)
def test_bad_arguments_of_a_training(capsys, tmp_path, monkeypatch, argv, words):
    monkeypatch.chdir(tmp_path)
    _, err = told(capsys, "train", *argv, code=2)
    assert words in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


class Clock:
    """Shows the time that it is set to."""

    now = 0.0

    def __call__(self):
        return self.now


def test_the_time_left_follows_from_what_was_done_in_this_call():
    clock, said = Clock(), []
    left = TimeLeft(lambda *at: said.append(at), 4, every=10, clock=clock)
    left("run 1 of 4, a", 100, 100)  # done before: tells nothing of the speed
    left("run 2 of 4, b", 1, 100)
    clock.now = 20.0
    left("run 2 of 4, b", 51, 100)  # 51 steps in 20 s, 249 to go
    clock.now = 25.0
    left("run 2 of 4, b", 80, 100)
    clock.now = 50.0
    left("run 3 of 4, c", 25, 100)
    left("run 2 of 4, b", 100, 100)
    clock.now = 5000.0
    left("run 3 of 4, c", 100, 100)
    left("run 4 of 4, d", 100, 100)
    assert said == [
        ("run 1 of 4, a", 100, 400),
        ("run 2 of 4, b", 101, 400),
        ("about 2 min left: run 2 of 4, b", 151, 400),
        ("about 2 min left: run 2 of 4, b", 180, 400),  # not told anew before 10 s
        ("about 2 min left: run 3 of 4, c", 205, 400),
        ("about 70 s left: run 2 of 4, b", 225, 400),
        ("about 42 min left: run 3 of 4, c", 300, 400),
        ("run 4 of 4, d", 400, 400),
    ]
    assert left.finished() == 4


def test_runs_that_are_handed_over_are_counted():
    clock, said = Clock(), []
    left = TimeLeft(lambda *at: said.append(at), 3, every=10, clock=clock)
    for name in "abc":
        left(name, 0, 10)
    clock.now = 100.0
    left("b", 10, 10)
    left("a", 0, 10)  # tried again
    left("a", 10, 10)
    left("c", 10, 10)
    assert said[0] == said[2] == ("0 of 3 runs done", 0, 30)
    assert said[3:] == [
        ("about 3 min left: 1 of 3 runs done", 10, 30),
        ("about 3 min left: 1 of 3 runs done", 10, 30),
        ("about 50 s left: 2 of 3 runs done", 20, 30),
        ("3 of 3 runs done", 30, 30),
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "10 s"), (44, "40 s"), (89, "90 s"), (95, "2 min"), (5400, "2 h"), (2e5, "2 days")],
)
def test_a_time_is_told_roughly(seconds, text):
    assert duration(seconds) == f"about {text}"


def test_the_page_and_the_help_say_what_works(trained, capsys):
    page = (Path(__file__).parents[2] / "docs" / "ensembles.md").read_text(encoding="utf-8")
    found = plan(re.search(r"```toml\n(.*?)```", page, re.DOTALL).group(1))
    assert len(found["conditions"]) == 11
    assert all(f"| `{key}` |" in page for key in KEYS)
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1), {})
    assert capsys.readouterr().out.startswith("ManyRuns(3 runs")
    assert main(["ensemble", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(len(line) <= 80 for line in text.splitlines())
    lines = re.search(r"the file:\n(.*?)\n\n  A condition has the keys", text, re.DOTALL).group(1)
    assert len(plan(textwrap.dedent(lines))["conditions"]) == 12
    assert all(name in text for name in Condition.__dataclass_fields__)


def test_a_plan_that_is_no_text(tmp_path):
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FpdriftError, match="not TOML"):
        read_plan(tmp_path / "x.toml")
