"""Studies of seeds with real processes and trainings."""

import re

import numpy as np
import pytest
from helpers import require
from shared_runs import THREE

from fpdrift.experiments import Settings, _hash_seed, _no_seeds
from fpdrift.training._condition import Condition
from fpdrift.training._keras_rng import own_chance


def test_python_reads_its_hash_seed_before_it_starts(monkeypatch):
    monkeypatch.setattr(_hash_seed, "PROCESSES", 2)
    monkeypatch.setenv("PYTHONHASHSEED", "7")  # the shell has no say
    distinct = {
        label: _hash_seed._hashes(label, *way).distinct for label, way in _hash_seed.WAYS.items()
    }
    assert distinct == {
        "not set": 2,
        "PYTHONHASHSEED=0 before the start": 1,
        "PYTHONHASHSEED=0 after the start": 2,
        "PYTHONASHSEED=0 before the start": 2,
    }


@pytest.mark.slow
def test_a_batch_s_own_accuracy_is_found_in_a_real_run(train_once, monkeypatch):
    """Keras reports running means; each batch got a whole number of its 64 images right."""
    monkeypatch.setattr(_no_seeds, "ITERATIONS", THREE["steps"])
    record, *_ = train_once(**THREE)
    [own] = _no_seeds._accuracies((record,))
    assert ((own >= 0) & (own <= 1)).all()
    assert len(set(own)) > 1
    assert own.mean() == pytest.approx(record.metrics["accuracy"][-1])


@pytest.mark.check
@pytest.mark.slow
def test_no_seeds_with_real_runs(tmp_path, monkeypatch):
    require("tensorflow")
    monkeypatch.setattr(_no_seeds, "RUNS", 1)
    monkeypatch.setattr(_no_seeds, "COUNTS", (1,))
    found = _no_seeds.no_seeds(Settings(out=tmp_path))
    ours, seeded = found.study.runs
    assert ours.weights != seeded.weights
    assert found.loss_spread.tolist() == [[0.0] * 10] * 2
    assert (found.accuracies * 64 == np.round(found.accuracies * 64)).all()
    assert ((found.accuracies >= 0) & (found.accuracies <= 1)).all()
    assert found.accuracies.mean(axis=1) == pytest.approx([r.accuracy for r in found.study.runs])


@pytest.mark.check
@pytest.mark.slow
def test_keras_own_generators_follow_the_seed():
    require("tensorflow")
    found = [own_chance(Condition(intra_op_threads=1, seed=seed)) for seed in (1, 2)]
    assert all(re.fullmatch(r"[0-9a-f]{16}", weights) for weights in found)
    assert len(set(found)) == 2
