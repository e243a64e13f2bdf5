# ruff: noqa: E402 - the ledger is installed before what it watches is imported
"""What a ledger of draws costs a training that augments each of its images in Python.

Whole runs scatter too much to compare. So the augmentation takes the watched functions and the
plain ones in turn, eight steps each, and each stretch with a ledger is compared with the stretches
on either side of it, by the clock and in seconds of CPU. An image takes four draws, each an entry
of its own; a batch takes noise.

    python tests/benchmarks/bench_draws.py [--steps 400]
"""

import argparse
import functools
import os
import sys
import time
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from fpdrift.doctor._draws import Ledger

ledger = Ledger()
ledger.install(None)

import random

import keras
import numpy as np

from fpdrift.comparison import median_interval
from fpdrift.training._networks import build, initial_weights, shapes_of

STRETCH, BATCH = 8, 64
#: Cost in per cent.
LIMIT = 5
_rand = np.random.mtrand._rand
WATCHED = SimpleNamespace(
    flip=np.random.rand, turn=np.random.uniform, shift=random.randint, noise=np.random.normal,
    which=random.choice,
)  # fmt: skip
PLAIN = SimpleNamespace(
    flip=functools.partial(np.random.rand.__func__.__wrapped__, _rand),
    turn=functools.partial(np.random.uniform.__func__.__wrapped__, _rand),
    shift=random.randint.__wrapped__,
    noise=functools.partial(np.random.normal.__func__.__wrapped__, _rand),
    which=random.choice.__wrapped__,
)


def augmented(images, draw):
    """Flip, shift and brighten each image, as scripts do, and add noise to all."""
    images = images.copy()
    for i, image in enumerate(images):
        if draw.flip() < 0.5:
            image = image[:, ::-1]
        image = np.roll(image, draw.shift(-2, 2), axis=draw.which((0, 1)))
        images[i] = image * draw.turn(0.8, 1.2)
    images += draw.noise(0.0, 0.1, images.shape)
    return images


def network():
    """Give the answer's network as `train` starts it."""
    model = build("answer", 1)
    weights = initial_weights(shapes_of("answer"), "he", 1)
    for variable in model.weights:
        variable.assign(weights[variable.path])
    model.compile("adam", "categorical_crossentropy")
    return model


def timed(steps):
    """Train; give the seconds of each step, by the clock and of CPU."""
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((BATCH, 28, 28, 1), np.float32)
    y = np.eye(10, dtype=np.float32)[rng.integers(0, 10, BATCH)]
    model, seconds = network(), []
    for step in range(steps):
        began = time.perf_counter(), time.process_time()
        draw = WATCHED if step // STRETCH % 2 else PLAIN
        model.train_on_batch(augmented(x, draw), y)
        seconds.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    return np.array(seconds).T


def per_draw(draw, count=20_000):
    began = time.process_time()
    for _ in range(count):
        draw()
    return 1e6 * (time.process_time() - began) / count


def show_cost(seconds, clock):
    """Print the cost of each stretch with a ledger over its neighbours; give it in per cent."""
    rows = len(seconds) // STRETCH
    mean = np.median(seconds[: rows * STRETCH].reshape(rows, STRETCH), axis=1)
    odd = np.arange(3, rows - 1, 2)  # the first stretch traces
    costs = 100 * (mean[odd] / ((mean[odd - 1] + mean[odd + 1]) / 2) - 1)
    cost, its = float(np.median(costs)), median_interval(costs.tolist())
    between = f"95 % interval {its.low:+.1f} to {its.high:+.1f} %" if its else its.reason
    print(f"step without a ledger, {clock}: {1e3 * np.median(mean[2::2]):.1f} ms (median)")
    print(f"  cost, median of {len(costs)} pairs: {cost:+.1f} % ({between})")
    return cost


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    steps = parser.parse_args().steps
    costs = [*map(show_cost, timed(steps), ("by the clock", "of CPU"))]
    for name in ("flip", "turn"):
        watched, plain = (per_draw(getattr(draws, name)) for draws in (WATCHED, PLAIN))
        print(f"a single draw, {name}: {watched:.1f} us watched, {plain:.1f} us plain")
    print(f"{steps} steps of {BATCH} images, {len(ledger.entries):,} entries; limit {LIMIT} %")
    return min(costs) > LIMIT


if __name__ == "__main__":
    sys.exit(main())
