"""The question's own training: its split, its early stopping beside Keras', and what is said."""

import gzip
from collections import Counter

import numpy as np
import pytest
from helpers import missing, require
from hypothesis import given, settings
from hypothesis import strategies as st

from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.ensembles import _remote
from fpdrift.errors import FpdriftError, MissingDataError
from fpdrift.experiments import Settings, _long_run
from fpdrift.experiments import _forum_question as room
from fpdrift.experiments._forum_question import early_stop
from fpdrift.plotting import plot
from fpdrift.recorded import load_recorded
from fpdrift.records import RecordWriter, Tensor, content_hash, open_record
from fpdrift.serialization import Result
from fpdrift.training import _datasets
from fpdrift.training._datasets import load
from fpdrift.training._source_digest import training_code

AN_EPOCH = 23
"""Steps of 1,437 digits."""
CERTAIN = np.float32(0.91)


@pytest.fixture
def trained(monkeypatch):
    """Make runs of digits whose right answers grow in number; at 2 threads they differ."""
    require("sklearn")
    answers = load("digits-split").validation_labels.argmax(axis=1)
    told = {"bits": lambda c, _time: (c.seed, c.intra_op_threads), "times": Counter()}

    def train(condition, network, data, *, steps, labels, backend, path, timeout, progress):
        told["times"][condition] += 1
        bits = told["bits"](condition, told["times"][condition])
        about = {
            "condition": condition.to_dict(),
            "network": network,
            "data": {"name": data, "labels": labels, "hash": "0"},
            "steps": steps,
            "backend": backend,
            "training_code": training_code(),
        }
        writer = RecordWriter(path, [Tensor("w", "weight", (2,), "float32", "whole")], meta=about)
        for step in range(steps + 1):
            weights = np.array([1, hash(bits) % 1000 if step else 0], np.float32)
            metrics = {"accuracy": 0.5} if step else {}
            writer.add_step(
                step, [content_hash(weights)], 1.0 if step else np.nan, metrics, {0: weights}
            )
            if step and (step % AN_EPOCH == 0 or step == steps):
                right = min(len(answers), 100 * step // AN_EPOCH + 10 * condition.intra_op_threads)
                given = np.where(np.arange(len(answers)) < right, answers, (answers + 1) % 10)
                predicted = np.full((len(answers), 10), 0.01, np.float32)
                predicted[np.arange(len(answers)), given] = CERTAIN
                writer.add_predictions(step, predicted)
        writer.finish()
        return open_record(path)

    monkeypatch.setattr(_remote, "train", train)
    monkeypatch.setattr(room, "_data", lambda: "digits-split")
    return told


def test_figures_are_those_of_the_predictions(trained, tmp_path, capsys):
    argv = ["experiment", "question", "--epochs", "2", "--out", str(tmp_path)]
    assert main([*argv, "--json", str(tmp_path / "a.json")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in printed)
    result = Result.from_json((tmp_path / "a.json").read_text())
    assert printed == screen(result)
    said = " ".join(" ".join(printed).split())
    assert (
        "Size: different from the forum question. 2 epochs (forum question: up to 200 epochs)"
        in said
    )
    assert (result.steps, result.validation_images) == (AN_EPOCH, 360)
    rights = {"1 thread": (110, 210), "1 thread again": (110, 210), "2 threads": (120, 220)}
    for run in result.runs[:3]:
        assert run.accuracies == tuple(right / 360 for right in rights[run.label])
        right = rights[run.label][1]
        loss = -(right * np.log(float(CERTAIN)) + (360 - right) * np.log(0.01)) / 360
        assert run.losses[1] == pytest.approx(loss, rel=1e-6)
        assert (run.best, run.stopped) == (2, None)
    again, threads, seed = result.distances
    assert (again.first_step, threads.first_step, seed.first_step) == (None, 1, 1)
    rows = [line for line in printed if line.startswith(("  1 thread again", "  2 threads"))]
    assert ["never" in row for row in rows] == [True, False]
    assert threads.churn == 10 / 360
    assert "The code is repeatable: with 1 thread, a rerun gave the same bits." in result.finding
    churn = "With 2 threads, 10 (2.8 %) of the 360 validation images "
    assert churn in result.finding
    assert "The run with 2 threads was not repeated, so it is unknown whether" in result.finding
    assert (
        "after 2 of at most 200 epochs, early stopping would not yet have ended any"
        in result.finding
    )
    plot(result)


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (lambda _condition, _time: 1, "No drift was observed, in a rerun or "),
        (lambda _condition, time: time, "gave different bits: nondeterministic here."),
    ],
)
def test_what_is_said_follows_from_the_bits(bits, words, trained, tmp_path):
    trained["bits"] = bits
    result = room.question(Settings(out=tmp_path))
    assert result.epochs == 1
    assert words in result.finding


