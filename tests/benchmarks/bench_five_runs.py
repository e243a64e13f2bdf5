"""What recording and fresh processes cost: five runs of an ensemble beside five plain fits.

Both train the answer's network five times, from five seeds, for the same steps on the same images.
The plain fits are what one writes without fpdrift: the same model and batches, nothing recorded, no
probe, the weights thrown away. They are done in two ways:

- five processes, one after another, as threads, oneDNN and instruction set need a fresh one each:
  what is left is the cost of recording, of the ensemble's bookkeeping and of our imports;
- one process that fits five times, which saves four starts of TensorFlow, but cannot change those
  conditions: the difference is the price of the fresh processes, too, and shrinks with the steps.

The three take turns, in another order each time; each cost is a median of ratios of one turn.

    python tests/benchmarks/bench_five_runs.py [--pairs 15] [--steps 100]
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from fpdrift.training.condition import Condition
from fpdrift.training.ensemble import ensemble
from fpdrift.training.run import environment

LIMIT = 0.15
CONDITIONS = tuple(Condition(seed=seed) for seed in range(1, 6))
PLAIN = """
import sys
from fpdrift.training import Condition, worker
from fpdrift.training.data import load
from fpdrift.training.networks import build

steps = int(sys.argv[1])
for seed in map(int, sys.argv[2:]):
    condition = Condition(seed=seed)
    if seed == int(sys.argv[2]):
        worker.configure(condition)
    data = load("noise", "one-hot", validation=1)
    model = build("answer", seed)
    worker.start(model, "answer", condition)
    worker.prepare(model, jit=False)
    model.fit(worker.batches(data, seed), steps_per_epoch=steps, shuffle=False, verbose=0)
"""


def recorded(steps):
    with tempfile.TemporaryDirectory() as folder:
        ensemble(CONDITIONS, steps=steps, directory=folder)


def plain(steps, *seeds):
    env = {k: v for k, v in environment(CONDITIONS[0], "noise").items() if v is not None}
    told = [sys.executable, "-c", PLAIN, str(steps), *map(str, seeds)]
    done = subprocess.run(told, capture_output=True, text=True, env=os.environ | env)
    assert done.returncode == 0, done.stderr


def processes(steps):
    for condition in CONDITIONS:
        plain(steps, condition.seed)


def one_process(steps):
    plain(steps, *(condition.seed for condition in CONDITIONS))


def seconds(arm, steps):
    start = time.perf_counter()
    arm(steps)
    return time.perf_counter() - start


def interval(ratios):
    """Give the median and its 95 % interval: 10,000 times as many of the ratios, drawn again."""
    drawn = np.random.default_rng(1).choice(ratios, (10_000, len(ratios)))
    return np.median(ratios), *np.percentile(np.median(drawn, axis=1), [2.5, 97.5])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    arms = (recorded, processes, one_process)
    orders = itertools.cycle(itertools.permutations(arms))
    turns = []
    for order in itertools.islice(orders, given.pairs):
        took = {arm: seconds(arm, given.steps) for arm in order}
        turns.append([took[arm] for arm in arms])
    table = np.array(turns)
    print(f"five runs of {given.steps} steps each, {given.pairs} turns")
    for arm, median in zip(arms, np.median(table, axis=0), strict=True):
        print(f"{arm.__name__:12} {median:6.1f} s (median)")
    costs = [interval(table[:, 0] / table[:, i] - 1) for i in (1, 2)]
    for arm, (median, low, high) in zip(arms[1:], costs, strict=True):
        told = f"{100 * median:+.1f} % (95 % interval {100 * low:+.1f} to {100 * high:+.1f} %)"
        print(f"recorded over {arm.__name__:12} {told}")
    print(f"limit: {100 * LIMIT:.0f} % over processes")
    return bool(costs[0][0] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
