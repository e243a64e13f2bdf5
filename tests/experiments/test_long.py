"""A long training, epoch by epoch: on made runs, and how far one may be told to go."""

import math

import numpy as np
import pytest
from made_records import made
from shared_runs import THREE

from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.ensembles import _remote as room
from fpdrift.errors import FpdriftError
from fpdrift.experiments import Settings, _long_run, study
from fpdrift.plotting import plot
from fpdrift.recorded import load_recorded
from fpdrift.records import open_record
from fpdrift.serialization import Result
from fpdrift.training._networks import starting_weights

AN_EPOCH = 469
"""Steps of 30,000 images of noise."""


@pytest.fixture
def trained(monkeypatch):
    """Make records instead of training; they last as long as asked and tell of small weights."""
    bits = {"of": lambda condition: condition.intra_op_threads}

    def train(condition, *args, steps, **named):
        ends = [*range(AN_EPOCH, steps, AN_EPOCH), steps]
        epochs = [(end, {"small_weights": end / 2**20}) for end in ends]
        return made(condition, *args, **named, steps=steps, epochs=epochs, bits=bits["of"])

    monkeypatch.setattr(room, "train", train)
    monkeypatch.setattr("fpdrift.experiments._long_run._data", lambda: "noise")
    return bits


def test_each_epoch_is_told(trained, tmp_path, capsys):
    argv = ["experiment", "long", "--epochs", "2", "--out", str(tmp_path)]
    assert main([*argv, "--json", str(tmp_path / "a.json")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in printed)
    result = Result.from_json((tmp_path / "a.json").read_text())
    assert printed == screen(result)
    said = " ".join(line.strip() for line in printed)
    assert (
        "Size: quick, smaller than in the forum answer. 938 steps (forum answer: 18,760);" in said
    )
    assert [(e.epoch, e.step) for e in result.epochs] == [(1, 469), (2, 938)]
    assert [e.small for e in result.epochs] == [(k / 2**20, k / 2**20) for k in (469, 938)]
    # one of 256 images, at the first end; at the last all answers are alike
    assert [e.churn for e in result.epochs] == [1 / 256, 0]
    records = [open_record(path) for path in sorted((tmp_path / "long").glob("*.fpdrift"))]
    losses = [[record.loss[first : first + 469].mean() for record in records] for first in (1, 470)]
    assert np.allclose([e.losses for e in result.epochs], losses, rtol=1e-12)
    a, b = (record.kept[0] for record in records)
    rows = [int(np.flatnonzero(records[0].sketch_steps <= end)[-1]) for end in (469, 938)]
    away = np.sqrt(np.square(a - b).sum(axis=1) / np.square(a).sum(axis=1))
    assert [e.distance for e in result.epochs] == pytest.approx(away[rows], rel=1e-12)
    assert result.first_step == 0
    first, last = result.epochs
    kept = [int(records[0].sketch_steps[row]) for row in rows]
    assert [result.kept_at(epoch) for epoch in result.epochs] == kept
    apart = f"{first.distance:.1e} at step {kept[0]} and {last.distance:.1e} at step {kept[1]};"
    assert f"The distance between the weights is {apart}" in result.finding
    ends = sorted(100 * abs(b - a) / a for a, b in (epoch.losses for epoch in result.epochs))
    told = f"loss of an epoch differs by {ends[0]:.2g} to {ends[1]:.2g} %. One pair of runs."
    assert told in result.finding
    zeros = [np.mean(abs(w.ravel()) <= 1e-8) for w in starting_weights("answer", 1).values()]
    sizes = [w.size for w in starting_weights("answer", 1).values()]
    assert result.small_before == pytest.approx(np.average(zeros, weights=sizes))
    plot(result)


def test_distances_are_of_steps_at_which_weights_were_kept():
    recorded = load_recorded("long")
    assert [recorded.kept_at(epoch) for epoch in recorded.epochs[:2]] == [936, 1872]
    lines = screen(recorded)
    assert all(len(line) <= 80 for line in lines)
    told = " ".join(line.strip() for line in lines)
    assert (
        "Each distance is measured at the last step so far whose weights were kept, such as "
        "step 936" in told
    )
    assert "weights is 3.4e-01 at step 936 and 1.0e+00 at step 18,760;" in _long_run._tell(recorded)


def test_no_drift_is_said_with_what_would_have_shown(trained, tmp_path):
    trained["of"] = lambda _: 1
    result = _long_run.long(Settings(out=tmp_path))
    assert result.steps == 300
    assert result.first_step is None
    assert result.finding.startswith("No drift was observed in 300 steps: no hash of any weight")
    assert plot(result).get_title("left").startswith("No drift was observed (300")


def test_the_full_size_is_the_source_s_epochs(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(_long_run, "EPOCHS", 3)
    monkeypatch.setattr(_long_run, "SOURCE_STEPS", 3 * AN_EPOCH)
    whole = _long_run.long(Settings(out=tmp_path, full=True))
    assert (whole.steps, whole.size) == (3 * AN_EPOCH, "full")
    assert _long_run.long(Settings(out=tmp_path, full=True, epochs=2)).size == "quick"


def test_the_operations_make_the_loop_s_steps(trained, tmp_path):
    result = _long_run.long(Settings(out=tmp_path))
    assert f"weights is {result.epochs[0].distance:.1e} at step 300; " in result.finding
    assert (
        "the 1e8 steps of the forum answer's loop correspond to "
        f"{1e8 / result.operations:.2g} steps" in result.finding
    )
    assert math.isclose(result.operations, 3.07e9, rel_tol=0.01)


def test_small_weights_that_are_zeros_are_said_to_be(trained, tmp_path):
    result = _long_run.long(Settings(out=tmp_path))
    weights = np.concatenate([w.ravel() for w in starting_weights("answer", 1).values()])
    small, zero = np.sum(abs(weights) <= 1e-8), np.sum(weights == 0)
    assert 0 < zero < small
    assert (result.small_before, result.zero_before) == (small / weights.size, zero / weights.size)
    assert f"({100 * zero / small:.3g} % of these are exactly 0)" in result.finding


def test_epochs_are_refused_where_there_are_none(capsys):
    assert main(["experiment", "five-runs", "--epochs", "3"]) == 2
    assert (
        "--epochs 3: five-runs has no --epochs; only long, question have it"
        in capsys.readouterr().err
    )
    assert main(["experiment", "long", "--epochs", "0"]) == 2
    assert main(["experiment", "long", "--epochs", "201"]) == 2
    with pytest.raises(FpdriftError, match="201 epochs is out of range"):
        Settings(epochs=201)
    assert study("long").epochs


def test_sizes_are_refused_where_there_is_one(capsys):
    for option in (["--full"], ["--quick"], ["--workers", "2"]):
        assert main(["experiment", "chain", *option]) == 2
        told = capsys.readouterr().err
        assert told.startswith("fpdrift: chain has no --full, --quick or --workers; only")


@pytest.mark.slow
def test_the_worker_counts_small_weights(train_once):
    record, *_ = train_once(**THREE)
    [logs] = record.epochs
    share = logs["small_weights"]
    # the biases in front of batch normalisation hardly move; nothing else is that small
    assert 0 <= share < 0.001
