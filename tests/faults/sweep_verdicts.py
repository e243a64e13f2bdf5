"""Conclude why planted pairs of runs differ, and count the errors: docs/verdicts.md's table.

All pairs start from one state. Exit 1 if rounding is called another computation, or the other way
round, in more than one of a hundred pairs of a kind.

python tests/faults/sweep_verdicts.py [--runs 400] [--seed 7]
"""

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "comparison"))

from equal_starts import OTHER, ROUNDING, pairs

from fpdrift.comparison import compare

COLUMNS = ("identical", "consistent with rounding", "cannot tell", "different computation")


def main(runs, seed):
    """Print the table; return whether too many are wrong."""
    counts, gaps = defaultdict(Counter), defaultdict(list)
    for variant, _, a, b in pairs(np.random.default_rng(seed), runs):
        pair = compare(a, b)
        counts[variant][pair.verdict.kind] += 1
        if pair.verdict.kind != "identical":
            gaps[variant].append((pair.loss_gap, pair.update_gap))
    print(f"| the runs differ in | {' | '.join(COLUMNS)} | loss | update |")
    print("| --- " * (len(COLUMNS) + 3) + "|")
    wrong = False
    for variant in (*ROUNDING, *OTHER):
        found, total = counts[variant], counts[variant].total()
        loss, update = np.array(gaps[variant]).T
        ends = [f"{np.nanmin(values):.1e} to {np.nanmax(values):.1e}" for values in (loss, update)]
        print("|", " | ".join([variant, *(str(found[kind]) for kind in COLUMNS), *ends]), "|")
        mistaken = COLUMNS[3] if variant in ROUNDING else COLUMNS[1]
        wrong |= found[mistaken] > total / 100
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    sys.exit(main(given.runs, given.seed))
