"""Pairs of small models whose steps differ: by rounding alone, or by a formula. For a seed each."""

import numpy as np

CLASSES = 5
BATCH = 16
OPTIMIZERS = ("adam", "momentum", "rmsprop")
#: What `trained` gave.
_STATES = {}


def batch_for(seed, *, labels="one-hot"):
    """Draw inputs and labels."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((BATCH, 8, 8, 1), np.float32)
    if labels == "multi-hot":
        return x, rng.integers(0, 2, (BATCH, CLASSES)).astype(np.float32)
    return x, np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, BATCH)]


def maker(
    seed,
    *,
    norm=True,
    norm_epsilon=1e-3,
    dropout=False,
    dropout_seed=1,
    activation="relu",
    optimizer="adam",
    setting=None,
    loss=None,
    logits=False,
    halves=False,
    jit=False,
    eager=False,
    start=None,
):
    """Give a function that makes a compiled model."""

    def make():
        import keras

        keras.utils.set_random_seed(seed if start is None else start)
        inputs = keras.Input((8, 8, 1))
        chain = _layers(norm, norm_epsilon, dropout, dropout_seed, activation, logits)
        outputs = _in_halves(inputs, chain) if halves else _through(inputs, chain)
        model = keras.Model(inputs, outputs)
        model.compile(
            _optimizer(optimizer, setting or {}),
            loss or keras.losses.CategoricalCrossentropy(from_logits=logits),
            jit_compile=jit,
            run_eagerly=eager,
        )
        return model

    return make


def unfused(y, z):
    """Compute cross-entropy by its formula, so that its gradient is the loss's own."""
    from keras import ops

    shifted = z - ops.stop_gradient(ops.max(z, axis=1, keepdims=True))
    log_softmax = shifted - ops.log(ops.sum(ops.exp(shifted), axis=1, keepdims=True))
    return -ops.sum(y * log_softmax, axis=1)


def backwards(seed):
    """Give a step whose batch is in another order: all its sums over samples are."""
    x, y = batch_for(seed)
    order = np.random.default_rng([seed, 1]).permutation(BATCH)
    return x[order], y[order]


def reordered(kind, seed):
    """Give two makers and two batches that differ in the order of sums alone."""
    rng = np.random.default_rng([seed, 2])
    batch = batch_for(seed)
    made = {
        "norm": bool(rng.integers(2)),
        "activation": str(rng.choice(["relu", "tanh", "gelu"])),
        "optimizer": str(rng.choice(OPTIMIZERS)),
    }
    other = dict(made)
    batch_b = batch
    if kind == "halves":
        made["norm"] = other["norm"] = False
        other["halves"] = True
    elif kind == "permuted":
        batch_b = backwards(seed)
    elif kind == "xla":
        other["jit"] = True
    elif kind == "eager":
        other["eager"] = True
    elif kind == "unfused":
        made["logits"] = other["logits"] = True
        other["loss"] = unfused
    return maker(seed, **made), maker(seed, **other), batch, batch_b


REORDERED = ("halves", "permuted", "xla", "eager", "unfused")


def trained(seed, *, labels="one-hot", steps=3, **about):
    """Give the state of a model after some steps, so that slots are there; trained once."""
    key = repr((seed, labels, steps, sorted(about.items())))
    if key not in _STATES:
        from fpdrift.step_debug import state_of

        model = maker(seed, **about)()
        batch = batch_for(seed, labels=labels)
        model.fit(*batch, batch_size=BATCH, epochs=steps, shuffle=False, verbose=0)
        _STATES[key] = state_of(model)
    return dict(_STATES[key])


#: Settings of what TensorFlow traces, and XLA compiles, in half the time that Adam takes.
SIMPLE = {"optimizer": "momentum"}
DROPOUT = SIMPLE | {"norm": False, "dropout": True}
#: What differs between the two sides of a planted case.
SETTINGS = {
    "labels": ({"logits": True}, {"logits": True, "loss": unfused}),
    "adam epsilon": ({}, {"setting": {"epsilon": 1.01e-7}}),
    "norm epsilon": ({}, {"norm_epsilon": 1.001e-3}),
    "dropout seed": (DROPOUT, DROPOUT | {"dropout_seed": 2}),
    "dropout under XLA": (DROPOUT, DROPOUT | {"jit": True}),
    "halves with batch norm": (SIMPLE, SIMPLE | {"halves": True}),
    "initialiser": (SIMPLE, SIMPLE | {"start": 1000}),
    "sample": ({}, {}),
    "label": (SIMPLE, SIMPLE),
    "momentum": (SIMPLE, SIMPLE | {"setting": {"momentum": 0.9000001}}),
    "learning rate": (SIMPLE, SIMPLE | {"setting": {"learning_rate": 0.010000001}}),
}
PLANTED = tuple(SETTINGS)
#: Cases whose difference is in what the two start from.
STARTS = ("dropout seed", "initialiser", "learning rate")


def planted(kind, seed):
    """Give two makers, two batches and a state that differ in more than rounding."""
    labels = "multi-hot" if kind == "labels" else "one-hot"
    x, y = batch = batch_for(seed, labels=labels)
    other_x, other_y = x.copy(), y.copy()
    if kind == "sample":
        other_x[3] = batch_for(seed + 1)[0][3]
    if kind == "label":
        other_y[3] = np.roll(other_y[3], 1)
    make_a, make_b = (maker(seed, **about) for about in SETTINGS[kind])
    of_a = SETTINGS[kind][0]
    state = None if kind in STARTS else trained(seed, labels=labels, **of_a)
    return make_a, make_b, batch, (other_x, other_y), state


def _layers(norm, epsilon, dropout, dropout_seed, activation, logits):
    from keras import layers

    return [
        layers.Conv2D(4, 3, name="conv"),
        *([layers.BatchNormalization(epsilon=epsilon, name="norm")] if norm else []),
        layers.Activation(activation, name="act"),
        layers.MaxPooling2D(name="pool"),
        layers.Flatten(name="flatten"),
        *([layers.Dropout(0.25, seed=dropout_seed, name="drop")] if dropout else []),
        layers.Dense(CLASSES, activation=None if logits else "softmax", name="dense"),
    ]


def _optimizer(name, setting):
    import keras

    made = {
        "adam": (keras.optimizers.Adam, {"learning_rate": 0.01}),
        "momentum": (keras.optimizers.SGD, {"learning_rate": 0.01, "momentum": 0.9}),
        "rmsprop": (keras.optimizers.RMSprop, {"learning_rate": 0.01}),
    }
    kind, usual = made[name]
    return kind(**usual | setting)


def _through(tensor, chain):
    for layer in chain:
        tensor = layer(tensor)
    return tensor


def _in_halves(inputs, chain):
    """Take a batch as two of half its size, whose losses are averaged."""
    from keras import layers

    half = BATCH // 2
    parts = [
        layers.Lambda(lambda x, at=at: x[at : at + half], output_shape=(8, 8, 1))(inputs)
        for at in (0, half)
    ]
    return layers.Concatenate(axis=0)([_through(part, chain) for part in parts])
