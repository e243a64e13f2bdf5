"""Right and wrong answers to every exercise: check -> (right, wrong).

A check that is given what was measured stands with a small measurement of its own.
"""

from functools import partial
from types import SimpleNamespace

import numpy as np

import fpdrift
from fpdrift.lessons import bits, chain, cnn, gpu, growth, nudge, order, seeds, sums, threads, trees
from fpdrift.reduction import algorithms as ways

#: What no exercise takes for an answer.
NEVER = (..., None, object(), {"a": 1}, float("nan"))


def constant(value):
    """A student's function that looks at nothing."""
    return lambda *_: value


def kahan(wrong=False):
    """Kahan's loop, or one with a slip."""

    def add(values):
        total = correction = values.dtype.type(0)
        for value in values:
            corrected = value - correction
            new = total + corrected
            correction = (new - total) - corrected
            correction = {"sign": -correction, "none": 0 * correction}.get(wrong, correction)
            total = new
        return total

    return add


SUMS = fpdrift.thread_sums(4096, chunks=8, threads=(1, 2), tries=5)
LAST = SUMS.runs[-1]
GPU = fpdrift.gpu_sums("simulated", sizes=(2000, 5000), tries=7)
ONE_PASS = GPU.of("one-pass")[-1].distinct
BACKWARDS = fpdrift.same_order(np.sum, lambda x: np.sum(x[::-1]), 16).same


#: A pair of runs that part at a step, and one that does not.
PARTED = SimpleNamespace(first_difference=SimpleNamespace(step=3))
EQUAL = SimpleNamespace(first_difference=None)
FIVE = fpdrift.load_recorded("five-runs").gradients[1].runs
LOSSES, ACCURACIES = [run.loss for run in FIVE], [run.accuracy for run in FIVE]
EDGE = cnn.knife_edge()
JUMP = abs(EDGE.accuracy[1] - EDGE.accuracy[0]) / EDGE.accuracy[0]
FALL = abs(EDGE.loss[1] - EDGE.loss[0]) / EDGE.loss[0]
ONE, OTHER = growth.two_writings(60)
APART = [abs(a - b) > 0.1 for a, b in zip(ONE, OTHER, strict=True)].index(True)
INJECTED = abs(growth.one(OTHER[30]) - growth.other(OTHER[30]))
CHURN = {run.label: run.churn for run in fpdrift.load_recorded("question").distances}
RATIO = CHURN["another seed"] / CHURN["2 threads"]


def largest(values):
    return max(abs(value - values[0]) for value in values)


def own_gradient(logits, labels):
    return labels.sum() * growth.softmax(logits) - labels


def sorted_by_size(arrived):
    """Another order that does not ask who came first."""
    return sum(sorted(part for _, part in arrived))


def crossed(x):
    """Add four numbers as lesson 05 asks for."""
    return (x[0] + x[2]) + (x[1] + x[3])


