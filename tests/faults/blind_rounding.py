"""Pairs of training steps that are equal in exact arithmetic, many of them ill-conditioned."""

import keras
import numpy as np
from blind_models import (
    IMAGES,
    KERNEL,
    ORDER,
    PAST,
    ROWS,
    SCE,
    SERIES,
    TARGETS,
    TOKENS,
    DecayFirst,
    Formula,
    Pair,
    RewrittenAdam,
    RewrittenSGD,
    X,
    around,
    attention,
    conv,
    like,
    mlp,
    mse,
    normalised,
    normalised_dense,
    own_cross_entropy,
    penalised,
    recurrent,
    vision,
    weighted,
)
from keras import layers as kl
from keras import ops
from keras import optimizers as ko


def one_pass(h):
    z = h + 50  # mean / standard deviation is about 100
    square = ops.mean(ops.square(z), -1, keepdims=True)
    return normalised(z, square - ops.square(ops.mean(z, -1, keepdims=True)))


def two_pass(h):
    z = h + 50
    centred = z - ops.mean(z, -1, keepdims=True)
    return normalised(z, ops.mean(ops.square(centred), -1, keepdims=True))


def squared_distances(h):
    return ops.sum(ops.square(h[:, None, :] - h[None, :, :]), -1)


def expanded_distances(h):
    z = h + 10  # the same shift for both rows of a pair cancels, but not in floating point
    square = ops.sum(ops.square(z), -1)
    return square[:, None] + square[None, :] - 2 * ops.matmul(z, ops.transpose(z))


def unit_by_largest(h):
    """Divide twice: the quotient does not depend on the scale, so its gradient may be stopped."""
    z = h / ops.stop_gradient(ops.max(ops.absolute(h), -1, keepdims=True))
    return z / ops.sqrt(ops.sum(ops.square(z), -1, keepdims=True))


_Q = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))[0]
STIFF = _Q @ np.diag(np.logspace(0, -4, 8)) @ _Q.T  # condition number 1e4

#: Two formulas of the hidden layer that are equal in exact arithmetic.
EQUAL_FORMULAS = {
    "variance in one pass, mean 100 standard deviations": (one_pass, two_pass),
    "1 - cos against 2 sin^2 of the half": (
        lambda h: 1e4 * (1 - ops.cos(h / 100)),
        lambda h: 2e4 * ops.square(ops.sin(h / 200)),
    ),
    # softplus(z) for z near -12 is 6e-6: 1 + exp(z) keeps two of its digits
    "log(1 + exp) far left against softplus": (
        lambda h: 1e5 * ops.log(1 + ops.exp(h - 12)),
        lambda h: 1e5 * ops.softplus(h - 12),
    ),
    "a^2 - b^2 against (a - b)(a + b)": (
        lambda h: ops.square(h + 30) - ops.square(0.9 * h + 30),
        lambda h: (h + 30 - (0.9 * h + 30)) * (h + 30 + (0.9 * h + 30)),
    ),
    "a cube expanded near its root": (
        lambda h: 1e3 * ops.power(h / 10, 3),
        lambda h: (
            1e3 * (ops.power(1 + h / 10, 3) - 3 * ops.square(1 + h / 10) + 3 * (1 + h / 10) - 1)
        ),
    ),
    "tanh from a sigmoid near 0": (
        lambda h: 1e3 * ops.tanh(h / 1e3),
        lambda h: 1e3 * (2 * ops.sigmoid(2 * h / 1e3) - 1),
    ),
    "softmax with and without its maximum": (
        lambda h: ops.exp(5 * h) / ops.sum(ops.exp(5 * h), -1, keepdims=True),
        lambda h: ops.softmax(5 * h, axis=-1),
    ),
    "cumulative sum against a triangle of ones": (
        lambda h: ops.cumsum(h, axis=-1),
        lambda h: ops.matmul(h, like(h, np.triu(np.ones((8, 8))))),
    ),
    "norm scaled by the largest": (
        lambda h: h / ops.sqrt(ops.sum(ops.square(h), -1, keepdims=True)),
        unit_by_largest,
    ),
    "sum of the sorted": (
        lambda h: h * ops.sum(h, -1, keepdims=True),
        lambda h: h * ops.sum(ops.sort(h, -1), -1, keepdims=True),
    ),
    "distances of rows expanded": (
        lambda h: ops.matmul(ops.exp(-squared_distances(h)), h),
        lambda h: ops.matmul(ops.exp(-expanded_distances(h)), h),
    ),
    "sqrt(1 + z) - 1 against its conjugate": (
        lambda h: 1e4 * (ops.sqrt(1 + h / 1e4) - 1),
        lambda h: h / (ops.sqrt(1 + h / 1e4) + 1),
    ),
    "standardised in one quotient or two": (
        lambda h: (0.01 * h + 10 - 10) / 0.01,
        lambda h: (0.01 * h + 10) / 0.01 - 10 / 0.01,
    ),
    "inverse of a stiff matrix against solving": (
        lambda h: ops.matmul(h, ops.inv(like(h, STIFF.T))) / 1e3,
        lambda h: ops.transpose(ops.solve(like(h, STIFF), ops.transpose(h))) / 1e3,
    ),
    "h h' h in two orders": (
        lambda h: ops.matmul(ops.matmul(h, ops.transpose(h)), h) / 30,
        lambda h: ops.matmul(h, ops.matmul(ops.transpose(h), h)) / 30,
    ),
    "product through logarithms": (
        lambda h: ops.cumprod(h + 2, axis=-1) / 100,
        lambda h: ops.exp(ops.cumsum(ops.log(h + 2), axis=-1)) / 100,
    ),
    "gelu from either tail": (
        lambda h: 2 * h * (1 + ops.erf(4 * h / 2**0.5)),
        lambda h: 4 * h - 2 * h * (1 - ops.erf(4 * h / 2**0.5)),
    ),
    "log sigmoid by its parts": (
        lambda h: ops.log_sigmoid(8 * h),
        lambda h: ops.log(1 / (1 + ops.exp(-8 * h))),
    ),
    "leaky relu by maximum or where": (  # to the bit
        lambda h: ops.maximum(h, 0.3 * h),
        lambda h: ops.where(h > 0, h, 0.3 * h),
    ),
}


