"""Not every difference is drift: with multi-hot labels two paths of TensorFlow differ in formula.

Its fused cross-entropy has the gradient softmax - y, which is the loss's own only where the labels
sum to 1; op determinism takes another path, with sum(y) * softmax - y.
"""

import numpy as np
import pytest
from helpers import require
from shared_runs import FUSED_AND_OWN, OWN, THREE

import fpdrift

pytestmark = [pytest.mark.check, pytest.mark.slow]

#: Far above what rounding does to one update, far below what another gradient does.
BETWEEN = 1e-3


def fused_gradient(tf):
    """Differentiate the fused loss; give it with the gradient of the loss's own formula."""
    labels, logits = tf.constant([[1.0, 1, 0]]), tf.constant([[0.3, -1.2, 2]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
    exps = np.exp(logits.numpy())
    right = labels.numpy().sum() * exps / exps.sum() - labels.numpy()
    return tape.gradient(loss, logits).numpy(), right


def update_difference(a, b):
    """Norm of two first updates' difference over the first's; weights of zero gradient left out."""
    apart = moved = 0.0
    for index, values in a.kept.items():
        tensor = a.tensors[index]
        if tensor.role == "weight" and not tensor.zero_gradient:
            apart += np.sum((b.kept[index][1] - values[1]) ** 2)
            moved += np.sum((values[1] - values[0]) ** 2)
    return np.sqrt(apart / moved)


def test_one_hot_labels_differ_by_rounding_and_multi_hot_ones_by_their_gradient(train_once):
    fused, right = fused_gradient(require("tensorflow"))
    if np.allclose(fused, right, atol=1e-5):
        pytest.skip("this TensorFlow's fused gradient is right for labels that do not sum to 1")
    pairs = {
        "one-hot": (train_once(**THREE)[0], *train_once([OWN], steps=1)),
        "multi-hot": train_once(**FUSED_AND_OWN),
    }
    distance, update = {}, {}
    for labels, runs in pairs.items():
        found = fpdrift.compare(*runs)
        assert found.distance[0] == 0
        assert found.loss[0][1] == pytest.approx(found.loss[1][1], rel=1e-5)  # the same formula
        distance[labels] = found.distance_without_zero_gradient[1]
        update[labels] = update_difference(*runs)
    assert update["one-hot"] < BETWEEN < 0.5 < update["multi-hot"]
    assert distance["one-hot"] < BETWEEN * distance["multi-hot"]
