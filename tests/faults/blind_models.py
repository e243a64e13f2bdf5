"""The models, rules and data of the pairs in blind_pairs.py."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers as kl
from keras import ops
from keras import optimizers as ko

SCE = "sparse_categorical_crossentropy"


@dataclass(frozen=True)
class Pair:
    name: str
    truth: str  # "rounding" or "different"
    make_a: Callable[[], Any]
    make_b: Callable[[], Any]
    batch: tuple
    options: dict = field(default_factory=dict)  # keyword arguments for judge_step


class Formula(kl.Layer):
    """A formula of its input and of weights drawn in the order of their names."""

    def __init__(self, formula, weights, **kwargs):
        super().__init__(**kwargs)
        self.formula, self.shapes = formula, weights

    def build(self, _):
        self.drawn = {
            name: self.add_weight(shape=shape, initializer=start, name=name)
            for name, (shape, start) in self.shapes.items()
        }

    def call(self, x):
        return self.formula(x, **{name: ops.convert_to_tensor(v) for name, v in self.drawn.items()})


class Calling(kl.Layer):
    """A layer called with fixed arguments."""

    def __init__(self, layer, how, **kwargs):
        super().__init__(**kwargs)
        self.layer, self.how = layer, how

    def build(self, shape):
        self.layer.build(shape)

    def call(self, x):
        return self.layer(x, **self.how)


class RewrittenSGD(ko.SGD):
    """Nesterov's step as w + v' + m (v' - v), which is w + m v' - rate g."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, name="rule", **kwargs)

    def update_step(self, gradient, variable, learning_rate):
        rate, factor = (ops.cast(x, variable.dtype) for x in (learning_rate, self.momentum))
        slot = self.momentums[self._get_variable_index(variable)]
        after = factor * slot - rate * gradient
        change = after + factor * (after - slot)
        slot.assign(after)
        variable.assign(variable + change)


class RewrittenAdam(ko.Adam):
    """The paper's Adam: corrected moments; epsilon as Keras means it, or as the paper does."""

    def __init__(self, *args, paper=False, correct=True, **kwargs):
        super().__init__(*args, name="rule", **kwargs)
        self.paper, self.correct = paper, correct

    def update_step(self, gradient, variable, learning_rate):
        kind = variable.dtype
        rate, t = ops.cast(learning_rate, kind), ops.cast(self.iterations + 1, kind)
        m = self._momentums[self._get_variable_index(variable)]
        v = self._velocities[self._get_variable_index(variable)]
        m.assign(self.beta_1 * m + (1 - self.beta_1) * gradient)
        v.assign(self.beta_2 * v + (1 - self.beta_2) * ops.square(gradient))
        one = 1 - ops.power(ops.cast(self.beta_1, kind), t) if self.correct else 1
        two = 1 - ops.power(ops.cast(self.beta_2, kind), t) if self.correct else 1
        epsilon = self.epsilon if self.paper else self.epsilon / ops.sqrt(two)
        variable.assign(variable - rate * (m / one) / (ops.sqrt(v / two) + epsilon))


class DecayFirst(ko.SGD):
    """w (1 - rate decay) - rate g, in one line."""

    def __init__(self, rate, decay):
        super().__init__(rate, name="rule")
        self.decay = decay

    def update_step(self, gradient, variable, learning_rate):
        rate, decay = (ops.cast(x, variable.dtype) for x in (learning_rate, self.decay))
        variable.assign(variable * (1 - rate * decay) - rate * gradient)


def like(x, value):
    """Return a constant in the dtype in which `x` is computed."""
    return ops.cast(ops.convert_to_tensor(np.asarray(value, "float64")), x.dtype)


def model(shape, stack, optimizer=None, loss=None, warm=False, dtype=None, **options):
    """Return a maker of `stack()`; `warm` gives the optimizer a past of drawn slots."""

    def make():
        keras.utils.set_random_seed(11)
        net = keras.Sequential([keras.Input(shape, dtype=dtype), *stack()], name="net")
        how = {"jit_compile": False, **options}
        net.compile(
            optimizer=optimizer() if optimizer else ko.SGD(0.1),
            loss=loss() if loss else keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            **how,
        )
        net.optimizer.build(net.trainable_variables)
        rng = np.random.default_rng(5)
        for slot in net.optimizer.variables[2:] if warm else ():
            size = 0.01 * rng.normal(size=slot.shape).astype("float32")
            slot.assign(size * size if "velocity" in slot.path else size)
        return net

    return make


def mlp(middle=None, front=None, end=None, hidden="tanh", **options):
    """Dense-formula-Dense on 12 features."""

    def stack():
        parts = (
            front and kl.Lambda(front),
            kl.Dense(8, hidden, name="hidden"),
            middle and kl.Lambda(middle),
            kl.Dense(4, name="logits"),
            end and kl.Lambda(end),
        )
        return [part for part in parts if part is not None]

    return model((12,), stack, **options)


def around(*middle, shape=(12,), **options):
    """Dense - the given layers' maker - Dense."""
    (inner,) = middle
    return model(
        shape,
        lambda: [kl.Dense(8, "tanh", name="hidden"), *inner(), kl.Dense(4, name="logits")],
        **options,
    )


def vision(inner, shape=(10, 10, 3), **options):
    """The given layers' maker - Flatten - Dense."""
    return model(shape, lambda: [*inner(), kl.Flatten(), kl.Dense(4, name="logits")], **options)


def weighted(formula, weights, **options):
    return around(lambda: [Formula(formula, weights, name="formula")], **options)


def mse(**options):
    """Regression of 4 targets."""
    options.setdefault("loss", lambda: "mse")
    return mlp(**options)


def conv(padding="valid", strides=1, before=(), activation="relu", **options):
    return vision(
        lambda: [
            *(kl.ZeroPadding2D(pad) for pad in before),
            kl.Conv2D(4, 3, strides, padding, activation=activation, name="conv"),
        ],
        **options,
    )


def recurrent(kind=kl.LSTM, shape=(7, 6), **options):
    return model(shape, lambda: [kind(5, name="memory", **options), kl.Dense(4, name="logits")])


def attend(q, k, v, before, mask=None, scale=6**-0.5):
    scores = (
        ops.matmul(q * scale, ops.swapaxes(k, -1, -2))
        if before
        else (ops.matmul(q, ops.swapaxes(k, -1, -2)) * scale)
    )
    return ops.matmul(ops.softmax(scores if mask is None else mask(scores), axis=-1), v)


def attention(**options):
    """Self-attention with one head and its own weights, on SERIES."""
    kernel = ((6, 6), keras.initializers.RandomNormal(stddev=0.5, seed=2))

    def formula(x, q, k, v):
        return attend(*(ops.matmul(x, w) for w in (q, k, v)), **options)

    return vision(
        lambda: [Formula(formula, {"q": kernel, "k": kernel, "v": kernel}, name="heads")], (7, 6)
    )


PAST = np.tril(np.ones((7, 7), bool))
KERNEL = ((8, 8), "glorot_uniform")
ORDER = [3, 0, 7, 1, 6, 2, 5, 4]


def normalised_dense(**options):
    """Dense-BatchNormalization-Dense: the first bias has a true gradient of zero."""
    bn = options.pop("bn", {})
    how = options.pop("call", {})

    def inner():
        layer = kl.BatchNormalization(name="norm", **bn)
        return [layer] if not how else [Calling(layer, how, name="calling")]

    return around(inner, **options)


def penalised(regularizer):
    return model(
        (12,),
        lambda: [
            kl.Dense(8, "tanh", name="hidden", kernel_regularizer=regularizer),
            kl.Dense(4, name="logits"),
        ],
    )


def normalised(z, variance):
    return (z - ops.mean(z, -1, keepdims=True)) / ops.sqrt(variance + 1e-3)


def own_cross_entropy(true, pred):
    true = ops.one_hot(ops.cast(ops.reshape(true, (-1,)), "int32"), 4, dtype=pred.dtype)
    return ops.sum(true * (ops.logsumexp(pred, axis=-1, keepdims=True) - pred), -1)


# --- data -----------------------------------------------------------------------------------------

RNG = np.random.default_rng(13)
X = RNG.normal(size=(30, 12)).astype("float32")
Y = RNG.integers(0, 4, 30)
ROWS = (X, Y)
TARGETS = (X, RNG.normal(size=(30, 4)).astype("float32"))
IMAGES = (RNG.uniform(size=(9, 10, 10, 3)).astype("float32"), RNG.integers(0, 4, 9))
SERIES = (RNG.normal(size=(10, 7, 6)).astype("float32"), RNG.integers(0, 4, 10))
TOKENS = (RNG.integers(1, 20, (10, 8)) * (np.arange(8) < RNG.integers(3, 8, (10, 1))), SERIES[1])
WIDE = (RNG.uniform(size=(512, 784)).astype("float32"), RNG.integers(0, 4, 512))

# --- optimizers written otherwise ----------------------------------------------------------------
