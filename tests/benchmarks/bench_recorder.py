# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""What recording costs, how large a record gets, and how true its sketches are.

Whole runs scatter too much to compare. So the recorder is switched on and off every eight steps
inside one `fit`, and each stretch with it is compared with the stretches on either side of it.

    python tests/benchmarks/bench_recorder.py [--steps 469] [--pairs 40]

It fails above its limits; so few steps that their pairs scatter (under some 300) tell nothing.
"""

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from fpdrift.recorder import DriftRecorder
from fpdrift.recorder._state import State, hashes
from fpdrift.records import open_record, sketch
from fpdrift.records._codec import pack
from fpdrift.training._networks import NETWORKS, Network, build, initial_weights, shapes_of

STRETCH = 8
BATCH = 64
#: Limits: cost in per cent, bytes of a sketched step and of any other, of a whole record; how far
#: a sketch's distance may be off, in per cent.
COST, SKETCHED, OTHER, MEGABYTES, OFF = 5, 40_000, 4_000, 20, 10
#: The answer's network, but wide enough for ten million weights.
LARGE = "answer-10-million"
NETWORKS[LARGE] = Network(start="he", width=66)


def network(name="answer"):
    """Give a network as `train` starts it."""
    model = build(name, 1)
    weights = initial_weights(shapes_of(name), "he", 1)
    for variable in model.weights:
        variable.assign(weights[variable.path])
    return model


def data(steps):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((steps * BATCH, 28, 28, 1), np.float32)
    return x, np.eye(10, dtype=np.float32)[rng.integers(0, 10, len(x))]


class OnAndOff(keras.callbacks.Callback):
    """Hands every other stretch of steps to a recorder, and times each step."""

    def __init__(self, recorder):
        super().__init__()
        self.recorder = recorder
        self.seconds = []
        self.inside = []

    def set_model(self, model):
        super().set_model(model)
        self.recorder.set_model(model)

    def on_train_begin(self, logs=None):
        self.recorder.on_train_begin()

    def on_train_batch_begin(self, batch, logs=None):
        self.on = len(self.seconds) // STRETCH % 2 == 1
        self.began = time.perf_counter()
        if self.on:
            self.recorder.on_train_batch_begin(batch)
        self.before = time.perf_counter() - self.began

    def on_train_batch_end(self, batch, logs=None):
        called = time.perf_counter()
        if self.on:
            self.recorder.on_train_batch_end(batch, logs)
        now = time.perf_counter()
        self.inside.append(self.before + now - called if self.on else np.nan)
        self.seconds.append(now - self.began)


def compiled(name="answer"):
    model = network(name)
    model.compile("adam", "categorical_crossentropy")
    return model


def cost(steps, folder, name):
    keras.utils.set_random_seed(1)
    recorder = DriftRecorder(Path(folder, f"{name}.fpdrift"))
    timer = OnAndOff(recorder)
    model = compiled(name)
    model.fit(*data(steps), batch_size=BATCH, verbose=0, callbacks=[timer])
    recorder.on_train_end()
    rows = len(timer.seconds) // STRETCH
    mean = np.array(timer.seconds)[: rows * STRETCH].reshape(rows, STRETCH).mean(axis=1)
    odd = np.arange(3, rows - 1, 2)  # the first stretch traces; the next one starts the record
    ratios = mean[odd] / ((mean[odd - 1] + mean[odd + 1]) / 2) - 1
    off = np.median(np.array(timer.seconds).reshape(-1)[np.isnan(timer.inside)])
    inside = np.array(timer.inside)[3 * STRETCH :]
    print(f"{name}: {sum(int(np.prod(v.shape)) for v in model.trainable_variables):,} weights")
    print(f"step without recording         {1e3 * off:6.1f} ms (median)")
    print(f"inside the recorder            {1e3 * np.nanmedian(inside):6.2f} ms (median)")
    print(f"                               {1e3 * np.nanmean(inside):6.2f} ms (mean)")
    print(f"share inside, mean             {100 * np.nanmean(inside) / off:6.1f} %")
    found = 100 * np.median(ratios)
    print(f"cost, median of {len(ratios):2d} pairs      {found:6.1f} % (at most {COST})")
    parts(model)
    return found <= COST


def parts(model):
    """Time by themselves what a step's record is made of."""
    state = State(model)
    arrays = state.read()
    kept = [(t, a) for t, a in zip(state.tensors, arrays, strict=True) if t.kept != "hash"]
    for what, do in (
        ("reading every variable", state.read),
        ("hashing every variable", lambda: hashes(arrays)),
        ("sketching the weights", lambda: [pack(*pair) for pair in kept]),
    ):
        seconds = []
        for _ in range(20):
            began = time.perf_counter()
            do()
            seconds.append(time.perf_counter() - began)
        print(f"{what:29s} {1e3 * np.median(seconds):7.2f} ms")


class Keep(keras.callbacks.Callback):
    """Keeps the dense kernel of every eighth step."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def on_train_batch_end(self, batch, logs=None):
        if batch % 8 == 0:
            self.kept.append(np.array(self.model.get_layer("dense1").kernel.value.value()))


def size(steps, folder):
    keras.utils.set_random_seed(1)
    path = Path(folder, "size.fpdrift")
    compiled().fit(*data(steps), batch_size=BATCH, verbose=0, callbacks=[DriftRecorder(path)])
    began = time.perf_counter()
    record = open_record(path)
    seconds = time.perf_counter() - began
    megabytes = path.stat().st_size / 1e6
    print(
        f"record of {record.steps[-1]} steps            {megabytes:6.2f} MB (at most {MEGABYTES})"
    )
    with sqlite3.connect(path) as file:
        entries = file.execute(
            "SELECT length(text) + length(data) + length(digest) FROM entry WHERE kind = 'step'"
        )
        sizes = np.array([row[0] for row in entries])
    sketched = np.isin(record.steps, record.sketch_steps)
    large, small = sizes[sketched].max(), sizes[~sketched].max()
    print(f"a sketched step                {large:6d} bytes (at most {SKETCHED:,})")
    print(f"any other                      {small:6d} bytes (at most {OTHER:,})")
    print(f"opened in                      {seconds:6.2f} s")
    return megabytes <= MEGABYTES and large <= SKETCHED and small <= OTHER


def accuracy(pairs):
    """Compare sketched with true distances between two runs that part by a nudge."""
    runs = []
    x, y = data(8 * pairs)
    for nudge in (0.0, 1e-8):
        keras.utils.set_random_seed(1)
        model = compiled()
        kernel = model.get_layer("conv1").kernel
        kernel.assign(kernel + nudge)
        keep = Keep()
        model.fit(x, y, batch_size=BATCH, verbose=0, shuffle=False, callbacks=[keep])
        runs.append(keep.kept)
    worst = 0.0
    for a, b in zip(*runs, strict=True):
        true = np.linalg.norm((a.astype(np.float64) - b).ravel())
        seen = np.linalg.norm(sketch(a) - sketch(b))
        worst = max(worst, abs(seen / true - 1) if true else float(seen != 0))
    print(f"sketch distance, {len(runs[0]):2d} pairs      {100 * worst:6.1f} % off (at most {OFF})")
    return 100 * worst <= OFF


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=469)
    parser.add_argument("--pairs", type=int, default=40)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept = [
            cost(args.steps, folder, "answer"),
            cost(args.steps, folder, LARGE),
            size(args.steps, folder),
            accuracy(args.pairs),
        ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
