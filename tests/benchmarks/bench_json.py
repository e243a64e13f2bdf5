"""Writing and reading a large array as JSON: its bytes in base64 beside its values one by one.

Both forms in turn; the ratio of each pair.

    python tests/benchmarks/bench_json.py [--count 2640000] [--pairs 3]
"""

import argparse
import json
import statistics
import sys
import time
from unittest.mock import patch

import numpy as np

from fpdrift.serialization import decode, encode

#: The new form takes at most this part of the old one's time.
LIMIT = 0.1


def written_and_read(array):
    """Write an array and read it again; give the seconds of each, and the bytes of the text."""
    began = time.perf_counter()
    text = json.dumps(encode(array))
    between = time.perf_counter()
    again = decode(json.loads(text))
    ended = time.perf_counter()
    assert again.tobytes() == array.tobytes()
    return between - began, ended - between, len(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_640_000)
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    array = np.random.default_rng(1).standard_normal(given.count, np.float32)
    pairs = []
    for _ in range(given.pairs):
        with patch("fpdrift.serialization._READABLE_VALUES", given.count):
            old = written_and_read(array)
        pairs.append((old, written_and_read(array)))
    print(f"{given.count:,} float32 numbers, medians of {given.pairs} pairs")
    ratios = []
    for i, what in enumerate(("writing, s", "reading, s", "text, MB")):
        scale = 1e6 if what.endswith("MB") else 1
        old, new = (statistics.median(pair[form][i] for pair in pairs) / scale for form in (0, 1))
        ratios.append(statistics.median(pair[1][i] / pair[0][i] for pair in pairs))
        print(f"  {what}: values {old:.3f}, base64 {new:.3f}; ratio {ratios[-1]:.4f}")
    return max(ratios[:2]) > LIMIT


if __name__ == "__main__":
    sys.exit(main())
