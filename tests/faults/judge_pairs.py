"""Pairs of training steps with a known truth: pure rounding, or another formula.

Each family is a table of what differs. Two more files, `blind_rounding` and `blind_different`, hold
pairs by somebody who had not seen the code that judges.
"""

import math

import keras
import numpy as np
from judge_nets import CLASSES, Pair, batch_for, in_float32, maker, unfused
from keras import losses, ops

SHARED = losses.CategoricalCrossentropy(from_logits=True)
OPTIMIZERS = ("SGD", "Adam", "Lion", "Adamax", "RMSprop", "Nadam", "Adagrad", "Adadelta")
#: Stands for the state after three steps of A, when no slot is zero.
LATER = "after three steps"
#: Two formulas that are equal on paper, of features (samples, width).
EQUAL = {
    "variance in one pass, mean 100": (
        lambda x: (x + 100) / ops.sqrt(ops.var(x + 100, -1, keepdims=True) + 1),
        lambda x: (
            (x + 100)
            / ops.sqrt(
                ops.mean((x + 100) ** 2, -1, keepdims=True)
                - ops.mean(x + 100, -1, keepdims=True) ** 2
                + 1
            )
        ),
    ),
    "1 - cos": (lambda x: 1e4 * (1 - ops.cos(0.01 * x)), lambda x: 2e4 * ops.sin(0.005 * x) ** 2),
    "difference of roots": (
        lambda x: 1e3 * (ops.sqrt(x * x + 1e6) - 1e3),
        lambda x: 1e3 * x * x / (ops.sqrt(x * x + 1e6) + 1e3),
    ),
    "far from zero and back": (lambda x: x, lambda x: (x + 1000) - 1000),
    "log of a sum of exps": (
        lambda x: x - ops.logsumexp(x, -1, keepdims=True),
        lambda x: x - ops.log(ops.sum(ops.exp(x), -1, keepdims=True)),
    ),
    "softplus": (ops.softplus, lambda x: ops.log(1 + ops.exp(x))),
    "sigmoid": (ops.sigmoid, lambda x: 1 / (1 + ops.exp(-x))),
    "tanh": (ops.tanh, lambda x: 2 / (1 + ops.exp(-2 * x)) - 1),
    "softmax": (ops.softmax, lambda x: ops.exp(x) / ops.sum(ops.exp(x), -1, keepdims=True)),
    "division by three": (lambda x: x / 3, lambda x: x * (1 / 3)),
    "distributed": (lambda x: x * 0.7 + x * 0.2, lambda x: x * 0.9),
    "Horner": (lambda x: x + 0.3 * x**2 - 0.1 * x**3, lambda x: x * (1 + x * (0.3 - 0.1 * x))),
    "unit length": (
        lambda x: x / ops.sqrt(ops.sum(x * x, -1, keepdims=True) + 1e-6),
        lambda x: x * ops.rsqrt(ops.sum(ops.square(x), -1, keepdims=True) + 1e-6),
    ),
    "sum backwards": (
        lambda x: x - ops.cumsum(x, -1),
        lambda x: x - ops.flip(ops.cumsum(ops.flip(x, -1), -1), -1) * 0 - ops.cumsum(x, -1),
    ),
    "mean of halves": (
        lambda x: x - ops.mean(x, -1, keepdims=True),
        lambda x: (
            x - (ops.mean(x[:, :8], -1, keepdims=True) + ops.mean(x[:, 8:], -1, keepdims=True)) / 2
        ),
    ),
    "exp of a sum": (lambda x: ops.exp(0.1 * x + 0.3), lambda x: ops.exp(0.1 * x) * math.exp(0.3)),
    "doubled angle": (lambda x: ops.sin(2 * x), lambda x: 2 * ops.sin(x) * ops.cos(x)),
    "gelu with a float32 constant": (
        lambda x: 0.5 * x * (1 + ops.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        lambda x: (
            0.5 * x * (1 + ops.tanh(np.float32(math.sqrt(2 / math.pi)) * (x + 0.044715 * x**3)))
        ),
    ),
    "a cast to float32": (
        lambda x: 0.3 * x,
        lambda x: ops.cast(0.3 * ops.cast(x, "float32"), x.dtype),
    ),
    "squared distance": (
        lambda x: ops.sum((x - 5) ** 2, -1, keepdims=True) - x,
        lambda x: ops.sum(x * x, -1, keepdims=True) - 10 * ops.sum(x, -1, keepdims=True) + 400 - x,
    ),
}
#: Two formulas that are close and not equal.
UNEQUAL = {
    "a constant in float16": (lambda x: 0.1 * x, lambda x: float(np.float16(0.1)) * x),
    "a constant in bfloat16": (lambda x: x / 3, lambda x: x * 0.333984375),
    "a shorter pi": (lambda x: ops.sin(math.pi * x), lambda x: ops.sin(3.1416 * x)),
    "gelu's constant cut": (
        lambda x: 0.5 * x * (1 + ops.tanh(0.7978845608 * (x + 0.044715 * x**3))),
        lambda x: 0.5 * x * (1 + ops.tanh(0.7978845608 * (x + 0.0447 * x**3))),
    ),
    "gelu by tanh": (
        lambda x: keras.activations.gelu(x, approximate=False),
        lambda x: keras.activations.gelu(x, approximate=True),
    ),
    "an epsilon under a root": (
        lambda x: x / ops.sqrt(ops.var(x, -1, keepdims=True) + 1e-6),
        lambda x: x / ops.sqrt(ops.var(x, -1, keepdims=True) + 1e-5),
    ),
    "variance over n - 1": (
        lambda x: x / ops.std(x),
        lambda x: x / (ops.std(x) * math.sqrt(256 / 255)),
    ),
    "a clipped tail": (lambda x: x, lambda x: ops.clip(x, -1.5, 1.5)),
    "a stopped gradient": (lambda x: x * x, lambda x: x * ops.stop_gradient(x)),
    "swish": (lambda x: x * ops.sigmoid(x), lambda x: x * ops.sigmoid(1.001 * x)),
    "mean and median": (
        lambda x: x - ops.mean(x, -1, keepdims=True),
        lambda x: x - ops.median(x, -1, keepdims=True),
    ),
    "max and soft max": (
        lambda x: x - ops.max(x, -1, keepdims=True),
        lambda x: x - ops.logsumexp(10 * x, -1, keepdims=True) / 10,
    ),
}
#: Optimiser, network, settings of A and of B.
SETTINGS = (
    ("Adam", "dense", {}, {"epsilon": 1e-6}),
    ("Adam", "norm", {"epsilon": 1e-16}, {"epsilon": 1e-9}),
    ("Adam", "conv", {}, {"beta_1": 0.91}),
    ("Adam", "dense", {}, {"beta_2": 0.998}),
    ("Adam", "norm", {}, {"weight_decay": 1e-3}),
    ("Adam", "attention", {}, {"clipnorm": 1e-3}),
    ("Lion", "norm", {}, {"weight_decay": 0.1}),
    ("Lion", "dense", {}, {"beta_1": 0.8}),
    ("Lion", "conv", {}, {"beta_2": 0.95}),
    ("SGD", "norm", {"momentum": 0.9}, {"momentum": 0.95}),
    ("SGD", "rnn", {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}),
    ("SGD", "dense", {}, {"weight_decay": 1e-4}),
    ("SGD", "conv", {}, {"clipvalue": 1e-3}),
    ("SGD", "attention", {}, {"global_clipnorm": 0.1}),
    ("RMSprop", "dense", {}, {"rho": 0.95}),
    ("RMSprop", "norm", {}, {"epsilon": 1e-5}),
    ("Adamax", "dense", {}, {"beta_1": 0.85}),
    ("Adamax", "norm", {}, {"epsilon": 1e-4}),
    ("Nadam", "dense", {}, {"beta_2": 0.99}),
    ("Adagrad", "conv", {}, {"initial_accumulator_value": 0.2}),
    ("Adagrad", "dense", {}, {"epsilon": 1e-4}),
    ("Adadelta", "rnn", {}, {"rho": 0.9}),
)
#: Network, and what of A's and of B's layers differs.
LAYERS = (
    ("conv", {}, {"epsilon": 1.01e-3}),
    ("conv", {}, {"order": ("relu", "norm", "pool")}),
    ("conv", {"order": ("pool", "norm", "relu")}, {}),
    ("conv", {"padding": "same"}, {"padding": "valid"}),
    ("conv", {}, {"pool": "Average"}),
    ("conv", {}, {"dilation": 2}),
    ("conv", {"order": ("norm", "relu", "resize")}, {"order": ("norm", "relu", "resize nearest")}),
    ("conv", {"order": ("up", "norm", "relu")}, {"order": ("up bilinear", "norm", "relu")}),
    ("norm", {}, {"epsilon": 1.1e-3}),
    ("norm", {}, {"momentum": 0.98}),
    ("norm", {}, {"layer_epsilon": 1.01e-3}),
    ("norm", {"activation": "relu"}, {"activation": "leaky_relu"}),
    ("dense", {"activation": "elu"}, {"activation": "selu"}),
    ("dense", {"activation": "relu"}, {"activation": "relu6"}),
    ("dense", {"regular": keras.regularizers.L2(1e-4)}, {"regular": keras.regularizers.L2(2e-4)}),
    ("dense", {"rate": 0.2}, {"rate": 0.25}),
    ("rnn", {}, {"recurrent_activation": "hard_sigmoid"}),
    ("rnn", {"cell": "LSTM"}, {"cell": "LSTM", "activation": "softsign"}),
    ("rnn", {}, {"go_backwards": True}),
    ("attention", {}, {"causal": True}),
    ("attention", {}, {"scale": 1.001}),
    ("attention", {}, {"epsilon": 1e-6}),
)
#: Loss of A and of B, labels.
LOSSES = (
    (SHARED, losses.CategoricalCrossentropy(from_logits=True, label_smoothing=1e-3), "one-hot"),
    (SHARED, losses.CategoricalCrossentropy(from_logits=True, label_smoothing=1e-6), "one-hot"),
    (SHARED, unfused, "multi-hot"),
    (SHARED, losses.CategoricalCrossentropy(from_logits=True, reduction="sum"), "one-hot"),
    (losses.MeanSquaredError(), losses.MeanAbsoluteError(), "one-hot"),
    (losses.Huber(1.0), losses.Huber(1.05), "one-hot"),
    (losses.LogCosh(), lambda y, z: ops.mean((y - z) ** 2, -1) / 2, "one-hot"),
    (
        losses.BinaryFocalCrossentropy(gamma=2, from_logits=True),
        losses.BinaryFocalCrossentropy(gamma=2.01, from_logits=True),
        "multi-hot",
    ),
    (SHARED, lambda y, z: unfused(y, z / 1.001), "one-hot"),
)


def rounding():
    """Give the pairs that are equal on paper."""
    for number, (name, (f, g)) in enumerate(EQUAL.items()):
        optimizer = OPTIMIZERS[number % 4]
        made = [maker(between=h, optimizer=optimizer) for h in (f, g)]
        yield f"{name}, {optimizer}", *made, batch_for("dense", number), {}
    for number, optimizer in enumerate(OPTIMIZERS):
        for net in (("dense", "norm"), ("conv", "rnn"), ("attention", "norm"))[number % 3]:
            make, (x, y) = maker(net, optimizer=optimizer), batch_for(net, number)
            order = np.random.default_rng(number).permutation(len(x))
            batch_b = x[order], y[order]
            yield f"{net}, {optimizer}, permuted", make, make, (x, y), {"batch_b": batch_b}
    for net, optimizer in zip(
        ("dense", "norm", "conv", "rnn", "attention") * 2, OPTIMIZERS, strict=False
    ):
        made = [maker(net, optimizer=optimizer, jit=jit) for jit in (False, True)]
        yield f"{net}, {optimizer}, XLA", *made, batch_for(net), {}
    yield from _equal_losses()
    for net, optimizer in (("dense", "Adam"), ("norm", "SGD"), ("conv", "RMSprop")):
        made = [maker(net, optimizer=optimizer, setting=s) for s in ({}, {"clipnorm": 1e6})]
        yield f"{net}, {optimizer}, a clip out of reach", *made, batch_for(net), {}
        low = maker(net, optimizer=optimizer, policy="mixed_bfloat16")
        yield (
            f"{net}, {optimizer}, bfloat16",
            maker(net, optimizer=optimizer),
            low,
            batch_for(net),
            {},
        )
    made = [
        maker("conv", order=order) for order in (("norm", "relu", "pool"), ("norm", "pool", "relu"))
    ]
    yield "pooling before ReLU", *made, batch_for("conv"), {}
    made = [maker("norm", centre=centre) for centre in (0, 64.0)]
    yield "a layer normalisation far from zero", *made, batch_for("norm"), {}
    for net in ("dense", "rnn", "norm"):
        x, y = batch_for(net)
        batch_b = np.nextafter(x, np.float32(9)), y
        yield f"{net}, inputs an ulp away", maker(net), maker(net), (x, y), {"batch_b": batch_b}
    x, y = batch_for("dense")
    ones, twos = (np.full(len(x), w, np.float32) for w in (1, 2))
    padded = np.concatenate([x, x * 0]), np.concatenate([y, y]), np.concatenate([twos, ones * 0])
    yield "padded", maker(), maker(), (x, y, ones), {"batch_b": padded}
    yield "weights of one", maker(), maker(), (x, y), {"batch_b": (x, y, ones)}
    broken = x.copy()
    broken[0, 0] = np.nan
    yield "a NaN in both", maker(), maker(), (broken, y), {}


def _equal_losses():
    fresh = lambda: None  # noqa: E731 - the default loss, made by each model
    alike = {
        "shared and fresh": (SHARED, fresh(), "linear", "linear"),
        "written out": (SHARED, unfused, "linear", "linear"),
        "after a softmax": (SHARED, losses.CategoricalCrossentropy(), "linear", "softmax"),
        "in float32": (SHARED, in_float32, "linear", "linear"),
    }
    for name, (loss_a, loss_b, last_a, last_b) in alike.items():
        for net, optimizer in (("dense", "Adam"), ("norm", "Lion")):
            a, b = (
                maker(net, optimizer=optimizer, loss=loss_a, last=last_a),
                maker(net, optimizer=optimizer, loss=loss_b, last=last_b),
            )
            yield f"{net}, {optimizer}, a loss {name}", a, b, batch_for(net), {}
    for loss, name in ((SHARED, "shared"), (in_float32, "in float32")):
        for net in ("dense", "norm"):
            made = [maker(net, optimizer="Adam", loss=loss, jit=jit) for jit in (False, True)]
            yield f"{net}, XLA, a loss {name}", *made, batch_for(net), {}
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
    made = [maker(loss=loss) for loss in (SHARED, lambda y, z: sparse(ops.argmax(y, -1), z))]
    yield "labels as numbers", *made, batch_for("dense"), {}
    mean = losses.MeanSquaredError()
    made = [
        maker("rnn", loss=loss) for loss in (mean, lambda y, z: ops.sum((z - y) ** 2, -1) / CLASSES)
    ]
    yield "a mean of squares", *made, batch_for("rnn"), {}
    made = [
        maker(loss=losses.BinaryCrossentropy(from_logits=True)),
        maker(loss=lambda y, z: ops.mean(ops.softplus(z) - y * z, -1)),
    ]
    yield "binary cross-entropy written out", *made, batch_for("dense", labels="multi-hot"), {}


def different():
    """Give the pairs that are not equal on paper."""
    for number, (name, (f, g)) in enumerate(UNEQUAL.items()):
        optimizer = OPTIMIZERS[number % 4]
        made = [maker(between=h, optimizer=optimizer) for h in (f, g)]
        yield f"{name}, {optimizer}", *made, batch_for("dense", number), {}
    for optimizer, net, of_a, of_b in SETTINGS:
        made = [maker(net, optimizer=optimizer, setting=of) for of in (of_a, of_b)]
        # an initial value shows in the models' own start alone, not in a state both are given
        options = {} if "initial_accumulator_value" in of_b else {"state": LATER}
        yield f"{net}, {optimizer} {of_a} {of_b}", *made, batch_for(net), options
    for number, (net, of_a, of_b) in enumerate(LAYERS):
        made = [maker(net, optimizer=OPTIMIZERS[number % 5], **of) for of in (of_a, of_b)]
        yield f"{net}, {OPTIMIZERS[number % 5]} {of_a} {of_b}", *made, batch_for(net), {}
    for number, (a, b, labels) in enumerate(LOSSES):
        made = [maker(loss=loss, optimizer="Adam") for loss in (a, b)]
        yield f"loss {number}", *made, batch_for("dense", number, labels), {}
    yield from _other_data()


def _other_data():
    for net, optimizer in (("dense", "Lion"), ("conv", "SGD"), ("norm", "Adam")):
        x, y = batch_for(net)
        pixel, sample, label = x.copy(), x.copy(), y.copy()
        pixel[(3,) * x.ndim if x.ndim == 2 else (3, 2, 2, 1)] += 1e-3
        sample[5] = batch_for(net, 9)[0][5]
        label[2] = np.roll(label[2], 1)
        make = maker(net, optimizer=optimizer)
        for name, other in (
            ("one number", (pixel, y)),
            ("one sample", (sample, y)),
            ("one label", (x, label)),
        ):
            yield f"{net}, {optimizer}, {name}", make, make, (x, y), {"batch_b": other}
    x, y = batch_for("rnn")
    weights = np.linspace(0.5, 1.5, len(x)).astype(np.float32)
    yield "sample weights", maker("rnn"), maker("rnn"), (x, y), {"batch_b": (x, y, weights)}
    yield "other labels", maker("rnn"), maker("rnn"), (x, y), {"batch_b": (x, y[::-1].copy())}
    jits = [maker(rate=0.3, jit=jit) for jit in (False, True)]
    yield "dropout's mask under XLA", *jits, batch_for("dense"), {}


PAIRS = [
    Pair(name, truth, *parts)
    for truth, pairs in (("rounding", rounding()), ("different", different()))
    for name, *parts in pairs
]
