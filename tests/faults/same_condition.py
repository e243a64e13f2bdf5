"""Train under the same condition again and again: does any run differ from the first in any bit?

Prints a line for each comparison; the exit status is the number of runs that differ.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from fpdrift import Condition, compare, train


def main():
    """Train once, then `--runs` times more, and compare each with the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    condition = Condition(intra_op_threads=given.threads)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.fpdrift" for i in range(given.runs + 1)]
        first, *others = (train(condition, steps=given.steps, path=path) for path in paths)
        found = [compare(first, other) for other in others]
    for comparison in found:
        print(f"{condition.name}: {comparison}")
    same = sum(comparison.first_difference is None for comparison in found)
    print(f"no difference in {same} of {given.runs}")
    return given.runs - same


if __name__ == "__main__":
    sys.exit(main())
