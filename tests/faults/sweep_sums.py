"""Look for a sum outside of its bound, in more cases than the suite has time for.

python tests/faults/sweep_sums.py [--cases 2000] [--seed 1]
"""

import argparse
import sys

import numpy as np

from fpdrift.floats import FORMATS, to_fraction
from fpdrift.reduction import ill_conditioned
from fpdrift.reduction._table import METHODS, largest_condition
from fpdrift.reduction.error_bounds import Problem

WIDEST = {"float16": 60, "bfloat16": 1e3, "float32": 1e7, "float64": 1e16}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    outside = 0
    for dtype, widest in WIDEST.items():
        closest = dict.fromkeys((method.name for method in METHODS), 0.0)
        for _ in range(options.cases):
            n = int(np.exp2(rng.uniform(np.log2(6), 9)))
            most = min(widest, largest_condition(n, FORMATS[dtype]))
            values = ill_conditioned(n, most ** rng.random(), rng, dtype)
            problem = Problem.of(values)
            for method in METHODS:
                error = abs(to_fraction(method.add(values), FORMATS[dtype]) - problem.total)
                bound = method.bound(problem)
                share = float(error / bound) if error else 0.0
                closest[method.name] = max(closest[method.name], share)
                outside += error > bound
        print(f"{dtype}: {options.cases} cases; the largest error, as a share of its bound")
        for name, share in closest.items():
            print(f"  {name:14} {share:.3f}")
    print(f"{outside} outside")
    sys.exit(outside > 0)


if __name__ == "__main__":
    main()
