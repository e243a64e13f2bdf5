"""Models in which a prediction moves something that is no variable of the model."""

import itertools
import random

import keras
import numpy as np
from keras import layers, ops

RNG = np.random.default_rng(5)
COUNT = [0]
TOTAL = 0


class Layer(layers.Layer):
    """Scales its input by what it draws or counts, in training and in inference."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, x):
        return x * self.factor()

    def compute_output_shape(self, shape):
        return shape

    def factor(self):
        self.calls += 1
        return 1 / self.calls


class InList(Layer):
    def __init__(self):
        super().__init__()
        self.kept = {"seen": []}

    def factor(self):
        self.kept["seen"].append(1)
        return 1 / len(self.kept["seen"])


class InArray(Layer):
    def __init__(self):
        super().__init__()
        self.array = np.ones(1)

    def factor(self):
        self.array += 1
        return float(self.array[0])


class InClass(Layer):
    total = 0

    def factor(self):
        type(self).total += 1
        return 1 / InClass.total


class InModule(Layer):
    def factor(self):
        global TOTAL
        TOTAL += 1
        COUNT[0] += 1
        return 1 / (TOTAL + COUNT[0])


class InObject(Layer):
    def __init__(self):
        super().__init__()
        self.helper = type("Helper", (), {})()
        self.helper.seen = 0

    def factor(self):
        self.helper.seen += 1
        return 1 / self.helper.seen


class DrawsPython(Layer):
    def factor(self):
        return random.random()


class DrawsNumpy(Layer):
    def factor(self):
        return float(np.random.random())  # noqa: NPY002 - the global state is what is drawn from


class DrawsOwn(Layer):
    def __init__(self):
        super().__init__()
        self.own = [random.Random(3), np.random.RandomState(4)]

    def factor(self):
        return float(RNG.random()) + self.own[0].random() + float(self.own[1].random())


class DrawsKeras(Layer):
    def factor(self):
        return keras.random.uniform(())


class Iterates(Layer):
    def __init__(self):
        super().__init__()
        self.ticks = itertools.count(1)

    def factor(self):
        return 1 / next(self.ticks)


class Average(Layer):
    """Keeps a Keras variable that no layer tracks, and updates a metric."""

    def __init__(self):
        super().__init__()
        variable = keras.Variable(1.0, trainable=False)
        self.holder = lambda: variable
        self.metric = keras.metrics.Mean(name="own")

    def call(self, x):
        self.holder().assign_add(1.0)
        self.metric.update_state(ops.mean(x))
        return x / self.holder()


class AlwaysNorm(layers.BatchNormalization):
    def call(self, x, training=None, mask=None):  # noqa: ARG002 - as Keras calls it
        return super().call(x, training=True, mask=mask)


def around(*inside, eager=True, optimizer="adam", shape=(8,), **options):
    def make():
        COUNT[0], InClass.total, globals()["TOTAL"] = 0, 0, 0
        RNG.bit_generator.state = np.random.default_rng(5).bit_generator.state
        made = [layer() for layer in inside]
        model = keras.Sequential([keras.Input(batch_shape=(16, *shape)), *made, layers.Dense(1)])
        given = optimizer() if callable(optimizer) else optimizer
        model.compile(given, "mse", run_eagerly=eager, jit_compile=False, **options)
        return model

    return make, shape


def tf_layers():
    """Layers that keep or draw by TensorFlow itself."""
    import tensorflow as tf

    class Counts(Layer):
        def __init__(self):
            super().__init__()
            self.box = [tf.Variable(1.0)]

        def call(self, x):
            self.box[0].assign_add(1.0)
            return x / self.box[0]

    class DrawsGenerator(Layer):
        def __init__(self):
            super().__init__()
            self.rng = tf.random.Generator.from_seed(3)

        def call(self, x):
            return x * self.rng.uniform(())

    class DrawsOps(Layer):
        def call(self, x):
            return x * tf.random.uniform(()) + tf.nn.dropout(x, 0.3, seed=3)

    return {
        "a variable of TensorFlow": around(Counts, eager=False),
        "a generator of TensorFlow": around(DrawsGenerator, eager=False),
        "eager tf.random": around(DrawsOps),
        "tf.random in a graph": around(DrawsOps, eager=False),
    }


SEQUENCE = (5, 3)
ANYWHERE = {
    "stateful LSTM": around(
        lambda: layers.LSTM(4, stateful=True, dropout=0.2), eager=False, shape=SEQUENCE
    ),
    "stateful GRU": around(lambda: layers.GRU(4, stateful=True), eager=False, shape=SEQUENCE),
    "RNN with dropout": around(
        lambda: layers.SimpleRNN(4, dropout=0.3, recurrent_dropout=0.2),
        eager=False,
        shape=SEQUENCE,
    ),
    "moving averages": around(
        lambda: layers.Dense(4, "relu"),
        eager=False,
        optimizer=lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
    ),
    "batch statistics in inference": around(AlwaysNorm, eager=False),
}
EAGER = {
    "an attribute": around(Layer),
    "a list in a dict": around(InList),
    "an array": around(InArray),
    "a class": around(InClass),
    "globals": around(InModule),
    "an object of its own": around(InObject),
    "Python's generator": around(DrawsPython),
    "NumPy's generator": around(DrawsNumpy),
    "generators of its own": around(DrawsOwn),
    "Keras' generator": around(DrawsKeras),
    "an iterator": around(Iterates),
    "a variable in a closure": around(Average),
}
#: What nobody can put back, by the word that the refusal names.
REFUSED = {
    "an iterator": "ticks",
    "eager tf.random": "RandomUniform",
    "tf.random in a graph": "RandomUniform",
}


def train(make, shape, callbacks, *, draw=None):
    """Train on 3 batches twice; give the bits of everything that is left."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    model = make()
    rng = np.random.default_rng(0)
    x = rng.standard_normal((48, *shape)).astype(np.float32)
    y = rng.standard_normal((48, 1)).astype(np.float32)

    def batches(noise):
        for start, added in zip(range(0, 48, 16), noise, strict=True):
            yield x[start : start + 16] + added, y[start : start + 16]

    history = []
    for _ in range(2):
        # drawn before: Keras asks for batches in a thread beside the one in which layers draw
        noise = [draw() if draw else np.float32(0) for _ in range(3)]
        found = model.fit(
            batches(noise),
            epochs=1,
            steps_per_epoch=3,
            shuffle=False,
            verbose=0,
            callbacks=callbacks(x[:16]),
        )
        history.append(found.history)
    states = [v for layer in model.layers for v in getattr(layer, "states", None) or []]
    return {
        "variables": [
            np.asarray(keras.ops.convert_to_numpy(v)).tobytes()
            for v in (*model.variables, *model.optimizer.variables, *states)
        ],
        "history": history,
        "drawn after": (
            random.random(),
            np.random.random(),  # noqa: NPY002 - the global state is what is looked at
            float(keras.ops.convert_to_numpy(keras.random.uniform(()))),
            float(RNG.random()),
        ),
    }
