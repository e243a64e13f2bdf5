"""How often ``compare`` is right about starts that no record saw: ``python sweep_starts.py [n]``.

Prints the table of ``docs/starts.md``, and of the equal starts how many the rule would get wrong if
it did not ask for one optimizer with the same settings and a constant rate. About two minutes of
one core at n = 140, nearly all of it to compile.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "comparison"))
from unseen_starts import pairs

from fpdrift.comparison import compare
from fpdrift.comparison._results import MOVES

#: The largest rate of the first column.
SMALL = 0.01


def main(n):
    """Print what share of the pairs is said to have started from different weights."""
    said, alone = defaultdict(lambda: ([], [])), defaultdict(list)
    wrong = []
    for what, equal, rate, a, b in pairs(np.random.default_rng(0), n):
        found = compare(a, b)
        said[equal, what][rate > SMALL].append(found.different_weights)
        if equal:
            alone[what].append(found.distance_at_first > MOVES * sum(found.first_move) > 0)
        if equal and found.different_weights:
            wrong.append((what, rate, a.meta, found.distance_at_first, found.first_move))
    for equal, title in ((True, "equal"), (False, "different")):
        for (its, what), columns in said.items():
            if its == equal:
                cells = [f"{sum(column)} of {len(column)}" for column in columns]
                print(f"| {title} | {what} | {' | '.join(cells)} |")
    print("\nby the distance alone, of equal starts:")
    for what, its in alone.items():
        print(f"  {what}: {sum(its)} of {len(its)}")
    print(*wrong, sep="\n")
    return len(wrong) > 0.01 * sum(len(c) for (its, _), both in said.items() if its for c in both)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 140))
