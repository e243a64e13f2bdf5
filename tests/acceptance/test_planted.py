# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""One ulp planted in a running training, in any kind of tensor, is found where it was planted.

Of sixty a sample is planted here, and all by `make faults`.
"""

import os
from functools import partial
from itertools import product

import numpy as np
import pytest
from helpers import cases, require

from fpdrift.comparison import compare
from fpdrift.errors import FpdriftError

pytestmark = pytest.mark.slow

#: steps of a run, in epochs of seven
STEPS = 21


def images(units=6):
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(3, 3, name="conv"),
            layers.SeparableConv2D(4, 3, name="separable"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dropout(0.5, seed=1),
            layers.Dense(units, name="hidden"),
            layers.Dense(3, name="out"),
        ]
    )
    x = np.random.default_rng(1).standard_normal((8 * STEPS // 3, 8, 8, 1), np.float32)
    return model, keras.optimizers.Adam(0.01), x


def words():
    import keras
    from keras import layers

    inputs = keras.Input((6,), dtype="int32")
    x = layers.Embedding(9, 4, name="embedding")(inputs)
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.LSTM(3, return_sequences=True, name="lstm")(x)
    x = layers.GRU(3, name="gru")(x)
    model = keras.Model(inputs, layers.Dense(3, name="out")(x))
    x = np.random.default_rng(1).integers(0, 9, (8 * STEPS // 3, 6), np.int32)
    return model, keras.optimizers.SGD(0.1, momentum=0.9), x


def sentences():
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((6,)), layers.Dense(3, name="alone")])
    x = np.random.default_rng(1).standard_normal((8 * STEPS // 3, 6), np.float32)
    return model, keras.optimizers.SGD(0.1), x


class Training:
    """A network that is trained again and again from one state."""

    def __init__(self, make, folder, optimiser=None):
        require("tensorflow")
        keras = require("keras")
        keras.utils.set_random_seed(7)
        self.model, own, self.x = make()
        self.y = np.random.default_rng(2).standard_normal((len(self.x), 3), np.float32)
        self.model.compile(optimiser or own, "mse", metrics=["mae"], jit_compile=False)
        self.model.optimizer.build(self.model.trainable_variables)
        self.variables = [*self.model.variables, *self.model.optimizer.variables]
        self.start = [np.asarray(variable).copy() for variable in self.variables]
        self.folder = folder
        self.untouched = self.run("untouched")

    def run(self, name, *before, probe=True):
        """Train from the start again; a probe is predicted four times, which takes longest."""
        from fpdrift.recorder import DriftRecorder

        for variable, values in zip(self.variables, self.start, strict=True):
            variable.assign(values)
        path = self.folder / f"{name}.fpdrift"
        seen = self.x[:8] if probe else None
        recorder = DriftRecorder(path, probe=seen, strict=True, overwrite=True)
        told = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
        self.model.fit(self.x, self.y, callbacks=[*before, recorder], **told)
        return path

    def variable(self, name):
        (found,) = (v for v in self.variables if v.path.endswith(name))
        return found


def planting(variable, step, element):
    """Make a callback that moves one element by an ulp after `step` updates."""
    import keras

    class Planting(keras.callbacks.Callback):
        done = 0

        def on_train_begin(self, logs=None):
            self.plant()

        def on_train_batch_end(self, batch, logs=None):
            self.done += 1
            self.plant()

        def plant(self):
            if self.done == step:
                values = np.asarray(variable).copy()
                place = element % values.size
                values.flat[place] = np.nextafter(values.flat[place], np.float32(np.inf))
                variable.assign(values)

    return Planting()


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    made = {}

    def training(make):
        if make not in made:
            made[make] = Training(make, tmp_path_factory.mktemp(make.__name__))
        return made[make]

    return training


#: Fifteen kinds: network, Keras' name, the record's name, role.
KINDS = [
    (images, "hidden/kernel", "hidden/kernel", "weight"),
    (images, "out/bias", "out/bias", "weight"),
    (images, "conv/kernel", "conv/kernel", "weight"),
    (images, "separable/depthwise_kernel", "separable/depthwise_kernel", "weight"),
    (images, "norm/gamma", "norm/gamma", "weight"),
    (images, "norm/moving_mean", "norm/moving_mean", "statistic"),
    (images, "norm/moving_variance", "norm/moving_variance", "statistic"),
    (images, "hidden_kernel_momentum", "adam/hidden/kernel/momentum", "slot"),
    (images, "norm_gamma_velocity", "adam/norm/gamma/velocity", "slot"),
    (words, "embedding/embeddings", "embedding/embeddings", "weight"),
    (words, "attention/query/kernel", "attention/query/kernel", "weight"),
    (words, "norm/gamma", "norm/gamma", "weight"),
    (words, "lstm_cell/recurrent_kernel", "lstm/lstm_cell/recurrent_kernel", "weight"),
    (words, "gru_cell/kernel", "gru/gru_cell/kernel", "weight"),
    (words, "lstm_cell_kernel_momentum", "sgd/lstm/lstm_cell/kernel/momentum", "slot"),
]


PLACES = (0, 1, 5, 20)
#: Each kind once, and each place in turn.
SAMPLE = [(kind, PLACES[i % len(PLACES)]) for i, kind in enumerate(KINDS)]


@pytest.mark.parametrize(
    ("kind", "step"),
    cases(product(KINDS, PLACES), SAMPLE),
    ids=lambda part: part[2] if isinstance(part, tuple) else None,
)
def test_a_planted_ulp_is_named_by_step_tensor_and_role(kind, step, trainings):
    """The run is seen with a probe, too, where the ulp is there before the first prediction."""
    make, where, name, role = kind
    training = trainings(make)
    plant = planting(training.variable(where), step, element=3 + 7 * step)
    touched = training.run("touched", plant, probe=step == 0)
    first = compare(training.untouched, touched).first_difference
    assert (first.step, first.last_equal) == (step, step - 1 if step else None)
    assert [(t.name, t.role) for t in first.tensors] == [(name, role)]


@pytest.mark.parametrize("make", [images, words])
def test_nothing_planted_is_nothing_found(make, trainings):
    training = trainings(make)
    found = compare(training.untouched, training.run("again"))
    assert found.first_difference is None
    assert found.recorded_steps.tolist() == list(range(STEPS + 1))
    assert found.churn is None  # its loss is that of a regression
    np.testing.assert_array_equal(found.loss[0], found.loss[1])
    np.testing.assert_array_equal(*found.metrics["mae"])


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ((partial(images, units=5),), "hidden/kernel"),
        ((images, "sgd"), "adam/hidden/kernel/momentum"),
    ],
)
def test_of_other_models_what_they_share_is_compared(given, lacking, trainings, tmp_path):
    """One weight of another shape, or another optimiser, is no reason to compare nothing."""
    other = Training(given[0], tmp_path, *given[1:]).untouched
    found = compare(trainings(images).untouched, other)
    assert lacking in found.only_in_a
    assert "conv/kernel" in found.weights


def test_models_that_share_no_weight_are_refused(trainings):
    with pytest.raises(FpdriftError, match="different models that share no weight"):
        compare(trainings(images).untouched, trainings(sentences).untouched)
