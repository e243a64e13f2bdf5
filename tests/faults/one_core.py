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
    _amplification,
    _five_runs,
    _forum_question,
    _hash_seed,
    _label_trap,
    _long_run,
    _metric,
    _no_seeds,
    _nudges,
    _one_gate,
    _op_determinism,
    _sources,
    _survival,
    _thread_counts,
)

#: Module -> constants made small.
SMALL = {
    _amplification: {"STEPS": 4, "AMPLIFIED": 4, "DOSES": (-10, -4)},
    _op_determinism: {"STEPS": 3, "COUNTS": (1, 2)},
    _five_runs: {"STEPS": 4},
    _hash_seed: {"STEPS": 3},
    _metric: {"STEPS": 4},
    _no_seeds: {"STEPS": 10},
    _nudges: {"STEPS": 4},
    _one_gate: {"STEPS": 12},
    _sources: {"STEPS": 3, "DRAWS": 2},
    _survival: {"STEPS": 3, "NUDGES": 3},
    _thread_counts: {"STEPS": 3},
    _label_trap: {"STEPS": 3},
    _long_run: {},
    _forum_question: {},
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
