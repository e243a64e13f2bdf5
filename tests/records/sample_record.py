"""A small record with everything in it, and what it has to hold."""

import numpy as np

from fpdrift.records import RecordWriter, Tensor, content_hash, how_kept, is_due

TENSORS = tuple(
    Tensor(name, role, shape, dtype, how_kept(role, int(np.prod(shape)), dtype), zero)
    for name, role, shape, dtype, zero in (
        ("conv2d/kernel", "weight", (3, 3, 1, 4), "float32", False),
        ("conv2d/bias", "weight", (4,), "float32", True),
        ("dense/kernel", "weight", (60, 50), "float32", False),
        ("half/kernel", "weight", (3, 2), "float16", None),
        ("brain/kernel", "weight", (3, 2), "bfloat16", None),
        ("double/kernel", "weight", (5,), "float64", None),
        ("batch_normalization/moving_mean", "statistic", (4,), "float32", None),
        ("seed_generator/seed_generator_state", "seed", (2,), "int64", None),
        ("adam/conv2d/bias/momentum", "slot", (4,), "float32", None),
    )
)


def values_at(step):
    """Every tensor's values after a step."""
    rng = np.random.default_rng(step)
    return [
        rng.integers(0, 99, tensor.shape)
        if tensor.dtype == "int64"
        else rng.standard_normal(tensor.shape).astype(np.dtype(tensor.dtype))
        for tensor in TENSORS
    ]


def hashes_of(values):
    return np.array([content_hash(array) for array in values], np.uint64)


def add_step(writer, step):
    values = values_at(step)
    writer.add_step(
        step,
        hashes_of(values),
        1 / (step + 1) if step else np.nan,
        {"accuracy": step / 100} if step else None,
        dict(enumerate(values)) if is_due(step, step - 1) else None,
    )


def write_sample(path, steps=41, finish=True, **arguments):
    """Write steps 0 to `steps`, predictions at the first and last, two epochs and a note."""
    arguments.setdefault("meta", {"condition": "plain", "notes": ["first"]})
    writer = RecordWriter(path, TENSORS, **arguments)
    for step in range(steps + 1):
        add_step(writer, step)
        if step in (0, steps):
            writer.add_predictions(step, np.full((4, 3), step, np.float32))
    writer.add_epoch({"loss": 0.5, "val_loss": np.inf})
    writer.add_epoch({"loss": 0.25, "val_loss": np.nan})
    writer.add_note("second")
    if finish:
        writer.finish()
    return writer


def let_lie(monkeypatch):
    """Have writers write whatever they are given, as a stranger's writer may."""
    from fpdrift.records._rules import Rules

    real = Rules.check
    monkeypatch.setattr(Rules, "check", lambda *_: None)
    return lambda: monkeypatch.setattr(Rules, "check", real)
