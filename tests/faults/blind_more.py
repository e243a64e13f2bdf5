"""A second blind set: the steps that are different computations, and the list of all its pairs."""

import keras
import numpy as np
from blind_models import (
    IMAGES,
    ROWS,
    SERIES,
    TARGETS,
    Pair,
    X,
    Y,
    around,
    mlp,
    model,
    mse,
    normalised_dense,
    vision,
)
from blind_more_models import (
    BYTES,
    CLASS,
    QKV,
    held,
    named,
    own,
    regular,
)
from blind_more_rounding import ROUNDING
from keras import layers as kl
from keras import ops
from keras import optimizers as ko

# --- formulas -------------------------------------------------------------------------------------


def scores(scale, stopped=False):
    """Attention with the given scale of its scores."""

    def formula(x, q, k, v, bias):
        q, k, v = ops.matmul(x, q), ops.matmul(x, k) + bias, ops.matmul(x, v)
        weights = ops.softmax(ops.matmul(q, ops.swapaxes(k, -1, -2)) * scale, axis=-1)
        return ops.matmul(ops.stop_gradient(weights) if stopped else weights, v)

    return formula


def pooled(layer):
    return vision(lambda: [kl.Conv2D(4, 3, name="conv"), layer()])


def focal(gamma):
    def loss(true, pred):
        true = ops.one_hot(ops.cast(ops.reshape(true, (-1,)), "int32"), 4, dtype=pred.dtype)
        logs = ops.log_softmax(pred)
        return -ops.sum(true * (1 - ops.exp(logs)) ** gamma * logs, -1)

    return lambda: loss


def rated(schedule):
    return mlp(optimizer=lambda: ko.SGD(schedule()))


def biased(**options):
    """Weights whose biases are not zero, so that a decay of them shows."""

    def rule():
        adam = ko.AdamW(0.01, weight_decay=0.02, name="rule")
        if options:
            adam.exclude_from_weight_decay(**options)
        return adam

    return model(
        (12,),
        lambda: [
            kl.Dense(8, "tanh", bias_initializer="normal", name="hidden"),
            kl.Dense(4, bias_initializer="normal", name="logits"),
        ],
        optimizer=rule,
    )


def changed(where, value):
    """The rows with one entry changed."""
    part = where.copy()
    part.flat[5] = value
    return part


def standard(ddof):
    return ((X - X.mean(0)) / X.std(0, ddof=ddof)).astype("float32"), Y


class Unbiased(kl.BatchNormalization):
    """Batch normalization whose moving variance holds the variance of a sample, n / (n - 1)."""

    def call(self, x, training=None):
        before = self.moving_variance + 0
        out = super().call(x, training=training)
        gained = self.moving_variance - self.momentum * before
        self.moving_variance.assign_add(gained / 29)
        return out


def different(name, make_a, make_b, batch=ROWS, **options):
    return Pair(name, "different", make_a, make_b, batch, options)


BATCH = {"make_a": mlp(), "make_b": mlp()}
HALF = (X.astype("float16").astype("float32"), Y)
WEIGHTS = CLASS[Y].astype("float32")
TWICE = tuple(np.concatenate([part[:29], part[:1]]) for part in ROWS)
PIXEL = (changed(IMAGES[0], IMAGES[0].flat[5] + np.float32(1 / 255)), IMAGES[1])

