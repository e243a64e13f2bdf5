"""A run gives its record; what cannot be run is refused before a process is started."""

import importlib.util
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from helpers import require
from made_records import made
from shared_runs import THREE

import fpdrift
from fpdrift import subprocesses
from fpdrift.errors import ChildError, FpdriftError, MissingExtraError, RecordError
from fpdrift.perturbation import Perturbation
from fpdrift.records import content_hash, open_record
from fpdrift.training import Condition, _train, train
from fpdrift.training._hash_rng import digest
from fpdrift.training._networks import SHAPES, initial_weights

slow = pytest.mark.slow
posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")
ONE_THREAD = Condition(intra_op_threads=1)


@pytest.fixture
def no_process(monkeypatch):
    monkeypatch.setattr(_train, "run_module", lambda *_, **__: pytest.fail("a process was started"))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: "installed")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"steps": 0}, "steps is 0; choose a whole number from 1 to 1000000"),
        ({"steps": -5}, "steps is -5"),
        ({"steps": 10**12}, "steps is 1000000000000"),
        ({"steps": 2.0}, "steps is 2.0"),
        ({"steps": True}, "steps is True"),
        ({"steps": float("nan")}, "steps is nan"),
        ({"seed": -1}, "seed is -1; choose a whole number from 0 to 4294967295"),
        ({"network": "resnet"}, "unknown network 'resnet'; choose one of cnn-he, cnn-glorot"),
        ({"data": "cats"}, "unknown data 'cats'; choose one of noise, digits"),
        ({"labels": "soft"}, "unknown labels for noise 'soft'; choose one of one-hot, multi-hot"),
        ({"data": "digits", "labels": "multi-hot"}, "unknown labels for digits 'multi-hot'"),
        ({"condition": {"seed": 1}}, "condition is {'seed': 1}; pass a fpdrift.Condition"),
        ({"timeout": 0}, "timeout must be a number of seconds above 0"),
        ({"overwrite": "yes"}, "overwrite is 'yes'; choose True or False"),
        ({"progress": 3}, "progress is 3; pass a function or None"),
        ({"path": 3.5}, "not a path: 3.5"),
        ({"path": "no/such/folder/a.fpdrift"}, "does not exist; create it"),
        ({"path": "file.txt/a.fpdrift"}, "does not exist; create it"),
        ({"path": "."}, "choose another name"),
        ({"path": "file.txt", "overwrite": True}, "'file.txt' already exists and is not a record"),
        (
            {"condition": Condition(perturbation=Perturbation(kind="ulp", tensor="x", index=0))},
            "no tensor 'x'; choose one of: conv1/kernel",
        ),
        (
            {
                "condition": Condition(
                    dtype_policy="mixed_float16",
                    perturbation=Perturbation(kind="bit", tensor="conv1/bias", index=0, bit=32),
                )
            },
            "float32 has no bit 32",
        ),
    ],
)
def test_bad_input_is_refused_before_a_process_starts(
    given, text, no_process, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("a thesis")
    with pytest.raises(FpdriftError) as caught:
        train(**given)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]
    assert (tmp_path / "file.txt").read_text() == "a thesis"


