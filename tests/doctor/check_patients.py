"""Run each patient twice in fresh processes and compare the weights that it has trained.

``python tests/doctor/check_patients.py [NAME...]`` checks the scripts and notebooks of `patients`
(also of its folders), or only those whose names begin with a NAME. A patient with a planted cause
has to end with different weights in the two runs, a healthy one and one whose fault only reading
shows (FPDnnn) with equal ones. The two runs have an empty folder each; for a left-over file they
share one. A cause in the order of hashes also has to vanish under ``PYTHONHASHSEED=0``. With
``--pairs 5`` there are five pairs; causes that hang on threads have to show in four of them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PATIENTS = Path(__file__).with_name("patients")
KINDS = (
    "unseeded generator",
    "varying seed",
    "hash order",
    "parallel data",
    "thread race",
    "outside input",
    "left-over file",
    "label trap",
)
#: kinds that depend on which thread comes first
RACY = {"parallel data", "thread race"}
PLACE = re.compile(r"(?:cell (?P<cell>\d+) )?line (?P<lines>\d+(?: or \d+)*)")
MOST_LINES = 60
LIMIT_S = 300

#: Runs a patient, and prints the hash of all variables that its optimisers have trained.
RUN = """
import atexit, hashlib, importlib.abc, importlib.util, json, runpy, sys

trained = []  # strong references: a model that the script drops is hashed, too

class WrapBuild(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "keras.src.optimizers.base_optimizer":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            build = module.BaseOptimizer.build
            def wrapped(self, variables):
                trained.extend(variables)
                return build(self, variables)
            module.BaseOptimizer.build = wrapped
        spec.loader.exec_module = exec_module
        return spec

def print_digest():
    digest = hashlib.sha256()
    for variable in trained:
        digest.update(variable.numpy().tobytes())
    print(f"\\ndigest {len(trained)} {digest.hexdigest()[:16]}")

sys.meta_path.insert(0, WrapBuild())
atexit.register(print_digest)
patient = sys.argv[1]
sys.argv = [patient]
if patient.endswith(".ipynb"):
    from IPython.core.interactiveshell import InteractiveShell
    InteractiveShell.enable_gui = lambda self, gui=None: None  # for %matplotlib inline
    shell = InteractiveShell.instance()
    for cell in json.load(open(patient))["cells"]:
        if cell["cell_type"] == "code":
            shell.run_cell("".join(cell["source"])).raise_error()
else:
    runpy.run_path(patient, run_name="__main__")
"""


class PatientError(Exception):
    """A patient that does not do what its head says."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient's path and what its head expects: pairs of kind and place."""

    path: Path
    expected: tuple[tuple[str, str], ...]

    @property
    def kinds(self) -> set[str]:
        return {kind for kind, _ in self.expected}

    @property
    def differs(self) -> bool:
        return any(kind in KINDS for kind in self.kinds - {"label trap"})

    def differing_pairs(self, pairs: int) -> range:
        """Return the numbers of differing pairs that are right, of so many pairs."""
        if not self.differs:
            return range(1)
        racy = self.kinds <= RACY
        return range(pairs - pairs // 5 if racy else pairs, pairs + 1)


def code_cells(path: Path) -> list[list[str]]:
    """Return the lines of each code cell; a script is one cell."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return [text.splitlines()]
    cells = json.loads(text)["cells"]
    return ["".join(c["source"]).splitlines() for c in cells if c["cell_type"] == "code"]


def read_patient(path: Path) -> Patient:
    """Read the head of a patient and check that its lines are there."""
    cells = code_cells(path)
    if sum(map(len, cells)) > MOST_LINES:
        raise PatientError(f"has {sum(map(len, cells))} lines, more than {MOST_LINES}")
    if not re.fullmatch(r"# patient: \S.*", cells[0][0]):
        raise PatientError(f"begins with {cells[0][0]!r}, not with '# patient: ...'")
    expected = []
    for line in cells[0][1:]:
        if not line.startswith("# expect: "):
            break
        kind, _, place = line.removeprefix("# expect: ").partition(", ")
        expected.append((kind, place))
        if (kind, place) != ("nothing", ""):
            check_place(kind, place, cells, notebook=path.suffix == ".ipynb")
    if not expected:
        raise PatientError("has no line '# expect: ...'")
    return Patient(path, tuple(expected))


def check_place(kind: str, place: str, cells: list[list[str]], *, notebook: bool) -> None:
    """Check a kind, and that each line of its place holds a statement."""
    if kind not in KINDS and not re.fullmatch(r"FPD\d{3}", kind):
        raise PatientError(f"expects {kind!r}, which is not a kind")
    found = PLACE.fullmatch(place)
    if found is None or (found["cell"] is not None) != notebook:
        raise PatientError(f"expects {kind!r} at {place!r}, which is not a place in it")
    lines = cells[int(found["cell"] or 1) - 1]
    for number in map(int, found["lines"].split(" or ")):
        if number > len(lines) or not lines[number - 1].split("#")[0].strip():
            raise PatientError(f"expects {kind!r} at {place!r}, where no statement is")


def run(patient: Patient, folder: str, hash_seed: str = "random") -> str:
    """Run a patient in a folder and return the digest of the trained variables."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(patient.path.resolve())],
            cwd=folder,
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PatientError(f"runs longer than {LIMIT_S} s") from error
    if done.returncode:
        raise PatientError(f"exit code {done.returncode}: {done.stderr.strip()[-800:]}")
    _, number, digest = done.stdout.splitlines()[-1].split()
    if number == "0":
        raise PatientError("has built no optimiser")
    return digest


def run_pair(patient: Patient, hash_seed: str = "random") -> tuple[str, str]:
    """Run a patient twice, in two empty folders or, for a left-over file, in one."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        shared = "left-over file" in patient.kinds
        return run(patient, first, hash_seed), run(patient, first if shared else second, hash_seed)


def check(patient: Patient, pairs: int) -> str:
    """Run the pairs of a patient and return how many differ; raise if it is a wrong number."""
    results = [run_pair(patient) for _ in range(pairs)]
    differing = sum(first != second for first, second in results)
    outcome = f"{differing} of {pairs} differ"
    if differing not in patient.differing_pairs(pairs):
        raise PatientError(outcome)
    if patient.kinds == {"left-over file"} and len({first for first, _ in results}) > 1:
        raise PatientError(f"{outcome}, and first runs in empty folders, too")
    if patient.kinds == {"hash order"} and len(set(run_pair(patient, "0"))) > 1:
        raise PatientError(f"{outcome}, and also with PYTHONHASHSEED=0")
    return outcome


def main() -> int:
    """Check the patients named on the command line and return the number of wrong ones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="beginnings of file names (default: all)")
    parser.add_argument("--pairs", type=int, default=1, help="pairs of runs (default: 1)")
    parser.add_argument("--read", action="store_true", help="check only the heads")
    options = parser.parse_args()
    paths = sorted(p for p in PATIENTS.rglob("*") if p.suffix in {".py", ".ipynb"})
    if options.names:
        paths = [p for p in paths if p.name.startswith(tuple(options.names))]
    wrong = 0
    for path in paths:
        started = time.monotonic()
        kinds = ""
        try:
            patient = read_patient(path)
            kinds = ", ".join(kind for kind, _ in patient.expected)
            outcome = "head is right" if options.read else check(patient, options.pairs)
        except PatientError as error:
            outcome = f"WRONG: {error}"
            wrong += 1
        seconds = time.monotonic() - started
        print(f"{path.name:34} {kinds:28} {seconds:5.1f} s  {outcome}", flush=True)
    print(f"{len(paths)} patients, {wrong} wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(), 1))
