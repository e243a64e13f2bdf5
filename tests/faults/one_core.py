"""Every study on one core, a few steps each: it ends, fits the screen, and says what it saw there.

On one core two threads still split a sum, so order may still change the result; arrival may not.
What each study then says is printed, to be read.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from fpdrift.cli.screens import screen
from fpdrift.experiments import (
    STUDIES,
    Settings,
    courses,
    determinism,
    fiveruns,
    hashseed,
    long,
    metric,
    noseeds,
    nudging,
    onegate,
    question,
    sources,
    survival,
    threadcounts,
    trap,
)

#: Module -> constants made small.
SMALL = {
    courses: {"STEPS": 4, "AMPLIFIED": 4, "DOSES": (-10, -4)},
    determinism: {"STEPS": 3, "COUNTS": (1, 2)},
    fiveruns: {"STEPS": 4},
    hashseed: {"STEPS": 3},
    metric: {"STEPS": 4},
    noseeds: {"STEPS": 10},
    nudging: {"STEPS": 4},
    onegate: {"STEPS": 12},
    sources: {"STEPS": 3, "DRAWS": 2},
    survival: {"STEPS": 3, "NUDGES": 3},
    threadcounts: {"STEPS": 3},
    trap: {"STEPS": 3},
    long: {},
    question: {},
}


def shrink():
    """Make every study small; its sizes are constants of its module."""
    for module, constants in SMALL.items():
        for name, value in constants.items():
            assert hasattr(module, name), (module.__name__, name)
            setattr(module, name, {"quick": value})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="by default all that count no epochs")
    given = parser.parse_args()
    if not hasattr(os, "sched_setaffinity"):
        print("skipped: this system cannot keep a process on one core")
        return
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    shrink()
    chosen = [s for s in STUDIES if s.name in given.names or not (given.names or s.epochs)]
    for study in chosen:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            lines = screen(study.run(Settings(out=Path(place))))
        assert all(len(line) <= 80 for line in lines), study.name
        print(f"== {study.name}, {time.monotonic() - begun:.0f} s", *lines, sep="\n", flush=True)
    print(f"{len(chosen)} studies on one core")


if __name__ == "__main__":
    sys.exit(main())
