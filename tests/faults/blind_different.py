"""Pairs of training steps that are different computations, many of them by very little."""

import keras
import numpy as np
from blind_models import (
    IMAGES,
    PAST,
    ROWS,
    SERIES,
    TARGETS,
    TOKENS,
    WIDE,
    Pair,
    RewrittenAdam,
    X,
    Y,
    around,
    attention,
    conv,
    mlp,
    model,
    mse,
    normalised,
    normalised_dense,
    penalised,
    recurrent,
    vision,
)
from keras import layers as kl
from keras import ops
from keras import optimizers as ko

THIRD = np.float64(1 / 3)

#: Two formulas of the hidden layer that are not equal.
OTHER_FORMULAS = {
    "a constant through float16": (
        lambda h: h * 0.1,
        lambda h: h * ops.cast(np.float16(0.1), h.dtype),
    ),
    "a constant through bfloat16": (
        lambda h: h * float(THIRD),
        lambda h: h * ops.cast(ops.cast(float(THIRD), "bfloat16"), h.dtype),
    ),
    "a third to four digits": (lambda h: h / 3, lambda h: h * 0.3333),
    "gelu by erf or tanh": (
        lambda h: ops.gelu(h, approximate=False),
        lambda h: ops.gelu(h, approximate=True),
    ),
    "leaky relu .3 or .2": (
        lambda h: ops.leaky_relu(h, negative_slope=0.3),
        lambda h: ops.leaky_relu(h, negative_slope=0.2),
    ),
    "variance over n or n - 1": (
        lambda h: normalised(h, ops.var(h, -1, keepdims=True)),
        lambda h: normalised(h, ops.var(h, -1, keepdims=True) * (8 / 7)),
    ),
    # The forward pass is the same, to the bit; the gradient is not.
    "gradient of the norm stopped": (
        lambda h: h / ops.norm(h, axis=-1, keepdims=True),
        lambda h: h / ops.stop_gradient(ops.norm(h, axis=-1, keepdims=True)),
    ),
    "softmax over the batch": (lambda h: ops.softmax(h, axis=-1), lambda h: ops.softmax(h, axis=0)),
    "relu capped at 1 for few": (lambda h: ops.relu(h), lambda h: ops.minimum(ops.relu(h), 0.95)),
    "a guard of 1e-6 in a norm": (
        lambda h: h / ops.norm(h, axis=-1, keepdims=True),
        lambda h: h / (ops.norm(h, axis=-1, keepdims=True) + 1e-6),
    ),
}


def dropped(rate, seed):
    return around(lambda: [kl.Dropout(rate, seed=seed, name="drop")])


def layer_norm(epsilon):
    return around(lambda: [kl.LayerNormalization(epsilon=epsilon, name="norm")])


def resized(*args, **options):
    return vision(lambda: [kl.Lambda(lambda x: ops.image.resize(x, (4, 4), *args, **options))])


def masked(zero):
    return model(
        (8,),
        lambda: [
            kl.Embedding(20, 6, mask_zero=zero, name="table"),
            kl.LSTM(5, name="memory"),
            kl.Dense(4, name="logits"),
        ],
        dtype="int32",
    )


def ordered(norm_first):
    def inner():
        norm, relu = kl.BatchNormalization(name="norm"), kl.ReLU()
        return [norm, relu] if norm_first else [relu, norm]

    return around(inner)


def averaged(same):
    pool = {"pool_size": 3, "strides": 2}

    def inner():
        if same:  # a mean over the pixels that are there
            return [kl.AveragePooling2D(**pool, padding="same"), kl.Conv2D(2, 1, name="conv")]
        pad = kl.ZeroPadding2D(((0, 1), (0, 1)))
        return [pad, kl.AveragePooling2D(**pool), kl.Conv2D(2, 1, name="conv")]

    return vision(inner)


def frozen(trainable):
    return model(
        (12,),
        lambda: [
            kl.Dense(8, "tanh", name="hidden", trainable=trainable),
            kl.Dense(4, name="logits"),
        ],
    )


def changed(batch, **spots):
    """Return copies of inputs and labels with `x` or `y` = (index, value) put in."""
    x, y = batch[0].copy(), batch[1].copy()
    for array, key in ((x, "x"), (y, "y")):
        if key in spots:
            where, value = spots[key]
            array[where] = value
    return x, y


