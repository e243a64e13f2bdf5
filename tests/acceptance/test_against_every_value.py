"""Records against runs of which every value was kept: same first difference, loss and distance."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from helpers import require

from fpdrift.comparison import compare

pytestmark = pytest.mark.check  # seven trainings, of which three keep every value

STEPS = 30
PROGRAM = Path(__file__).parent / "every_value.py"


def every_value(folder, condition, *options):
    command = [sys.executable, PROGRAM, folder, str(STEPS), json.dumps(condition.to_dict())]
    env = os.environ | {"KERAS_BACKEND": "tensorflow"}
    for name, value in condition.environment().items():
        env.pop(name, None) if value is None else env.update({name: value})
    done = subprocess.run([*command, *options], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Give the records of four runs, and for three of them what every value says."""
    require("tensorflow")
    from fpdrift.perturbation import Perturbation
    from fpdrift.training import Condition, train

    one = Condition(intra_op_threads=1)
    conditions = {
        "first": one,
        "again": one,
        "threads": Condition(intra_op_threads=3),
        "nudged": Condition(
            intra_op_threads=1,
            perturbation=Perturbation(kind="noise", size=1e-8, fraction=0.5, seed=1),
        ),
    }
    records = tmp_path_factory.mktemp("records")
    recorded = {
        name: train(condition, steps=STEPS, path=records / f"{name}.fpdrift")
        for name, condition in conditions.items()
    }
    with tempfile.TemporaryDirectory() as folder:  # 0.9 GB that nobody needs afterwards
        truth = {"first": every_value(folder, one)}
        for name in ("threads", "nudged"):
            truth[name] = every_value(folder, conditions[name], "--against")
    return recorded, truth


def plain(name):
    """Name a tensor so that a record's name and Keras' path are the same."""
    return name.replace("/", "_")


@pytest.mark.parametrize("name", ["threads", "nudged"])
def test_differences_at_every_step_are_those_of_all_values(runs, name):
    recorded, truth = runs
    found = compare(recorded["first"], recorded[name])
    there = [row["differing"] for row in truth[name]]
    assert found.recorded_steps.tolist() == list(range(STEPS + 1))
    assert found.differing.tolist() == [len(paths) for paths in there]
    first = next((step for step, paths in enumerate(there) if paths), None)
    if first is None:
        assert found.first_difference is None
    else:
        assert found.first_difference.step == first
        named = sorted(plain(t.name) for t in found.first_difference.tensors)
        assert named == sorted(plain(path) for path in there[first])


@pytest.mark.parametrize("name", ["threads", "nudged"])
def test_losses_are_those_of_the_steps_themselves(runs, name):
    recorded, truth = runs
    found = compare(recorded["first"], recorded[name])
    for row, run in zip(found.loss, ("first", name), strict=True):
        assert row[1:].tolist() == [step["loss"] for step in truth[run][1:]]


@pytest.mark.parametrize("name", ["threads", "nudged"])
def test_distances_lie_within_four_stated_standard_errors(runs, name):
    recorded, truth = runs
    found = compare(recorded["first"], recorded[name])
    assert len(found.steps) == STEPS + 1
    true = np.array([row["distance"] for row in truth[name]])
    assert (np.abs(found.distance - true) <= 4 * found.standard_error + 1e-12 * true).all()
    assert (found.standard_error <= 0.03 * true).all()
    assert (np.abs(found.distance - true) <= 0.1 * true).all()


def test_the_same_condition_again_differs_in_nothing(runs):
    recorded, _ = runs
    found = compare(recorded["first"], recorded["again"])
    assert found.first_difference is None
    assert not found.distance.any()
    assert found.churn == 0
    np.testing.assert_array_equal(found.loss[0], found.loss[1])
    assert found.differs.keys() <= {"code"}  # edited between the two runs
