"""Reveal each known black box for each number of inputs and each dtype; the suite runs a sample.

python tests/faults/sweep_boxes.py [--most 1000] [--workers 2]
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "reduction"))

from grid import (
    ACCUMULATORS,
    DTYPES,
    SIZES,
    WITH_TREE,
    complaints_of_tree,
    complaints_without_tree,
)
from treeless import WITHOUT_TREE

from fpdrift.provenance import available_cores


def complaints(case):
    check, arguments = case
    try:
        return list(check(*arguments))
    except Exception as error:  # noqa: BLE001 - the sweep goes on, and says so
        return [f"{arguments} raised {error!r}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=max(SIZES), help="inputs")
    parser.add_argument("--workers", type=int, default=available_cores())
    options = parser.parse_args()
    sizes = [n for n in SIZES if n <= options.most]
    cases = [
        *(
            (complaints_of_tree, (*box, n, dtype))
            for box in WITH_TREE
            for n in sizes
            for dtype in ACCUMULATORS[box[0]]
        ),
        *(
            (complaints_without_tree, (name, n, dtype))
            for name in WITHOUT_TREE
            for n in sizes
            for dtype in DTYPES
        ),
    ]
    count = 0
    with ProcessPoolExecutor(options.workers) as pool:
        for found in pool.map(complaints, cases, chunksize=4):
            count += bool(found)
            for complaint in found:
                print(complaint)
    boxes = len(WITH_TREE) + len(WITHOUT_TREE)
    print(f"{boxes} boxes, {len(cases)} cases, {count} not as they have to be")
    sys.exit(bool(count))


if __name__ == "__main__":
    main()