def smoothed(amount):
    def loss():
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=amount)

    return mlp(loss=loss)


def floored(epsilon):
    def loss(true, pred):
        true = ops.one_hot(ops.cast(ops.reshape(true, (-1,)), "int32"), 4, dtype=pred.dtype)
        return -ops.sum(true * ops.log(ops.softmax(pred, axis=-1) + epsilon), -1)

    return lambda: loss


def different_pairs():
    def pair(name, a, b, batch=ROWS, **options):
        return Pair(name, "different", a, b, batch, options)

    def rules(name, a, b, **options):
        return pair(name, mlp(optimizer=a, **options), mlp(optimizer=b, **options))

    for name, (f, g) in OTHER_FORMULAS.items():
        yield pair(name, mlp(f), mlp(g))
    yield rules("Adam epsilon 1e-7 or 1e-8", ko.Adam, lambda: ko.Adam(epsilon=1e-8))
    yield rules(
        "Adam epsilon as in the paper",
        lambda: ko.Adam(name="rule"),
        lambda: RewrittenAdam(paper=True),
        warm=True,
    )
    yield rules(
        "Adam without its correction",
        lambda: ko.Adam(name="rule"),
        lambda: RewrittenAdam(correct=False),
        warm=True,
    )
    yield rules(
        "Adam beta_2 .999 or .9999", ko.Adam, lambda: ko.Adam(beta_2=0.9999)
    )  # the first update is nearly the same, the velocity is ten times smaller
    # a change of 1e-7 of each weight, or about one ulp
    yield rules("AdamW decay 1e-4 or none", ko.Adam, lambda: ko.Adam(weight_decay=1e-4))
    yield rules(
        "Lion decay .01 or none", lambda: ko.Lion(1e-4), lambda: ko.Lion(1e-4, weight_decay=0.01)
    )
    yield rules(
        "SGD decay 1e-4 or none", lambda: ko.SGD(0.1), lambda: ko.SGD(0.1, weight_decay=1e-4)
    )
    yield rules(
        "momentum .9 or .91 with a past",
        lambda: ko.SGD(0.1, 0.9),
        lambda: ko.SGD(0.1, 0.91),
        warm=True,
    )
    yield rules(
        "Nesterov or not without a past",
        lambda: ko.SGD(0.1, 0.9),
        lambda: ko.SGD(0.1, 0.9, nesterov=True),
    )
    yield rules("rate 1e-3 or 1.0001e-3", lambda: ko.SGD(1e-3), lambda: ko.SGD(1.0001e-3))
    yield rules("clipnorm that is reached", lambda: ko.SGD(0.1), lambda: ko.SGD(0.1, clipnorm=0.05))
    yield rules(
        "clipnorm for each or for all",
        lambda: ko.SGD(0.1, clipnorm=0.05),
        lambda: ko.SGD(0.1, global_clipnorm=0.05),
    )
    yield rules("RMSprop rho .9 or .9001", ko.RMSprop, lambda: ko.RMSprop(rho=0.9001), warm=True)
    yield pair("L2 of 1e-5 or none", penalised(None), penalised(keras.regularizers.L2(1e-5)))
    yield pair(
        "L2 in the loss or decay beside it",  # equal for SGD, not for Adam
        model((12,), lambda: [kl.Dense(4, name="logits", kernel_regularizer="l2")], ko.Adam),
        model((12,), lambda: [kl.Dense(4, name="logits")], lambda: ko.Adam(weight_decay=0.02)),
    )
    hot = (X, np.eye(4, dtype="float32")[Y])
    yield pair("label smoothing .01 or none", smoothed(0), smoothed(0.01), hot)
    yield pair("a floor of 1e-7 in the loss", mlp(loss=floored(0)), mlp(loss=floored(1e-7)))
    # Keras undoes a softmax that is the last operation; a product behind it keeps it.
    yield pair(
        "softmax twice",
        mlp(),
        mlp(end=lambda h: ops.softmax(h, axis=-1) * 1),
    )
    # Adam's first update hardly depends on the size of the loss, but the slots do.
    total = {"reduction": "sum", "from_logits": True}
    yield pair(
        "mean or sum over the batch, Adam",
        mlp(optimizer=ko.Adam),
        mlp(optimizer=ko.Adam, loss=lambda: keras.losses.SparseCategoricalCrossentropy(**total)),
    )
    yield pair("loss weight .999", mlp(), mlp(loss_weights=[0.999]))
    yield pair(
        "Huber's delta 1 or .9",
        mse(loss=lambda: keras.losses.Huber(1.0)),
        mse(loss=lambda: keras.losses.Huber(0.9)),
        TARGETS,
    )
    wide = model((784,), lambda: [kl.Dense(8, "relu", name="hidden"), kl.Dense(4, name="logits")])
    yield pair("one label of 30", mlp(), mlp(), batch_b=changed(ROWS, y=(7, (Y[7] + 1) % 4)))
    yield pair(
        "one pixel of 512 x 784",
        wide,
        wide,
        WIDE,
        batch_b=changed(WIDE, x=((200, 300), 1 - WIDE[0][200, 300])),
    )
    yield pair(
        "one pixel of 512 x 784 by 1/255",
        wide,
        wide,
        WIDE,
        batch_b=changed(WIDE, x=((5, 6), WIDE[0][5, 6] + np.float32(1 / 255))),
    )
    yield pair("last sample dropped", mlp(), mlp(), batch_b=(X[:-1], Y[:-1]))
    yield pair("last sample all zeros", mlp(), mlp(), batch_b=changed(ROWS, x=(-1, 0), y=(-1, 0)))
    weights = np.ones(30, "float32")
    weights[3] = 1.01
    yield pair("sample weights in one run", mlp(), mlp(), batch_b=(X, Y, weights))
    yield pair(
        "one sample weight 1 or 1.01",
        mlp(),
        mlp(),
        (X, Y, np.ones(30, "float32")),
        batch_b=(X, Y, weights),
    )
    yield pair("divided by 255 or 256", mlp(front=lambda x: x / 255), mlp(front=lambda x: x / 256))
    yield pair("padding masked or not", masked(True), masked(False), TOKENS)
    yield pair("dropout rate .5 or .49", dropped(0.5, 3), dropped(0.49, 3))
    yield pair("dropout seed 3 or 4", dropped(0.5, 3), dropped(0.5, 4))
    # Only the moving statistics differ after the step; the weights are equal to the bit.
    yield pair(
        "momentum of the statistics",
        normalised_dense(),
        normalised_dense(bn={"momentum": 0.9}),
    )
    yield pair(
        "batch normalisation's epsilon",
        normalised_dense(),
        normalised_dense(bn={"epsilon": 1.01e-3}),
    )
    yield pair(
        "batch normalisation by moving statistics",
        normalised_dense(call={"training": True}),
        normalised_dense(call={"training": False}),
    )
    yield pair("layer normalisation's epsilon 1e-6 or 1e-7", layer_norm(1e-6), layer_norm(1e-7))
    yield pair("normalised before relu or after", ordered(True), ordered(False))
    # With strides of 2 on 10 pixels "same" pads at the right and bottom, zeros by hand all around.
    yield pair(
        "stride 2 padded on one side or both", conv("same", 2), conv("valid", 2, [1]), IMAGES
    )
    yield pair("mean over the padding or not", averaged(True), averaged(False), IMAGES)
    yield pair(
        "resized with antialiasing or not",
        resized("bilinear"),
        resized("bilinear", antialias=True),
        IMAGES,
    )
    yield pair(
        "attention scaled by d or its root",
        attention(before=True),
        attention(before=True, scale=1 / 6),
        SERIES,
    )
    yield pair(
        "attention that sees the future",
        attention(before=True),
        attention(before=True, mask=lambda s: ops.where(PAST, s, -np.inf)),
        SERIES,
    )
    yield pair(
        "hard sigmoid in an LSTM",
        recurrent(),
        recurrent(recurrent_activation="hard_sigmoid"),
        SERIES,
    )
    yield pair("LSTM backwards", recurrent(), recurrent(go_backwards=True), SERIES)
    yield pair("first layer frozen", frozen(True), frozen(False))
