"""Time the ways to the same bits beside the order of arrival, in one run for each operation.

python tests/benchmarks/bench_threads.py [--tries 20] [--rounds 9] [--dtype float32]
"""

import argparse

from fpdrift.reduction import strategies
from fpdrift.reduction.parallel._operations import OPERATIONS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--dtype", default="float32")
    options = parser.parse_args()
    for operation in OPERATIONS:
        found = strategies(
            operation, tries=options.tries, rounds=options.rounds, dtype=options.dtype
        )
        print(f"{operation}: {found.n:,} {found.dtype} in {found.chunks} chunks")
        for row in found.rows:
            assert row.results == 1 or not row.same_bits
            print(
                f"  {row.name:20} {row.times_arrival:8.2f} times   {row.results:4} results "
                f"within {row.spread} ulps   at most {row.error:.1f} ulps from the exact one"
            )


if __name__ == "__main__":
    main()