ANSWERS = {
    bits.check_1: (
        ["0.375", "0.25", "0.125"],
        ["0.1", "0.5", "0.3", "1.5", "0", 0.25, "half", "1e-99999", "0.333333333333"],
    ),
    bits.check_2: ([2.0**-52, np.finfo(float).eps], [2.0**-53, 1e-16, 2.3e-308, 1, "2**-52", 0]),
    bits.check_3: ([12], [0, 1, 11, 13, 63, 64, -1, 12.0, True]),
    bits.check_4: ([2.0**53, 2**53], [2.0**52, 2.0**54, 1e16, -(2.0**53), 0, 2.0**24, 10**400]),
    chain.check_1: ([2, 2.0], [1, 0, 1.636, -2, "2", 2.2e-16]),
    chain.check_2: (["multiply first", "Multiply first "], ["quotient", "divide first", "pair", 2]),
    chain.check_3: (
        [1.8167285692477424e-08],
        [1.8167285897874308e-08, 2.220446049250313e-08, 0, 0.9999999818327143, "1.8e-8"],
    ),
    chain.check_4: ([1e-17, 1e-300], [0, -1e-17, 1e-15, 1e-8, 1, 2.0**-53 * 1.5, "1e-17"]),
    sums.check_1: (
        [kahan(), ways.kahan_sum],
        [kahan("sign"), kahan("none"), np.sum, sum, ways.exact_sum, constant(...), constant("s")],
    ),
    sums.check_2: ([20001, 20001.0], [1, 20000, 10000, 1e-4, "20001"]),
    sums.check_3: (["kahan", "Kahan"], ["plain loop", "pairwise", "exact", 3]),
    sums.check_4: (
        [[1e8, 1.0, -1e8], (1e10, -5, -1e10)],
        [[1, 2, 3], [1, -1, 0], [1e8, -1e8, 1.0], [1e39, 1, -1e39], [1, 2], "1e8", 3],
    ),
    order.check_1: ([1], [0, 2, 4.44e-16, True, "1"]),
    order.check_2: (["2*11/9", " 2 * 11 / 9"], ["2/9*11", "22/9", "2/(9/11)", 1]),
    order.check_3: (
        [(1, 3, 10), [1, 3, 10]],
        [(2, 11, 9), (11, 2, 9), (2, 4, 8), (1, 3), 7, (1.0, 3, 10), (0, 3, 10), (1, 3, 21)],
    ),
    order.check_4: (
        ["0.1+0.2+0.3"],
        ["0.5+0.25+0.125", "0.1*3", "0.1+", "1/3+1", 0.6, "import os"],
    ),
    partial(threads.check_1, result=SUMS): (
        [fpdrift.replay(SUMS, 3), float(LAST.values[3])],
        [3, 0.0, np.nextafter(LAST.values[3], np.float32(np.inf)), str(LAST.values[3]), True],
    ),
    partial(threads.check_2, result=SUMS): ([1], [0, 5, 2, -1, 1.0, True]),
    threads.check_3: (
        [lambda parts: sum(part for _, part in sorted(parts)), sorted_by_size],
        [
            lambda parts: sum(part for _, part in parts),
            lambda parts: sum(part for _, part in reversed(parts)),
            constant(0.0),
            constant(np.nan),
            lambda parts: min(parts)[1],
            constant(...),
            sorted,
            5,
        ],
    ),
    threads.check_4: ([120], [25, 32, 5, 24, 15, 120.0, "120"]),
    trees.check_1: ([4], [15, 16, 8, 5, 4.0, True]),
    trees.check_2: (
        [crossed, lambda x: (x[3] + x[1]) + (x[2] + x[0])],
        [
            np.sum,
            lambda x: x[0] + x[1] + x[2] + x[3],
            constant(...),
            lambda x: x[9],
            crossed([1] * 4),
        ],
    ),
    trees.check_3: (
        [[1.0, 1e8, -1e8], (1e-3, 1e3, -1e3)],
        [[1, 2, 3], [0.5, 0.25, 0.125], [1e38, 1e38, 1e38], [1, 2], "1 2 3", [1e39, 1, 1]],
    ),
    trees.check_4: ([BACKWARDS], [not BACKWARDS, str(BACKWARDS), 2, "same"]),
    partial(gpu.check_1, result=GPU): ([ONE_PASS], [7, 0, ONE_PASS + 1, -1, "1", 1.5]),
    partial(gpu.check_2, result=GPU): ([1], [0, 7, 3, True, "1"]),
    gpu.check_3: ([98], [97, 97.65625, 391, 100_000, 0]),
    gpu.check_4: ([1 - 1000000.25 / 1e6, -2.5e-7], [2.5e-7, 0.25, 0, 1.00000025, "x"]),
    nudge.check_1: ([2.0**-27], [2.0**-26, 2.0**-56, 1e-8, 2.0**-24, 0, "2**-27"]),
    nudge.check_2: ([0.25, 2.0**-2], [0.125, 0.5, 1, 0.2, -0.25, 0, "1/4"]),
    partial(cnn.check_1, pair=PARTED): ([3], [0, 1, 2, 4, 3.0, "3"]),
    cnn.check_2: (
        [largest(LOSSES) / LOSSES[0]],
        [largest(LOSSES), 100 * largest(LOSSES) / LOSSES[0], max(LOSSES), 0.000144, "0"],
    ),
    cnn.check_3: (
        [largest(ACCURACIES) / ACCURACIES[0]],
        [largest(ACCURACIES), 100 * largest(ACCURACIES) / ACCURACIES[0], 0, 0.5],
    ),
    cnn.check_4: ([JUMP / FALL], [JUMP, FALL, FALL / JUMP, 0.1, -1, 0]),
    growth.check_1: ([3], [7, 1, 0, 18760, 3.0]),
    growth.check_2: ([APART], [APART - 1, APART + 3, 0, 61, -1, 1.0]),
    growth.check_3: (
        [INJECTED],
        [abs(ONE[30] - OTHER[30]), abs(ONE[31] - OTHER[31]), 0, 1e-3, "0"],
    ),
    growth.check_4: (
        [own_gradient, growth.by_differences],
        [
            lambda z, y: growth.softmax(z) - y,
            lambda z, _: growth.softmax(z),
            lambda z, y: y.sum() * (growth.softmax(z) - y),
            lambda z, y: -own_gradient(z, y),
            constant(...),
            constant([1.0, 2.0]),
            lambda z: z,
        ],
    ),
    seeds.check_1: (
        ["PYTHONHASHSEED"],
        ["PYTHONASHSEED", "pythonhashseed", "PYTHONSEED", "HASHSEED", 0],
    ),
    seeds.check_2: (
        ["keras.utils.set_random_seed", "tf.keras.utils.set_random_seed", "set_random_seed()"],
        ["np.random.seed", "tf.random.set_seed", "random.seed", "keras.seed", 1],
    ),
    seeds.check_3: ([RATIO, round(RATIO, 2)], [1 / RATIO, 1.0, CHURN["2 threads"], 0, "2"]),
    seeds.check_4: ([16], [8, 4, 2, 64, 16.0]),
    nudge.check_3: ([1], [1162, 1163, 0, 1.0, True]),
}
BFLOAT16 = fpdrift.nudge(nudge.weights("bfloat16"), size=1e-8, seed=1)[1]
FLOAT32 = fpdrift.nudge(nudge.weights(), size=1e-8, seed=1)[1]
ANSWERS[nudge.check_4] = (
    [BFLOAT16.changed],
    [FLOAT32.changed, BFLOAT16.meant, BFLOAT16.absorbed, 0, float(BFLOAT16.changed)],
)
