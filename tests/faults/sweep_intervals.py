"""Measure how often each interval holds the truth, as the table of docs/intervals.md.

Exit 1 if one that fpdrift gives, nominally of 95 %, covers less than 90 %.

python tests/faults/sweep_intervals.py [--tries 10000] [--seed 1]
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "comparison"))

from interval_coverage import (
    LAWS,
    SIZES,
    of_bands,
    of_means,
    of_medians,
    of_shared_run,
    of_shares,
    wilson,
)

#: Watched to the same step, or to steps drawn.
WATCHED = {
    "survival band, all watched for 30 steps": (30, 30),
    "survival band, watched for 1 to 40 steps": (1, 40),
}
OTHERS = ("Student's t", "percentile", "BCa")


def ours(tries, seed):
    """Yield name and coverage by size of every interval that fpdrift gives."""
    rng = np.random.default_rng(seed)
    for law, draw in LAWS.items():
        yield f"median, {law}", [of_medians(draw, n, tries, rng) for n in SIZES]
    yield "share, the worst of 999", [of_shares(n) for n in SIZES]
    for name, watched in WATCHED.items():
        yield (
            f"{name}, the worst step",
            [of_bands(n, watched, tries // 5, rng).min() for n in SIZES],
        )


def others(tries, seed):
    """Yield the same of what it does not give."""
    yield "share by Wilson, the worst of 999", [of_shares(n, wilson) for n in SIZES]
    rng = np.random.default_rng(seed)
    for method in OTHERS:
        for law in ("normal", "lognormal", "over decades"):
            covers = [of_means(method, LAWS[law], n, tries // 10, rng) for n in SIZES]
            yield f"mean by {method}, {law}", covers
    covers = [of_shared_run(n, tries // 2, rng) for n in SIZES]
    yield "median, pairs that share a run taken as independent", covers


def row(name, covers):
    """Write one row of the table."""
    return f"| {name} | " + " | ".join(f"{100 * share:.1f}" for share in covers) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    worst = 1.0
    print(row("coverage in %, n =", []).rstrip("| ") + " | " + " | ".join(map(str, SIZES)) + " |")
    print("| --- |" + " ---: |" * len(SIZES))
    for name, covers in ours(args.tries, args.seed):
        print(row(name, covers), flush=True)
        worst = min(worst, *covers)
    print("not given:")
    for name, covers in others(args.tries, args.seed):
        print(row(name, covers), flush=True)
    print(f"worst of those given: {100 * worst:.1f} %")
    return int(worst < 0.9)


if __name__ == "__main__":
    sys.exit(main())
