"""A training with a probe ends with the bits of one without, whatever a prediction moves."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from moving_models import ANYWHERE, EAGER, REFUSED, tf_layers, train

from fpdrift.errors import FpdriftWarning
from fpdrift.recorder import DriftRecorder
from fpdrift.records import open_record

#: Keras' own, where NumPy reads a variable
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

KINDS = {**ANYWHERE, **EAGER}
#: One of each way to keep or draw: in a graph, in Python, by TensorFlow itself.
SAMPLE = (
    *("stateful LSTM", "an attribute", "generators of its own", "a variable of TensorFlow"),
    "eager tf.random",
)


def each(*names):
    """Parameters: the sample in the suite, the others with what is slow."""
    return [pytest.param(n, marks=() if n in SAMPLE else pytest.mark.check) for n in names]


def observe(path, make, shape, *, probe, draw=None):
    """Train with a recorder; give what is left, and what was warned of."""

    recorder = []

    def callbacks(samples):
        if not recorder:
            given = samples if probe else None
            recorder.append(DriftRecorder(path, probe=given, overwrite=True))
        return recorder

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        left = train(make, shape, callbacks, draw=draw)
    return left, [str(w.message) for w in caught if issubclass(w.category, FpdriftWarning)]


def check(name, make, shape, path):
    plain = train(make, shape, lambda _: [])
    for probe in (False, True):
        left, warned = observe(path, make, shape, probe=probe)
        assert left == plain, (name, probe)
        record = open_record(path)
        assert int(record.steps[-1]) == 6
        if probe and name in REFUSED:
            (text,) = warned
            assert REFUSED[name] in text
            assert text.endswith("Training continues; predictions are not recorded.")
            assert any(REFUSED[name] in note for note in record.meta["notes"])
            assert record.predictions == {}
        else:
            assert warned == []
            assert list(record.predictions) == ([0, 3, 6] if probe else [])


@pytest.mark.parametrize(
    "name", each(*KINDS, "a variable of TensorFlow", "a generator of TensorFlow")
)
def test_same_bits_with_and_without_a_probe(name, tmp_path):
    make, shape = KINDS[name] if name in KINDS else tf_layers()[name]
    check(name, make, shape, tmp_path / "a.fpdrift")


@pytest.mark.parametrize("name", each("eager tf.random", "tf.random in a graph"))
def test_what_nobody_can_put_back_is_refused(name, tmp_path):
    check(name, *tf_layers()[name], tmp_path / "a.fpdrift")


def test_data_that_draw_from_eager_tf_random_are_the_same(tmp_path):
    import tensorflow as tf

    make, shape = tf_layers()["eager tf.random"]
    draw = lambda: tf.random.normal(()).numpy()  # noqa: E731
    plain = train(make, shape, lambda _: [], draw=draw)
    left, warned = observe(tmp_path / "a.fpdrift", make, shape, probe=True, draw=draw)
    assert left == plain
    assert len(warned) == 1


def test_values_at_the_end_are_of_the_weights_whose_hash_stands_by(tmp_path):
    from fpdrift.records import content_hash

    make, shape = KINDS["moving averages"]
    observe(tmp_path / "a.fpdrift", make, shape, probe=True)
    record = open_record(tmp_path / "a.fpdrift")
    rows = record.steps.searchsorted(record.sketch_steps)
    assert record.sketch_steps[-1] == 6
    for place, values in record.kept.items():
        dtype = record.tensors[place].dtype
        for at, row in enumerate(rows):
            assert content_hash(values[at].astype(dtype)) == record.hashes[row, place]
    assert sum("changed the weights" in note for note in record.meta["notes"]) == 2
    assert [phase.step for phase in record.phases] == [0, 3]
    assert record.phases[1].changes[0].startswith("changed between two calls of fit: dense/kernel")


OTHER = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from moving_models import ANYWHERE, EAGER
from test_probe_moves_nothing import check
names = {names!r}
for name in names:
    check(name, *(ANYWHERE | EAGER)[name], Path({path!r}))
print("checked", len(names))
"""


@pytest.mark.check
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_same_on_other_backends(backend, tmp_path):
    pytest.importorskip(backend)
    names = ["RNN with dropout", "batch statistics in inference"]
    if backend == "torch":  # Keras itself fails at stateful recurrent layers there
        names += ["moving averages", "an attribute", "generators of its own", "Keras' generator"]
        names += ["an iterator"]
    else:  # and at moving averages here
        names += ["stateful LSTM", "stateful GRU"]
    here = Path(__file__).parent
    code = OTHER.format(paths=[str(here)], names=names, path=str(tmp_path / "a.fpdrift"))
    env = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(here.parents[1])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"checked {len(names)}", done.stderr[-2000:]