def shifted_products(x, kernel):
    """Return the "valid" convolution as nine products of shifted images."""
    parts = [
        ops.matmul(x[:, i : i + 8, j : j + 8, :], kernel[i, j]) for i in range(3) for j in range(3)
    ]
    return sum(parts[1:], parts[0])


def batch_normalised(folded):
    def formula(x, gamma, beta):
        mean, variance = ops.mean(x, 0), ops.var(x, 0)
        scale = gamma / ops.sqrt(variance + 1e-3)
        if folded:
            return x * scale + (beta - mean * scale)
        return (x - mean) / ops.sqrt(variance + 1e-3) * gamma + beta

    return weighted(formula, {"gamma": ((8,), "ones"), "beta": ((8,), "zeros")})


def layer_normalised(x, gamma, beta):
    centred = x - ops.mean(x, -1, keepdims=True)
    spread = ops.mean(ops.square(centred), -1, keepdims=True)
    return centred / ops.sqrt(spread + 1e-3) * gamma + beta


def reading(one_hot):
    def look(tokens, table):
        if one_hot:
            return ops.matmul(ops.one_hot(tokens, 20, dtype=table.dtype), table)
        return ops.take(table, tokens, axis=0)

    table = {"table": ((20, 6), keras.initializers.RandomNormal(seed=4))}
    return vision(lambda: [Formula(look, table, name="embedding")], (8,), dtype="int32")


def swapped(first):
    """A 1x1 convolution and a mean over windows, both linear."""

    def inner():
        conv, pool = kl.Conv2D(5, 1, name="conv"), kl.AveragePooling2D(3)
        return [conv, pool] if first else [pool, conv]

    return vision(inner)


def pooled(relu_first):
    def inner():
        relu, pool = kl.ReLU(), kl.MaxPooling2D(2)
        return [kl.Conv2D(4, 3, name="conv"), *((relu, pool) if relu_first else (pool, relu))]

    return vision(inner)


def expanded_mse(true, pred):
    return ops.mean(ops.square(true) - 2 * true * pred + ops.square(pred), -1)


def plain_mse(true, pred):
    return ops.mean(ops.square(true - pred), -1)


def summed(true, pred):
    return ops.sum(own_cross_entropy(true, pred)) / 30


