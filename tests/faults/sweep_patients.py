"""Run the doctor on scripts with planted causes, and count what it finds.

Each patient states in its head what is planted: ``# expect: KIND, line N`` (or ``N or M``; in a
notebook ``cell C line N``), or ``# expect: nothing``. Codes of lint rules stand for what only
reading can show.

    python tests/faults/sweep_patients.py [--only NAME...] [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from fpdrift.doctor import ScriptDiagnosis, diagnose_script

PATIENTS = Path(__file__).parents[1] / "doctor" / "patients"
_EXPECT = re.compile(r"^# expect: (?P<what>[^,\n]+?)(?:, (?P<where>.+?))?\s*$", re.MULTILINE)


def head(path: Path) -> str:
    """Return the text in which a patient states what is planted."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    return path.read_text(encoding="utf-8")


def expected(path: Path) -> list[tuple[str, str, set[int]]]:
    """Return kind, file (with the cell) and possible lines of everything planted."""
    found = []
    for match in _EXPECT.finditer(head(path)):
        what, where = match["what"], match["where"] or ""
        if what == "nothing":
            continue
        for_cell = re.search(r"cell (\d+)", where)
        file = f"{path.name}:cell {for_cell[1]}" if for_cell else path.name
        lines = re.sub(r"cell \d+", "", where)
        found.append((what, file, {int(n) for n in re.findall(r"\d+", lines)}))
    return found


def judge(path: Path, found: ScriptDiagnosis) -> tuple[str, list[str]]:
    """Return "right", or what is wrong, and the findings."""
    planted = expected(path)
    told = [(c.kind, c.file, c.line) for c in found.causes]
    for cause in found.causes:
        for place in cause.also:
            file, _, line = place.rpartition(":")
            told.append((cause.kind, file, int(line)))
    told += [(s.code, s.file, s.line) for s in found.suspects]
    shown = [f"{kind} {file.rpartition(':cell')[2]}:{line}" for kind, file, line in told]
    if not planted:
        return ("right" if not found.causes else "false alarm"), shown
    wrong = []
    for kind, file, lines in planted:
        same = [line for what, where, line in told if (what, where) == (kind, file)]
        if not same:
            wrong.append(f"not found: {kind} {sorted(lines)}")
        elif lines and not lines & set(same):
            wrong.append(f"{kind} in line {same}, not {sorted(lines)}")
    kinds = {kind for kind, _, _ in planted}
    wrong += [f"false alarm: {c.kind}" for c in found.causes if c.kind not in kinds]
    return "; ".join(wrong) or "right", shown


def main() -> int:
    """Examine the patients; return 1 if fewer than 95 % are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--folder", type=Path, default=PATIENTS)
    parser.add_argument("--out", type=Path, help="append each result as a line of JSON")
    arguments = parser.parse_args()
    paths = sorted(p for p in arguments.folder.rglob("*") if p.suffix in (".py", ".ipynb"))
    right, rows = 0, []
    for path in paths:
        if arguments.only and path.stem not in arguments.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(path, folder)
            os.chdir(folder)
            begun = time.perf_counter()
            found = diagnose_script(path.name)
            seconds = time.perf_counter() - begun
            os.chdir("/")
        verdict, shown = judge(path, found)
        right += verdict == "right"
        rows.append((len(found.runs), seconds))
        line = f"{path.name:36} {len(found.runs):2} runs {seconds:5.0f} s  {verdict}"
        print(line, *([f"   {found.finding}", *shown] if verdict != "right" else ()), sep="\n    ")
        sys.stdout.flush()
        if arguments.out:
            with arguments.out.open("a") as file:
                file.write(json.dumps([path.name, *rows[-1], verdict, shown]) + "\n")
    runs, seconds = (sorted(values)[len(values) // 2] for values in zip(*rows, strict=True))
    print(f"{right} of {len(rows)} right; at the median {runs} runs and {seconds:.0f} s")
    return int(right < 0.95 * len(rows))


if __name__ == "__main__":
    sys.exit(main())
