"""Split twenty steps of a real pair, 1 thread against 2: do the parts add up, bit for bit?

Injected plus amplified has to be the total to float64's rounding, and each run's step, done again
from its saved state, has to end with the bits of its record.

python tests/faults/split_twenty.py [--first 0] [--steps 20]
"""

import argparse
import sys
import tempfile
from pathlib import Path

from fpdrift.step_debug import split_steps
from fpdrift.training import Condition, train


def main(argv=None):
    """Train both, split the steps, print each; give 0 if all add up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="updates done before the first step")
    parser.add_argument("--steps", type=int, default=20, help="how many are split")
    given = parser.parse_args(argv)
    last = given.first + given.steps
    with tempfile.TemporaryDirectory() as folder:
        a, b = (
            train(
                Condition(intra_op_threads=threads),
                steps=last,
                path=Path(folder, f"{threads}.fpdrift"),
            )
            for threads in (1, 2)
        )
        splits = split_steps(a, b, range(given.first, last))
    for part in splits:
        print(f"{part}, residual {part.residual:.1g}, exact {part.exact_a and part.exact_b}")
    exact = sum(part.exact_a and part.exact_b for part in splits)
    rounding = sum(p.residual <= 2**-53 * (p.amplified + p.injected) for p in splits)
    print(f"{exact} of {len(splits)} bit-equal to both runs; {rounding} add up")
    return 0 if exact == rounding == given.steps else 1


if __name__ == "__main__":
    sys.exit(main())