DIFFERENT = [
    # Another scale of the scores, by 0.1 percent.
    different(
        "scores scaled by 1.001",
        own(scores(0.4), QKV, (7, 6)),
        own(scores(0.4004), QKV, (7, 6)),
        SERIES,
    ),
    # No gradient through the attention weights.
    different(
        "attention weights stopped",
        own(scores(0.4), QKV, (7, 6)),
        own(scores(0.4, True), QKV, (7, 6)),
        SERIES,
    ),
    # Some errors are over the threshold.
    different(
        "Huber's threshold",
        mse(loss=lambda: "huber"),
        mse(loss=lambda: keras.losses.Huber(1.01)),
        TARGETS,
    ),
    # (1 - p)^0 and (1 - p)^0.001.
    different("focal by a thousandth", mlp(loss=focal(0)), mlp(loss=focal(0.001))),
    # The weights' mean is not one.
    different(
        "class weights normalised",
        batch=(X, Y, WEIGHTS),
        batch_b=(X, Y, WEIGHTS / WEIGHTS.mean()),
        **BATCH,
    ),
    # The first weights agree; the past they leave does not.
    different("second beta of Lion", named(ko.Lion, 1e-3), named(ko.Lion, 1e-3, beta_2=0.98)),
    # L1 of the proximal rule.
    different(
        "L1 of Ftrl", named(ko.Ftrl, 0.05), named(ko.Ftrl, 0.05, l1_regularization_strength=1e-3)
    ),
    # The first update's root mean square is over the threshold.
    different(
        "threshold of Adafactor",
        named(ko.Adafactor, 0.01),
        named(ko.Adafactor, 0.01, clip_threshold=0.9),
    ),
    # The decay spares the biases.
    different("biases not decayed", biased(), biased(var_names=["bias"])),
    # Decay beside the step, or within the gradient.
    different(
        "decay or penalty",
        named(ko.AdamW, 0.01, weight_decay=0.02),
        model(
            (12,),
            lambda: [
                kl.Dense(n, a, name=name, kernel_regularizer=keras.regularizers.L2(0.01))
                for n, a, name in ((8, "tanh", "hidden"), (4, None, "logits"))
            ],
            optimizer=lambda: ko.AdamW(0.01, weight_decay=0, name="rule"),
        ),
    ),
    # The clip acts on each gradient or on all.
    different(
        "clipped one by one or together",
        named(ko.SGD, 0.1, clipnorm=0.05),
        named(ko.SGD, 0.1, global_clipnorm=0.05),
    ),
    # The first rate of the warm-up.
    different(
        "warm-up",
        rated(lambda: ko.schedules.CosineDecay(0.1, 100)),
        rated(lambda: ko.schedules.CosineDecay(0.09, 100, warmup_target=0.1, warmup_steps=10)),
    ),
    # After the second step the averages have another past.
    different(
        "momentum of the average",
        named(ko.SGD, 0.1, use_ema=True),
        named(ko.SGD, 0.1, use_ema=True, ema_momentum=0.9),
    ),
    # Some columns are longer than the bound.
    different(
        "MaxNorm reached",
        held(lambda: keras.constraints.MaxNorm(0.7)),
        held(lambda: keras.constraints.MaxNorm(0.69)),
    ),
    # A faint penalty.
    different(
        "faint L2",
        regular(lambda: keras.regularizers.L2(1e-5)),
        regular(lambda: keras.regularizers.L2(2e-5)),
    ),
    # The moving variance alone: n or n - 1.
    different(
        "moving variance of a sample", normalised_dense(), around(lambda: [Unbiased(name="norm")])
    ),
    # The moving statistics alone.
    different(
        "momentum of the statistics", normalised_dense(), normalised_dense(bn={"momentum": 0.9})
    ),
    # One of 30 labels.
    different("one label", batch_b=(X, changed(Y, (Y[5] + 1) % 4)), **BATCH),
    # One pixel by the least step of a byte.
    different(
        "one pixel by 1/255",
        pooled(lambda: kl.MaxPooling2D(2)),
        pooled(lambda: kl.MaxPooling2D(2)),
        IMAGES,
        batch_b=PIXEL,
    ),
    # Another scale of all pixels.
    different(
        "over 255 or 256",
        batch=(BYTES[0] / np.float32(255), Y),
        batch_b=(BYTES[0] / np.float32(256), Y),
        **BATCH,
    ),
    # Other inputs, by 2^-12 of themselves.
    different("inputs rounded to float16", batch_b=HALF, **BATCH),
    # n or n - 1 in the standard deviation.
    different("standardised by n - 1", batch=standard(0), batch_b=standard(1), **BATCH),
    # The last row left out, the first row twice.
    different("a row twice", batch_b=TWICE, **BATCH),
]

PAIRS = ROUNDING + DIFFERENT