def test_the_quick_size_cuts_a_long_epoch_short(trained, tmp_path, monkeypatch):
    whole = room.question(Settings(out=tmp_path))
    assert (whole.an_epoch, whole.steps, whole.done) == (None, AN_EPOCH, "1 of at most 200 epochs")
    monkeypatch.setattr(room, "CUT", 10)
    cut = room.question(Settings(out=tmp_path))
    assert (cut.an_epoch, cut.steps) == (AN_EPOCH, 10)
    assert cut.done == "10 of 23 steps of epoch 1 of at most 200"
    assert [len(run.accuracies) for run in cut.runs] == [1] * 4
    lines = screen(cut)
    assert all(len(line) <= 80 for line in lines)
    told = " ".join(line.strip() for line in lines)
    assert "10 of the 23 steps of one epoch (forum question: up to 200 epochs); data" in told
    assert "Validation accuracy after 10 steps: 1 thread " in cut.finding
    assert "early stopping" not in cut.finding
    assert "best epochs" not in cut.finding
    assert f"({cut.done})" in plot(cut).get_title("left")
    for asked in ({"epochs": 1}, {"full": True, "epochs": 1}):
        assert room.question(Settings(out=tmp_path, **asked)).to_json() == whole.to_json()


def test_a_recording_of_whole_epochs_is_told_as_before():
    recorded = load_recorded("question")
    assert (recorded.an_epoch, recorded.done) == (None, "5 of at most 200 epochs")
    told = " ".join(line.strip() for line in screen(recorded))
    assert " 5 epochs (forum question: up to 200 epochs) of 750 steps; data: fashion" in told


def test_the_full_size_is_the_question_s(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "DATA", "digits-split")
    monkeypatch.setattr(room, "EPOCHS", 23)
    result = room.question(Settings(out=tmp_path, full=True))
    assert result.size == "full"
    told = " ".join(line.strip() for line in screen(result))
    assert "Size: as in the forum question. 23 epochs (forum question: up to 23 epochs)" in told
    assert room.question(Settings(out=tmp_path, full=True, epochs=1)).size == "quick"
    # all answers are right from epoch 4 on, so the loss falls no more
    assert [run.best for run in result.runs] == [4, 4, 4, 4]
    assert [run.stopped for run in result.runs] == [None] * 4
    monkeypatch.setattr(room, "EPOCHS", 24)
    result = room.question(Settings(out=tmp_path / "more", full=True))
    assert [run.stopped for run in result.runs] == [24] * 4
    assert "early stopping would have ended them after epochs 24, 24, 24, 24" in result.finding


def test_all_epochs_on_other_images_are_not_the_question_s_size(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "EPOCHS", 3)
    result = room.question(Settings(out=tmp_path, full=True))
    assert (result.size, result.epochs, result.data) == ("quick", 3, "digits-split")
    told = " ".join(line.strip() for line in screen(result))
    assert (
        "Size: different from the forum question. 3 epochs (forum question: up to 3 epochs)" in told
    )
    assert "of 23 steps; data: digits-split in place of fashion-mnist-split; seed 1;" in told


@pytest.mark.parametrize("study", [room.question, _long_run.long])
def test_damaged_data_are_not_replaced_by_others(study, tmp_path, monkeypatch):
    require("sklearn")
    for name in _datasets._FILES:
        (tmp_path / name).write_bytes(gzip.compress(bytes(10_008), mtime=0))
    monkeypatch.setenv("FPDRIFT_DATA", str(tmp_path))
    monkeypatch.setattr(_remote, "train", None)
    with pytest.raises(FpdriftError, match="SHA-256 differs"):
        study(Settings(out=tmp_path))


def test_others_stand_in_for_missing_data(monkeypatch):
    keras = require("keras")
    require("sklearn")

    def offline():
        raise OSError("no route to host")

    monkeypatch.setattr(_datasets, "_places", lambda: iter(()))
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", offline)
    monkeypatch.delenv("FPDRIFT_DATA", raising=False)
    assert (room._data(), _long_run._data()) == ("digits-split", "noise")


def test_the_accuracy_is_that_of_the_weights_that_are_restored():
    run = room.Validated(
        label="a", losses=(1.0, 0.5, 0.7), accuracies=(0.1, 0.2, 0.9), best=2, stopped=None
    )
    assert run.accuracy == 0.2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0.5, 1.0, 1.5, 2.0, float("nan")]), min_size=1, max_size=12),
    st.integers(1, 4),
)
def test_early_stopping_as_keras_does_it(losses, patience):
    keras = require("keras")
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=patience, verbose=0)
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.stop_training = False  # as `fit` begins
    stopping.set_model(model)
    stopping.on_train_begin()
    ended = None
    for epoch, loss in enumerate(losses):
        stopping.on_epoch_end(epoch, {"val_loss": loss})
        if stopping.model.stop_training:
            ended = epoch + 1
            break
    assert early_stop(losses, patience) == (stopping.best_epoch + 1, ended)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("digits-split", 1797),
        pytest.param("fashion-mnist-split", 60000, marks=pytest.mark.check),
    ],
)
def test_the_split_is_stratified_and_of_one_content(name, count):
    require("sklearn")
    if name.startswith("fashion"):
        try:
            load("fashion-mnist", validation=1)
        except MissingDataError as error:
            missing(str(error))
    data = load(name)
    train, rest = data.train_labels.sum(axis=0), data.validation_labels.sum(axis=0)
    assert (train.sum(), rest.sum()) == (count - -(-count // 5), -(-count // 5))
    assert np.abs(rest - (train + rest) / 5).max() <= 1
    images = np.concatenate([data.train_images, data.validation_images])
    assert load(name).hash == data.hash
    if name.startswith("digits"):
        whole = load("digits")
        every = np.concatenate([whole.train_images, whole.validation_images])
        assert Counter(map(bytes, images)) == Counter(map(bytes, every))
