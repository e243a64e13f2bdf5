"""Run the tests that try a sample of a table on the whole of it.

Sixty planted ulps in running trainings, twenty planted operations, the orders of sums of ten
seeds. The exit status is pytest's.

python tests/faults/whole_tables.py [pytest's arguments]
"""

import os
import sys
from pathlib import Path

import pytest

#: File -> part of a test's name.
TABLES = {
    "acceptance/test_planted.py": "a_planted_ulp",
    "training/test_inside_step.py": "planted_operation",
    "training/test_mathematics.py": "another_order_of_sums",
}


def main():
    """Run them; give pytest's exit status."""
    os.environ["FPDRIFT_WHOLE_TABLES"] = "1"
    tests = Path(__file__).parents[1]
    files = [str(tests / name) for name in TABLES]
    return pytest.main(["-q", "-k", " or ".join(TABLES.values()), *files, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
