"""What recording and fresh processes cost: five runs of a study beside five plain fits.

Both train the answer's network five times, from five seeds, for the same steps on the same images.
The study trains each run in a fresh process, as threads, oneDNN and instruction set need, two at a
time where there are two cores, and records it. The plain fits are what one writes without fpdrift:
one process that fits five times, nothing recorded, no probe, the weights thrown away.

The two take turns, each first in every second one; the cost is the median of the turns' ratios.

    python tests/benchmarks/bench_five_runs.py [--pairs 15] [--steps 100]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from fpdrift.comparison import median_interval
from fpdrift.ensembles._ensemble import ensemble
from fpdrift.ensembles._scheduler import few, workers_here
from fpdrift.training._condition import Condition
from fpdrift.training._train import environment

LIMIT = 0.15
CONDITIONS = tuple(Condition(seed=seed) for seed in range(1, 6))
PLAIN = """
import sys
from fpdrift.training import Condition, _worker as worker
from fpdrift.training._datasets import load
from fpdrift.training._networks import build

steps = int(sys.argv[1])
for seed in map(int, sys.argv[2:]):
    condition = Condition(seed=seed)
    if seed == int(sys.argv[2]):
        worker.configure.__wrapped__(condition)  # as one would import it
    data = load("noise", "one-hot", validation=1)
    model = build("answer", seed)
    worker.start(model, "answer", condition)
    worker.prepare(model, jit=False)
    model.fit(worker.batches(data, seed), steps_per_epoch=steps, shuffle=False, verbose=0)
"""


def recorded(steps):
    with tempfile.TemporaryDirectory() as folder, workers_here(few()) as executor:
        ensemble(CONDITIONS, steps=steps, directory=folder, executor=executor)


def plain(steps):
    env = {k: v for k, v in environment(CONDITIONS[0], "noise").items() if v is not None}
    seeds = [str(condition.seed) for condition in CONDITIONS]
    told = [sys.executable, "-c", PLAIN, str(steps), *seeds]
    done = subprocess.run(told, capture_output=True, text=True, env=os.environ | env)
    assert done.returncode == 0, done.stderr


def seconds(arm, steps):
    start = time.perf_counter()
    arm(steps)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    arms = (recorded, plain)
    turns = []
    for turn in range(given.pairs):
        took = {arm: seconds(arm, given.steps) for arm in arms[:: 1 if turn % 2 else -1]}
        turns.append([took[arm] for arm in arms])
    table = np.array(turns)
    print(f"five runs of {given.steps} steps each, {few()} at a time, {given.pairs} turns")
    for arm, median in zip(arms, np.median(table, axis=0), strict=True):
        print(f"{arm.__name__:12} {median:6.1f} s (median)")
    costs = table[:, 0] / table[:, 1] - 1
    cost, its = np.median(costs), median_interval(costs.tolist())
    between = (
        f"95 % interval {100 * its.low:+.1f} to {100 * its.high:+.1f} %" if its else its.reason
    )
    told = f"{100 * cost:+.1f} % ({between})"
    print(f"recorded over plain: {told}; limit {100 * LIMIT:.0f} %")
    return bool(cost > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
