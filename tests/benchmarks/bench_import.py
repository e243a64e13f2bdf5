"""What `import fpdrift` costs beside `import numpy`: processes in turn, the ratio of each pair."""

import argparse
import statistics
import subprocess
import sys
import time

LIMIT = 1.5


def seconds(module):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    pairs = parser.parse_args().pairs
    ratios = [seconds("fpdrift") / seconds("numpy") for _ in range(pairs)]
    ratio = statistics.median(ratios)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(
        f"import fpdrift / import numpy: {ratio:.2f} (median of {pairs}, {spread}), limit {LIMIT}"
    )
    return ratio > LIMIT


if __name__ == "__main__":
    sys.exit(main())
