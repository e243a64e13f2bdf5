"""Execute lessons in their whole sizes, each in a kernel of its own: none may take over 3 minutes.

`python tests/lessons/whole_lessons.py [NN...]` runs the solutions of all lessons, or of some.
With `--fast`, FPDRIFT_FAST=1 is set as in a slow room, and none may take over 40 seconds.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import nbclient
import nbformat

SOLUTIONS = Path(__file__).parents[2] / "lessons" / "solutions"
MOST_SECONDS = 180
MOST_FAST = 40


def said(book):
    """Give what the cells printed and were told."""
    for cell in book.cells:
        for output in cell.get("outputs", []):
            yield output.get("text") or output.get("data", {}).get("text/plain", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", help="of lessons; by default all")
    parser.add_argument("--fast", action="store_true", help="in their small sizes")
    given = parser.parse_args()
    numbers, most = given.numbers, MOST_FAST if given.fast else MOST_SECONDS
    os.environ.pop("FPDRIFT_FAST", None)
    if given.fast:
        os.environ["FPDRIFT_FAST"] = "1"
    faults = 0
    with tempfile.TemporaryDirectory() as place:
        for path in sorted(SOLUTIONS.glob("*.ipynb")):
            if numbers and path.name[:2] not in numbers:
                continue
            book = nbformat.read(path, as_version=4)
            begun = time.monotonic()
            where = {"metadata": {"path": place}}
            nbclient.NotebookClient(book, timeout=600, resources=where).execute()
            seconds = time.monotonic() - begun
            wrong = [text for text in said(book) if text.startswith("Not yet.")]
            late = ["took too long"] if seconds > most else []
            faults += bool(wrong or late)
            print(f"{path.stem:10} {seconds:4.0f} s", *wrong, *late, flush=True)
    return faults


if __name__ == "__main__":
    sys.exit(main())
