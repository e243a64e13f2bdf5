"""Tell the growth of many drawn curves, and count how often it is told right.

A curve is right if its kind is. False jumps: curves without a jump in which one is named. Found:
planted jumps named at their very step. Covered: true rates inside their 95 % interval.

python tests/faults/sweep_growth.py [--curves 5000] [--seed 1] [--workers 2]
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "drift"))

from growth_curves import draw_curve

from fpdrift.drift import growth_of
from fpdrift.provenance import available_cores


def judge(seed, number):
    """Give what one drawn curve adds to the counts."""
    curve = draw_curve(np.random.default_rng([seed, number]))
    found = growth_of(curve.steps, curve.distances)
    steps = {int(curve.steps[i]) for i in curve.jumps}
    named = {jump.step for jump in found.jumps}
    counts = Counter({"curves": 1, f"{curve.kind} -> {found.kind}": 1, f"{curve.kind} all": 1})
    counts["right"] = found.kind == curve.kind
    counts["wrong"] = found.kind not in (curve.kind, "cannot tell")
    counts["without a jump"] = not steps
    counts["false jumps"] = bool(named and not steps)
    counts["planted"], counts["found"], counts["extra"] = (
        len(steps),
        len(steps & named),
        len(named - steps) * bool(steps),
    )
    if curve.rate is not None and found.kind == curve.kind:
        counts["rated"] = 1
        counts["covered"] = int(found.trend.low <= curve.rate <= found.trend.high)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=available_cores())
    args = parser.parse_args()
    counts = Counter()
    with ProcessPoolExecutor(args.workers) as pool:
        for more in pool.map(partial(judge, args.seed), range(args.curves), chunksize=20):
            counts.update(more)
    print(f"{counts['curves']} curves, seed {args.seed}")
    for part, whole in (
        ("right", "curves"), ("wrong", "curves"), ("false jumps", "without a jump"),
        ("found", "planted"), ("extra", "planted"), ("covered", "rated"),
    ):  # fmt: skip
        print(f"{part:12} {counts[part]:6} of {counts[whole]:6} {whole:15}", end="")
        print(f"{100 * counts[part] / max(counts[whole], 1):6.1f} %")
    for name in sorted(name for name in counts if "->" in name):
        print(f"  {name:28} {counts[name]:6}")
    right = counts["right"] >= 0.9 * counts["curves"]
    return 0 if right and counts["false jumps"] <= 0.05 * counts["without a jump"] else 1


if __name__ == "__main__":
    sys.exit(main())
