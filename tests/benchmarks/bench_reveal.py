"""Time `reveal` beside FPRev's own method, and its probes beside bare calls, in one run.

python tests/benchmarks/bench_reveal.py [--most 16384] [--rounds 5]
"""

import argparse
import itertools
import math
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from first_pivot import first_pivot

from fpdrift.floats import format_of
from fpdrift.reduction import reveal
from fpdrift.reduction._reveal._probing import ProbedFunction, mask_of
from fpdrift.reduction._reveal._search import Search

DTYPE = "float32"
#: With more inputs, first-pivot's n (n - 1) / 2 probes of a reversed sum are not run.
MOST_REVERSED = 1024


def in_sequence(x):
    return np.add.accumulate(x)[-1]


def reversed_(x):
    return np.add.accumulate(x[::-1])[-1]


BOXES = {
    "numpy.sum": np.sum,
    "sequential": in_sequence,
    "reversed": reversed_,
}


def seconds(call):
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def probes_alone(function, n):
    """Search as `reveal` does, and validate nothing."""
    box = ProbedFunction(function, n, format_of(DTYPE), "a sum")
    plan = Search(box, mask_of(box.fmt)).tree(np.random.default_rng(0).permutation(n).tolist())
    return plan, box.calls


def published(function, n):
    """Give first-pivot's plan, and its number of calls."""
    calls = itertools.count()

    def counting(x):
        next(calls)
        return function(x)

    return first_pivot(counting, n, DTYPE), next(calls)


def bare(function, n, count):
    """Call it so often, and do nothing else."""
    row = np.ones(n, DTYPE)
    for _ in itertools.repeat(None, count):
        function(row)


def compare(name, function, n, rounds):
    """Take turns; print the fastest of each."""
    plan, probes = probes_alone(function, n)
    revealed = reveal(function, n, DTYPE)
    assert revealed.verdict == "confirmed"
    assert revealed.plan == plan
    first = name != "reversed" or n <= MOST_REVERSED
    asked = n * (n - 1) // 2
    if first:
        wanted, asked = published(function, n)
        assert plan == wanted
    contest = {
        "first-pivot": (lambda: first_pivot(function, n, DTYPE)) if first else None,
        "probes": lambda: probes_alone(function, n),
        "bare": lambda: bare(function, n, probes),
        "reveal": lambda: reveal(function, n, DTYPE),
    }
    times = {what: [] for what in contest}
    for _ in range(rounds):
        for what, run in contest.items():
            times[what].append(seconds(run)[0] if run else math.nan)
    best = {what: 1e3 * min(durations) for what, durations in times.items()}
    ratio = best["reveal"] / best["first-pivot"]
    print(
        f"{name:12}{n:7,}{asked:13,}{best['first-pivot']:9.1f}{probes:11,}{best['probes']:9.1f}"
        f"{best['reveal']:11.1f}{best['probes'] / best['bare']:13.2f}{ratio:14.2f}".replace(
            "nan", "  -"
        )
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=16_384, help="inputs")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(
        f"{DTYPE:19}{'first-pivot':>13}{'ms':>9}{'probes':>11}{'ms':>9}{'reveal ms':>11}"
        f"{'probes/bare':>13}{'reveal/first':>14}"
    )
    for name, function in BOXES.items():
        for n in (64, 1024, 8192, 16_384):
            if n <= options.most:
                compare(name, function, n, options.rounds)


if __name__ == "__main__":
    main()