def rounding_pairs():
    def pair(name, a, b, batch=ROWS, **options):
        return Pair(name, "rounding", a, b, batch, options)

    for name, (f, g) in EQUAL_FORMULAS.items():
        yield pair(name, mlp(f), mlp(g))
    two = {"one": KERNEL, "two": KERNEL}
    yield pair(
        "(xA)B against x(AB)",
        weighted(lambda x, one, two: ops.matmul(ops.matmul(x, one), two), two),
        weighted(lambda x, one, two: ops.matmul(x, ops.matmul(one, two)), two),
    )
    yield pair(
        "hidden units permuted and back",
        weighted(lambda x, one, two: ops.matmul(ops.relu(ops.matmul(x, one)), two), two),
        weighted(
            lambda x, one, two: ops.matmul(
                ops.relu(ops.matmul(x, ops.take(one, ORDER, 1))), ops.take(two, ORDER, 0)
            ),
            two,
        ),
    )
    yield pair(
        "one product against two of its halves",
        weighted(lambda x, one: ops.matmul(x, one), {"one": KERNEL}),
        weighted(
            lambda x, one: ops.matmul(x[:, :3], one[:3]) + ops.matmul(x[:, 3:], one[3:]),
            {"one": KERNEL},
        ),
    )
    yield pair(
        "Dense against EinsumDense",
        around(lambda: [kl.Dense(8, name="middle")]),
        around(lambda: [kl.EinsumDense("ab,bc->ac", 8, bias_axes="c", name="middle")]),
    )
    yield pair("batch normalisation folded", batch_normalised(False), batch_normalised(True))
    norm = {"gamma": ((8,), "ones"), "beta": ((8,), "zeros")}
    yield pair(
        "LayerNormalization against its formula",  # Keras' default epsilon is 1e-3
        around(lambda: [kl.LayerNormalization(name="formula")]),
        weighted(layer_normalised, norm),
    )
    kernel = {"kernel": ((3, 3, 3, 4), "glorot_uniform")}
    yield pair(
        "convolution as nine products",
        vision(lambda: [Formula(shifted_products, kernel, name="conv")]),
        vision(lambda: [Formula(lambda x, kernel: ops.conv(x, kernel), kernel, name="conv")]),
        IMAGES,
    )
    yield pair("1x1 convolution and mean swapped", swapped(True), swapped(False), IMAGES)
    # relu is monotone, and where the largest is not positive both gradients are zero: to the bit
    yield pair("relu and maximum swapped", pooled(True), pooled(False), IMAGES)
    yield pair("padding same against zeros by hand", conv("same"), conv(before=[1]), IMAGES)
    yield pair(
        "query scaled, or the scores", attention(before=True), attention(before=False), SERIES
    )
    yield pair(
        "mask by -inf, or by adding -1e9",  # exp(-1e9) is zero in either precision
        attention(before=True, mask=lambda s: ops.where(PAST, s, -np.inf)),
        attention(before=True, mask=lambda s: s + like(s, np.where(PAST, 0, -1e9))),
        SERIES,
    )
    yield pair("embedding by looking up, or one-hot", reading(False), reading(True), TOKENS)
    yield pair("LSTM unrolled", recurrent(), recurrent(unroll=True), SERIES)
    yield pair("GRU unrolled", recurrent(kl.GRU), recurrent(kl.GRU, unroll=True), SERIES)
    yield pair("XLA on a dense network", mlp(hidden="gelu"), mlp(hidden="gelu", jit_compile=True))
    yield pair("XLA on a convolution", conv(), conv(jit_compile=True), IMAGES)
    yield pair("eagerly", mlp(), mlp(run_eagerly=True))
    yield pair(
        "softmax in the model, or in the loss",  # no probability is near the 1e-7 of the clipping
        mlp(),
        mlp(end=lambda h: ops.softmax(h, axis=-1) * 1, loss=lambda: SCE),
    )
    yield pair(
        "mean, or sum over 30", mlp(loss=lambda: own_cross_entropy), mlp(loss=lambda: summed)
    )
    far = (X, TARGETS[1] + 100)
    yield pair(
        "square expanded, targets near 100",
        mse(end=lambda h: h + 100, loss=lambda: plain_mse),
        mse(end=lambda h: h + 100, loss=lambda: expanded_mse),
        far,
    )
    yield pair(
        "Adam as in the paper, epsilon converted",
        mlp(optimizer=lambda: ko.Adam(name="rule"), warm=True),
        mlp(optimizer=RewrittenAdam, warm=True),
    )
    yield pair(
        "Nesterov in another form",
        mlp(optimizer=lambda: ko.SGD(0.1, 0.9, nesterov=True, name="rule"), warm=True),
        mlp(optimizer=lambda: RewrittenSGD(0.1, 0.9), warm=True),
    )
    yield pair(
        "decay before or in the step",  # Keras decays by w -= w decay rate, then takes the step
        mlp(optimizer=lambda: ko.SGD(0.1, weight_decay=0.01, name="rule")),
        mlp(optimizer=lambda: DecayFirst(0.1, 0.01)),
    )
    # The two differ by rounding alone, also in the bias without a true gradient, which is small
    # beside Adam's epsilon in float64.
    yield pair(
        "Adam on Dense-BatchNormalization, XLA",
        normalised_dense(optimizer=ko.Adam),
        normalised_dense(optimizer=ko.Adam, jit_compile=True),
    )
    yield pair(
        "L2 as a sum, or as a mean times its size",
        penalised(keras.regularizers.L2(2**-7)),  # a power of two, which float32 holds
        penalised(lambda w: 0.75 * ops.mean(ops.square(w))),  # 2^-7 of 12 x 8 weights
    )
    # By construction, to the bit: no gradient is as long as 1e6; no velocity yet to be multiplied;
    # smoothing by nothing; a mask of ones.
    yield pair("clipnorm never reached", mlp(), mlp(optimizer=lambda: ko.SGD(0.1, clipnorm=1e6)))
    yield pair(
        "momentum .9 and .91 without a past",
        mlp(optimizer=lambda: ko.SGD(0.1, 0.9)),
        mlp(optimizer=lambda: ko.SGD(0.1, 0.91)),
    )
