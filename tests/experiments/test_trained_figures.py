"""A run's figures beside plain sums over what its record holds, and how far two got apart."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from fpdrift.experiments._runs import run_distance, trained_run
from fpdrift.records import RecordWriter, Tensor, content_hash, open_record
from fpdrift.training._condition import Condition

TENSORS = [
    Tensor("k", "weight", (2,), "float32", "whole"),
    Tensor("b", "weight", (2,), "float32", "whole"),
    Tensor("moving_mean", "statistic", (2,), "float32", "whole"),
]
#: 100 images: an epoch is a batch of 64 and one of 36. Three validation images, of class 0, 1, 1.
DATA = SimpleNamespace(train_images=np.zeros(100), validation_labels=np.eye(2)[[0, 1, 1]])
PREDICTED = np.array([[0.75, 0.25], [0.9, 0.1], [1.0, 0.0]], np.float32)


def a_record(folder, name, steps, ends=(1.0, 2.0, 3.0), start=0.0, predicted=PREDICTED):
    """Write a run whose step k has a loss of k squared; its tensors go from `start` to `ends`."""
    path = folder / f"{name}.fpdrift"
    writer = RecordWriter(path, TENSORS, meta={"condition": Condition(seed=3).to_dict()})
    for step in range(steps + 1):
        part = step / steps
        values = [np.full(2, start + part * (end - start), np.float32) for end in ends]
        hashes = [content_hash(array) for array in values]
        metrics = {"accuracy": part} if step else {}
        writer.add_step(step, hashes, step**2 if step else np.nan, metrics, dict(enumerate(values)))
        writer.add_predictions(step, predicted if step == steps else PREDICTED)
    writer.finish()
    return open_record(path)


@pytest.mark.parametrize(
    ("steps", "loss"),
    [(1, 1), (2, (64 * 1 + 36 * 4) / 100), (3, 9), (4, (64 * 9 + 36 * 16) / 100), (5, 25)],
)
def test_the_loss_is_that_of_the_last_epoch_s_images(tmp_path, steps, loss):
    found = trained_run("mine", a_record(tmp_path, "a", steps), DATA)
    assert found.loss == pytest.approx(loss, rel=1e-12)
    assert (found.label, found.condition, found.record) == ("mine", "seed=3", "a.fpdrift")
    assert found.accuracy == 1
    assert found.validation_accuracy == pytest.approx(1 / 3)
    # the last probability is 0, which counts as 1e-7
    expected = -(math.log(0.75) + math.log(np.float32(0.1)) + math.log(1e-7)) / 3
    assert found.validation_loss == pytest.approx(expected, rel=1e-6)


def test_weights_are_named_by_their_bits_at_the_end(tmp_path):
    def weights(name, **fields):
        return trained_run("", a_record(tmp_path, name, 2, **fields), DATA).weights

    first = weights("a")
    assert first == weights("b", start=0.5)
    assert first == weights("c", ends=(1.0, 2.0, 7.0))  # a moving mean is no weight
    assert first != weights("d", ends=(1.0, 2.5, 3.0))


def test_a_distance_is_that_of_the_end_and_its_tensor_the_first(tmp_path):
    a = a_record(tmp_path, "a", 4)
    turned = PREDICTED[:, ::-1]
    b = a_record(tmp_path, "b", 4, ends=(2.0, 4.0, 3.0), predicted=turned)
    found = run_distance("one", a, "other", b)
    assert (found.baseline, found.label) == ("one", "other")
    assert (found.first_step, found.first_tensor) == (1, "k")
    assert found.distance == pytest.approx(1)
    assert found.churn == 1
    assert run_distance("one", a, "other", a).first_step is None
    late = a_record(tmp_path, "c", 4, ends=(1.0, 2.0, 4.0), start=0.0)
    assert run_distance("", a, "", late).first_tensor == "moving_mean"
    assert run_distance("", a, "", late).distance == 0
