"""Every lesson outside the checkout, under conditions that students have: does it run everywhere?

fpdrift comes from its wheel, the notebooks from `fpdrift lessons copy`. Each solution runs in a
process of its own, in the small sizes; an answer that is called wrong is a fault. What the picture
and the prediction say on one core is printed, to be read.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lessons"))
from outside import CELLS, SMALL, Outside, build_wheel, sealed

#: The lesson that cannot do without; 09 and 10 show recorded runs alone.
NEEDS_TENSORFLOW = ("08",)
ONE_CORE = "one core"
#: How the lines begin that are printed for that.
SAYS = ("picture: ", "You said ")


class Place:
    """A condition: what a command stands under, and the environment that it runs in."""

    def __init__(self, base, name, under, outside, leaves_out=()):
        self.name, self.under, self.outside, self.leaves_out = name, under, outside, leaves_out
        self.folder = base / "work" / name.replace(" ", "-")
        found = not under or shutil.which(under[0])
        self.can_be = found and not subprocess.call([*under, "true"], stderr=subprocess.DEVNULL)

    def run(self, book):
        """Run one solution here; give seconds and the ended process."""
        shutil.copytree(book.parents[1], self.folder, dirs_exist_ok=True)
        begun = time.monotonic()
        done = self.outside.run(CELLS, book, under=self.under, cwd=self.folder, **SMALL)
        return time.monotonic() - begun, done


def places(base, wheel):
    """Make all conditions; one that this system cannot make says so."""
    whole = Outside(base / "whole", wheel)
    light = Outside(base / "light", wheel, without=("tensorflow", "keras"))
    whole.fpdrift("lessons", "copy", "notebooks", cwd=base)
    core = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    return [
        Place(base, "wheel", [], whole),
        Place(base, "read-only", sealed(base), whole),
        Place(base, "no TensorFlow", [], light, leaves_out=NEEDS_TENSORFLOW),
        Place(base, "no network", ["unshare", "--map-root-user", "--net"], whole),
        Place(base, ONE_CORE, ["taskset", "--cpu-list", str(core)], whole),
    ]


def sweep(books, conditions):
    """Print the table of seconds; give what was said on one core, and the faults."""
    said, faults = [], []
    print(f"{'seconds':10}", *(f"{place.name:>13}" for place in conditions), flush=True)
    for book in books:
        print(f"{book.stem:10}", end="")
        for place in conditions:
            if not place.can_be or book.name[:2] in place.leaves_out:
                print(f"{'-':>14}", end="")
                continue
            seconds, done = place.run(book)
            bad = "FAILED " if done.returncode else ""
            print(f"{bad}{seconds:.1f}".rjust(14), end="", flush=True)
            if bad:
                faults.append(f"{book.stem}, {place.name}: {done.stdout[-500:]}{done.stderr}")
            if place.name == ONE_CORE:
                lines = done.stdout.splitlines()
                said += [f"{book.stem}: {line}" for line in lines if line.startswith(SAYS)]
        print()
    return said, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", help="of lessons; by default all")
    numbers = parser.parse_args().numbers
    with tempfile.TemporaryDirectory() as place:
        base = Path(place).resolve()
        conditions = places(base, build_wheel(base / "dist"))
        books = sorted((base / "notebooks" / "solutions").glob("*.ipynb"))
        chosen = [book for book in books if not numbers or book.name[:2] in numbers]
        said, faults = sweep(chosen, conditions)
    print("\non one core:", *said, *faults, sep="\n")
    for place in conditions:
        if not place.can_be:
            print(f"skipped: this system cannot make {place.name!r}")
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
