"""The trap: what is said follows from how far one step takes the two paths apart."""

import dataclasses

import numpy as np
import pytest
from made_records import made
from shared_runs import FUSED_AND_OWN

from fpdrift import load_recorded
from fpdrift.cli.screens import screen
from fpdrift.comparison import compare
from fpdrift.ensembles import _remote
from fpdrift.experiments import Settings, _label_trap, compare_records, study
from fpdrift.plotting import plot
from fpdrift.records import open_record
from fpdrift.serialization import Result
from fpdrift.step_debug import Diagnosis, RerunCheck


@pytest.fixture
def trained(monkeypatch):
    monkeypatch.setattr(_remote, "train", lambda *a, **named: made(*a, **named, bits=_bits))
    # such runs cannot be repeated
    monkeypatch.setattr(_label_trap, "diagnose_runs", lambda *_, **__: _diagnosis("rounding"))


def _diagnosis(verdict, mismatch=None):
    nothing = {"measures": (), "first": None, "start": {}, "settings": ()}
    where = {"mismatch": mismatch, "mismatch_tensors": ("w",), "unfaithful": ()}
    run = RerunCheck(name="a", checked=1, **where)
    return Diagnosis(verdict=verdict, cause="no float64", step=1, run_a=run, run_b=run, **nothing)


def _bits(condition):
    return 2 if condition.op_determinism else 1


def test_rows_are_the_records_distances(trained, tmp_path):
    result = study("trap").run(Settings(out=tmp_path))
    lines = screen(result)
    assert all(len(line) <= 80 for line in lines)
    said = " ".join(line.strip() for line in lines)
    assert "Size: quick, smaller than in the forum answer. 100 steps;" in said
    for path in result.paths:
        files = sorted((tmp_path / "trap").glob(f"*{path.labels}*.fpdrift"))
        own, fused = sorted(files, key=lambda file: "determinism" not in file.name)
        pair = compare(fused, own)
        assert (path.first, path.last) == (pair.distance[1], pair.distance[-1])
        assert path.kind == "rounding"
        assert path.losses[0] == pytest.approx(np.mean(open_record(fused).loss[1:]), rel=1e-12)
    assert Result.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    ("diagnosis", "words"),
    [
        (
            _diagnosis("different computation"),
            "different computation, not drift: 3.7e-02 after one step",
        ),
        (_diagnosis("rounding"), "The trap was not observed: with labels that do not sum to one"),
        (_diagnosis("cannot tell"), "3.7e-02 after one step (cannot tell)"),
        (None, "(the same bits)"),
        (
            _diagnosis("different computation", mismatch=1),
            "Cannot tell for multi-hot labels: step 1: ",
        ),
    ],
)
def test_what_is_said_follows_from_the_verdict(diagnosis, words):
    sound = _label_trap.TwoPaths(
        labels="one-hot",
        first=1.1e-7,
        last=0.1,
        losses=(2.5, 2.5),
        diagnosis=_diagnosis("rounding"),
    )
    odd = dataclasses.replace(sound, labels="multi-hot", first=3.7e-2, diagnosis=diagnosis)
    assert words in _label_trap._tell(sound, odd)
    names = {"network": "answer", "data": "noise"}
    result = _label_trap.Trap(**names, size="quick", seed=1, steps=9, paths=(sound, odd))
    plot(result)


def test_an_inexact_repeat_of_one_hot_labels_is_not_told_either():
    at = {"first": 1e-7, "last": 0.1, "losses": (2.5, 2.5)}
    sound = _label_trap.TwoPaths(
        labels="one-hot", **at, diagnosis=_diagnosis("rounding", mismatch=1)
    )
    odd = _label_trap.TwoPaths(
        labels="multi-hot", **at, diagnosis=_diagnosis("different computation")
    )
    assert _label_trap._tell(sound, odd).startswith(
        "Cannot tell for one-hot labels: step 1: rounding"
    )


def test_what_is_recorded_is_told():
    assert "different computation, not drift" in load_recorded("trap").finding


@pytest.mark.check
@pytest.mark.slow
def test_one_real_step_by_both_paths(train_once):
    [pair] = compare_records(train_once(**FUSED_AND_OWN), inside=True).pairs
    if pair.diagnosis is None:
        pytest.skip("both paths gave the same bits: this TensorFlow has mended it")
    assert pair.inside.exact
    # or has it mended, with another rounding
    assert pair.diagnosis.verdict in ("different computation", "rounding")
    if pair.comparison.distance[1] > 1e-3:
        assert pair.diagnosis.verdict == "different computation"
    said = " ".join(" ".join(screen(pair)).split())
    assert f"diagnosis {pair.diagnosis.verdict}: " in said
