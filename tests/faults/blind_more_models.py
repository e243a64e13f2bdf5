"""The models, rules, losses and data of the second blind set.

The author of the pairs had not seen the judge. Each truth was established by one step (two where
the first cannot show a difference) of both models in float64 from the same float32 state: the
weights, slots and moving statistics then agree to 1e-9, or they do not agree to 1e-6 of the update.
"""

import keras
import numpy as np
from blind_models import (
    ROWS,
    TARGETS,
    Formula,
    Pair,
    X,
    Y,
    around,
    like,
    mlp,
    model,
    vision,
)
from keras import layers as kl
from keras import ops
from keras import optimizers as ko

# --- formulas -------------------------------------------------------------------------------------


def own(formula, weights, shape, **options):
    """The formula, Flatten and Dense."""
    return vision(lambda: [Formula(formula, weights, name="own")], shape, **options)


def windows(x, kernel):
    """Conv1D of width 3 as one product of windows."""
    stacked = ops.concatenate([x[:, i : i + 5] for i in range(3)], -1)
    return ops.matmul(stacked, ops.reshape(kernel, (18, 4)))


def by_shifts(x, kernel):
    """Depthwise 3x3 convolution as a sum of shifted images."""
    return sum(
        x[:, i : i + 8, j : j + 8] * kernel[i, j, :, 0] for i in (2, 0, 1) for j in (1, 2, 0)
    )


def composite(x, deep, point):
    """Separable convolution as one dense convolution."""
    return ops.conv(x, ops.einsum("hwcm,cf->hwcf", deep, point[0, 0]), padding="valid")


def tiles(x, kernel):
    """Transposed convolution whose stride is the width of its kernel."""
    out = ops.einsum("bhwc,ijoc->bhiwjo", x, kernel)
    return ops.reshape(out, (-1, 20, 20, 4))


def step_of(kernel, inner):
    def step(h, x):
        h = ops.tanh(ops.matmul(x, kernel) + ops.matmul(h, inner))
        return h, h

    return step


def scanned(x, kernel, inner):
    start = ops.zeros_like(ops.matmul(x[:, 0], kernel))
    return ops.scan(step_of(kernel, inner), start, ops.swapaxes(x, 0, 1))[0]


def looped(x, kernel, inner):
    step, h = step_of(kernel, inner), ops.zeros_like(ops.matmul(x[:, 0], kernel))
    for t in range(7):
        h, _ = step(h, x[:, t])
    return h


def heads(together):
    """Attention of two heads with a bias of the keys, whose true gradient is zero."""

    def one(q, k, v):
        weights = ops.softmax(ops.matmul(q, ops.swapaxes(k, -1, -2)) / 3**0.5, axis=-1)
        return ops.matmul(weights, v)

    def formula(x, q, k, v, bias):
        parts = ops.matmul(x, q), ops.matmul(x, k) + bias, ops.matmul(x, v)
        if together:
            parts = [ops.transpose(ops.reshape(p, (-1, 7, 2, 3)), (0, 2, 1, 3)) for p in parts]
            return ops.reshape(ops.transpose(one(*parts), (0, 2, 1, 3)), (-1, 7, 6))
        return ops.concatenate([one(*(p[..., s : s + 3] for p in parts)) for s in (0, 3)], -1)

    return formula


def fourier(x, kernel):
    """Circular convolution of the hidden units with a kernel, through the Fourier transform."""
    xr, xi = ops.rfft(x)
    kr, ki = ops.rfft(ops.reshape(kernel, (1, 8)))
    return ops.irfft((xr * kr - xi * ki, xr * ki + xi * kr))


def circular(x, kernel):
    return sum(ops.roll(x, s, axis=-1) * kernel[s] for s in range(8))


def root(z):
    """The square root by Heron's iteration, to convergence."""
    y = 0.5 * (1 + z)
    for _ in range(7):
        y = 0.5 * (y + z / y)
    return y


# --- losses and rules -----------------------------------------------------------------------------


def clipped_huber(true, pred):
    """c^2 / 2 + |e| - c with c = min(|e|, 1)."""
    size = ops.abs(pred - true)
    low = ops.minimum(size, 1)
    return ops.mean(0.5 * low * low + (size - low), -1)


def cosine(true, pred):
    lengths = ops.sqrt(ops.sum(true * true, -1) * ops.sum(pred * pred, -1))
    return -ops.sum(true * pred, -1) / lengths


def one_hot(true, pred):
    return ops.one_hot(ops.cast(ops.reshape(true, (-1,)), "int32"), 4, dtype=pred.dtype)


def log_sum(true, pred):
    """Cross-entropy with a sum of exponentials whose largest is not taken out."""
    return ops.log(ops.sum(ops.exp(pred), -1)) - ops.sum(one_hot(true, pred) * pred, -1)