def test_folder_without_rights_is_refused(no_process, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(RecordError, match="cannot write in '"):
        train(path=tmp_path / "a.fpdrift")


@pytest.mark.parametrize(
    ("missing", "data", "extra"),
    [("tensorflow", "noise", "cnn"), ("keras", "noise", "cnn"), ("sklearn", "digits", "cnn")],
)
def test_missing_library_says_what_to_type(no_process, monkeypatch, missing, data, extra):
    monkeypatch.setattr(importlib.util, "find_spec", lambda m: None if m == missing else "there")
    with pytest.raises(MissingExtraError, match=rf"{missing} is not .*'fpdrift\[{extra}\]'"):
        train(data=data)


def test_another_backend_is_respected_or_refused(no_process, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    with pytest.raises(FpdriftError, match="unknown KERAS_BACKEND 'theano'; choose one of tens"):
        train()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(FpdriftError, match="intra_op_threads: not supported on jax; choose"):
        train(ONE_THREAD)
    started = []
    monkeypatch.setattr(_train, "run_module", lambda *_, env, **__: started.append(env))
    monkeypatch.setattr(_train, "open_own", lambda place: place)
    train(path=tmp_path / "a.fpdrift")
    assert started[0]["KERAS_BACKEND"] == "jax"
    monkeypatch.setattr(importlib.util, "find_spec", lambda m: None if m == "jax" else "there")
    with pytest.raises(MissingExtraError, match=r"jax is not installed; .*'fpdrift\[jax\]'"):
        train()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: "there")
    train(Condition(backend="torch"), path=tmp_path / "b.fpdrift")
    assert started[1]["KERAS_BACKEND"] == "torch"  # the condition goes before the shell


def test_a_long_run_is_not_refused_for_its_size(no_process, monkeypatch, tmp_path):
    monkeypatch.setattr(_train, "run_module", lambda _, task, **__: made_by(task))
    monkeypatch.setitem(open_record.__kwdefaults__, "max_bytes", 1000)
    assert train(steps=2, path=tmp_path / "a.fpdrift").complete
    with pytest.raises(RecordError, match="more than max_bytes=1000"):
        open_record(tmp_path / "a.fpdrift")


def made_by(task):
    named = {name: task[name] for name in ("network", "data", "labels", "steps", "path")}
    made(Condition.from_dict(task["condition"]), **named)


def test_what_the_process_is_told(no_process, monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(_train, "run_module", lambda *args, **named: calls.append((args, named)))
    monkeypatch.setattr(_train, "open_own", lambda place: place)
    monkeypatch.chdir(tmp_path)
    place = train(Condition(onednn=False), "question", steps=np.int64(7), seed=4, timeout=9)
    assert place == tmp_path / "oneDNN-off-seed-4.fpdrift"
    (module, task), named = calls[0]
    assert module == "fpdrift.training._worker"
    assert Condition.from_dict(task["condition"]) == Condition(onednn=False, seed=4)
    assert (task["network"], task["data"], task["labels"]) == ("question", "noise", "one-hot")
    assert (task["steps"], task["path"], task["overwrite"]) == (7, str(place), False)
    assert named["timeout"] == 9
    assert named["env"]["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert named["env"]["KERAS_BACKEND"] == "tensorflow"
    assert named["on_progress"] is None  # nobody listens
    told = []
    train(steps=7, progress=lambda *at: told.append(at))
    calls[1][1]["on_progress"]({"step": 3})
    assert told == [(3, 7)]


def test_importing_the_room_loads_nothing_heavy():
    program = (
        "import sys, fpdrift.training; "
        "heavy = {'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib', 'pandas', 'rich'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def pair(train_once):
    """One condition, trained twice."""
    return train_once(**THREE)[:2]


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """All that is not usual in one run, over a record that was there; and what it told."""
    require("tensorflow")
    require("sklearn")
    path = tmp_path_factory.mktemp("other") / "a.fpdrift"
    made(ONE_THREAD, "answer", "noise", steps=2, labels="one-hot", path=path)
    ulp = Perturbation(kind="ulp", tensor="dense1/kernel", index=(17, 4), steps=1)
    told = []
    record = train(
        Condition(op_determinism=True, dtype_policy="mixed_bfloat16", seed=5, perturbation=ulp),
        "answer-sgd",
        "digits",
        steps=3,
        seed=0,
        path=path,
        overwrite=True,
        progress=lambda *at: told.append(at),
    )
    return record, path, told


@slow
def test_same_condition_twice_is_bit_identical(pair):
    once, again = pair
    assert once.complete
    assert once.steps.tolist() == list(range(9))
    assert (once.hashes == again.hashes).all()
    assert once.loss[1:].tolist() == again.loss[1:].tolist()
    assert np.isfinite(once.loss[1:]).all()
    assert (once.predictions[8] == again.predictions[8]).all()
    assert fpdrift.compare(once, again).first_difference is None


@slow
def test_start_is_the_drawn_one_but_for_what_was_planted(other):
    record, _, told = other
    drawn = initial_weights(SHAPES, "he", 0)
    assert record.meta["initial_weights"] == digest(*drawn.values())
    found = dict(zip([t.name for t in record.tensors], record.hashes[0], strict=True))
    moved = [name for name, w in drawn.items() if found[name] != content_hash(w)]
    assert moved == ["dense1/kernel"]
    account = record.meta["nudge"]
    assert [t["changed"] for t in account["tensors"] if t["meant"]] == [1]
    assert told == [(step, 3) for step in range(1, 4)]


@slow
def test_record_says_what_the_run_was_made_of(pair):
    once, _ = pair
    meta = once.meta
    assert Condition.from_dict(meta["condition"]) == ONE_THREAD
    assert meta["seed"] == 1
    assert meta["network"] == "answer"
    assert meta["data"]["name"] == "noise"
    assert meta["data"]["labels"] == "one-hot"
    assert meta["initial_weights"] == "f7669ea82082199d"
    assert meta["steps"] == 8
    assert meta["batch_size"] == 64
    assert "optimiser" not in meta
    (optimiser,) = meta["keras"]["optimizers"]
    assert optimiser["name"] == "Adam"
    assert optimiser["learning_rate"] == pytest.approx(0.001, rel=1e-7)
    assert meta["loss"] == "categorical_crossentropy"
    assert meta["backend"] == "tensorflow"
    assert meta["probe"]["images"] == 256
    assert once.predictions[0].shape == (256, 10)


@slow
def test_a_variant_on_digits(other):
    record, *_ = other
    assert (record.meta["network"], record.meta["data"]["name"]) == ("answer-sgd", "digits")
    assert record.complete
    assert record.steps.tolist() == [0, 1, 2, 3]
    assert len(record.epochs) == 1
    assert record.meta["condition"]["seed"] == record.meta["seed"] == 0
    assert np.isfinite(record.loss[1:]).all()
    assert {t.dtype for t in record.tensors if t.role == "weight"} == {"float32"}
    assert sum(t.role == "seed" for t in record.tensors) >= 2
    names = [tensor.name for tensor in record.tensors]
    assert set(SHAPES) <= set(names)
    assert any("sgd" in name.lower() for name in names)
    assert not any("adam" in name.lower() for name in names)


@slow
def test_record_that_is_there_is_kept(other):
    _, path, _ = other
    with pytest.raises(RecordError, match=r"'a\.fpdrift' already exists; .* overwrite=True"):
        train(ONE_THREAD, steps=1, path=path)
    assert open_record(path).steps[-1] == 3


@pytest.fixture(params=["made_child", pytest.param("worker", marks=[slow, pytest.mark.check])])
def worker(request, monkeypatch):
    """The program that trains, or one that writes as slowly what it would leave; its name."""
    if request.param == "worker":
        require("tensorflow")
        return "fpdrift.training._worker"
    monkeypatch.setattr(
        _train,
        "run_module",
        lambda _, *args, **named: subprocesses.run_module("made_child", *args, **named),
    )
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: "installed")
    return "made_child"


@posix
@pytest.mark.parametrize(("how", "last"), [("kill", 3), ("interrupt", 5)])
def test_run_that_is_ended_leaves_its_steps_and_no_process(
    worker, tmp_path, monkeypatch, how, last
):
    children = []
    start = subprocesses._start
    monkeypatch.setattr(
        subprocesses, "_start", lambda *a: children.append(start(*a)) or children[0]
    )

    def end(done, _):
        if done == last and how == "interrupt":
            raise KeyboardInterrupt
        if done == last:
            os.kill(children[0].pid, signal.SIGKILL)

    path = tmp_path / "a.fpdrift"
    with pytest.raises((KeyboardInterrupt, ChildError)) as caught:
        train(ONE_THREAD, steps=10_000, path=path, progress=end)
    if how == "kill":
        assert f"{worker} was killed by signal 9 (SIGKILL)" in str(caught.value)
    else:
        assert caught.type is KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        os.kill(children[0].pid, 0)
    record = open_record(path)
    assert not record.complete
    assert last <= record.steps[-1] < 10_000
    assert record.steps.tolist() == list(range(len(record.steps)))
