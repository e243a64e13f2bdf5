"""Loss against accuracy: the batch at the knife edge, turned predictions, and the words."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from fpdrift.experiments import _metric
from fpdrift.experiments._metric import knife_edge, relative_spread, turns


def test_knife_edge():
    edge = knife_edge()
    assert edge.accuracy == (0.6, 0.7)
    chance, before, after = (float(np.float32(x)) for x in (0.9, 0.5 - 5e-7, 0.5 + 5e-7))
    sure = -6 * math.log(chance) - 3 * math.log(1 - chance)
    expected = [(sure - math.log(at_edge)) / 10 for at_edge in (before, after)]
    assert edge.loss == pytest.approx(expected, rel=1e-14)
    assert 1e-7 < edge.loss[0] - edge.loss[1] < 3e-7
    assert [relative_spread(v) for v in ([2.0, 5.0, 1.0], [4.0, 4.0])] == [2.0, 0.0]
    assert math.isnan(relative_spread([0.0, 1.0]))


def test_turned_predictions_and_the_least_move():
    chances = np.array([[[0.6, 0.4], [0.52, 0.48], [0.1, 0.9]]] * 3)
    chances[1, 1] = [0.49, 0.51]  # turns, by 0.03 from the first and 0.02 from the third
    chances[2, 1] = [0.51, 0.49]
    chances[2, 0] = [0.9, 0.1]  # moves far and does not turn
    records = [SimpleNamespace(steps=[0, 7], predictions={7: c}) for c in chances]
    count, turned, least = turns(records)
    assert (count, turned, round(least, 12)) == (3, 1, 0.02)
    count, turned, least = turns(records[:1] * 2)
    assert (count, turned, math.isnan(least)) == (3, 0, True)


@pytest.mark.parametrize(
    ("loss", "accuracy", "words"),
    [
        (1e-4, 0.02, "losses vary by 0.01 %, accuracies by 2 %;"),
        (0.02, 0.01, "losses vary by 2 %, accuracies by 1 %;"),
        (0.0, 0.01, "losses vary by 0 %, accuracies by 1 %;"),
        (0.01, math.nan, "cannot tell, since accuracy was 0 in the first run, NaN or infinite"),
    ],
)
def test_metric_words(loss, accuracy, words):
    spread = dict.fromkeys(_metric.METRICS, 0.5) | {"loss": loss, "accuracy": accuracy}
    study = SimpleNamespace(runs=[None] * 5)
    figures = {"predictions": 256, "turned": 3, "least_move": 0.001}
    result = _metric.Metric(study=study, edge=knife_edge(), spread=spread, source={}, **figures)
    assert f"The 5 real runs: {words}" in _metric._tell(result)