def by_class(true, pred):
    """Cross-entropy with a weight for each class."""
    rows = one_hot(true, pred)
    loss = keras.losses.categorical_crossentropy(rows, pred, from_logits=True)
    return loss * ops.matmul(rows, like(pred, CLASS[:, None]))[:, 0]


class Centred(ko.RMSprop):
    """The centred RMSprop with its means moved by their distance to the gradient."""

    def update_step(self, gradient, variable, learning_rate):
        rate, index = ops.cast(learning_rate, variable.dtype), self._get_variable_index(variable)
        v, m = self._velocities[index], self._average_gradients[index]
        v.assign(v + (1 - self.rho) * (gradient * gradient - v))
        m.assign(m + (1 - self.rho) * (gradient - m))
        variable.assign(variable - rate / ops.sqrt(v - m * m + self.epsilon) * gradient)


class Lerped(ko.Lion):
    """Lion with its means moved by their distance to the gradient."""

    def update_step(self, gradient, variable, learning_rate):
        rate, one, two = (
            ops.cast(x, variable.dtype) for x in (learning_rate, self.beta_1, self.beta_2)
        )
        m = self._momentums[self._get_variable_index(variable)]
        gap = gradient - m
        variable.assign(variable - rate * ops.sign(m + (1 - one) * gap))
        m.assign(m + (1 - two) * gap)


class Tied(keras.constraints.Constraint):
    """MaxNorm as a factor of at most one."""

    def __call__(self, w):
        w = ops.convert_to_tensor(w)
        norm = ops.norm(w, axis=0, keepdims=True)
        return w * ops.minimum(norm / (norm + 1e-7), 0.7 / (norm + 1e-7))


def held(constraint):
    return model(
        (12,),
        lambda: [
            kl.Dense(8, "tanh", name="hidden", kernel_constraint=constraint()),
            kl.Dense(4, name="logits"),
        ],
    )


def own_l1(w):
    return 2**-10 * ops.sum(w * ops.sign(w))


def decayed(w):
    """L1 and L2 of one kernel, in one sum."""
    return ops.sum(ops.abs(w) * (2**-10 + 2**-9 * ops.abs(w)))


def regular(regularizer):
    return (
        mlp()
        if regularizer is None
        else around(lambda: [kl.Dense(8, kernel_regularizer=regularizer(), name="middle")])
    )


def before_norm():
    """A bias whose true gradient is zero, under Adam."""
    return around(lambda: [kl.BatchNormalization(name="norm")], optimizer=lambda: ko.Adam(0.01))


def repeated(dense):
    return model((7, 6), lambda: [dense(), kl.Flatten(), kl.Dense(4, name="logits")])


def bag(counted):
    """The mean of the embeddings, looked up or from the counts of the tokens."""

    def formula(x, table):
        if not counted:
            return ops.mean(ops.take(table, x, axis=0), 1)
        counts = ops.sum(ops.one_hot(x, 20, dtype=table.dtype), 1)
        return ops.matmul(counts, table) / 8

    return own(formula, {"table": ((20, 5), "uniform")}, (8,), dtype="int32")


def sampled(*kinds):
    return vision(lambda: [kl.Conv2D(4, 3, name="conv"), *(kind(2) for kind in kinds)])


# --- data -----------------------------------------------------------------------------------------

RNG = np.random.default_rng(29)
CLASS = np.array([0.5, 2.0, 1.25, 0.75])
ORDER = RNG.permutation(30)
QKV = dict.fromkeys("qkv", ((6, 6), "glorot_uniform")) | {"bias": ((6,), "normal")}
MEMORY = {"kernel": ((6, 5), "glorot_uniform"), "inner": ((5, 5), "orthogonal")}
DEPTH = {"kernel": ((3, 3, 3, 1), "glorot_uniform")}
PARTS = {"deep": ((3, 3, 3, 1), "glorot_uniform"), "point": ((1, 1, 3, 4), "glorot_uniform")}
TILES = {"kernel": ((2, 2, 4, 3), "glorot_uniform")}
LINE = {"kernel": ((3, 6, 4), "glorot_uniform")}
RING = {"kernel": ((8,), "normal")}
BYTES = (RNG.integers(0, 256, (30, 12)).astype("float32"), Y)
SIGNS = (X, np.sign(TARGETS[1]))
DOUBLED = tuple(np.concatenate([part, part]) for part in ROWS)
PADDED = (
    np.concatenate([X, np.zeros((15, 12), "float32")]),
    np.concatenate([Y, np.zeros(15, int)]),
    np.repeat(np.float32([1.5, 0]), [30, 15]),
)
SHUFFLED = (X[ORDER], Y[ORDER])
ADAM = {"optimizer": lambda: ko.Adam(0.01)}


def named(kind, *args, warm=False, **options):
    return mlp(optimizer=lambda: kind(*args, name="rule", **options), warm=warm)


def rounded(name, make_a, make_b, batch=ROWS, **options):
    return Pair(name, "rounding", make_a, make_b, batch, options)
