"""Measure what the pictures show and no machine can compute alike; what is recorded stays.

python figures/record.py           write what fpdrift/recorded/ lacks
python figures/record.py --list    only say what it would type
python figures/record.py --refresh write what is there again, as this version does; measure nothing
"""

import json
import shlex
import subprocess
import sys
from pathlib import Path

from fpdrift.serialization import Result, upgraded
from fpdrift.slides import CARDS

ROOT = Path(__file__).parents[1]
RECORDED = ROOT / "fpdrift" / "recorded"


def lacking():
    """Give the command for each recording that is not there."""
    for card in CARDS:
        path = RECORDED / f"{card.name}.json"
        if card.live is None and not path.exists():
            out = ["--out", "fpdrift-out"] if card.command.startswith("experiment ") else []
            yield [*shlex.split(card.command), *out, "--json", str(path.relative_to(ROOT))]


def refresh(folder=RECORDED):
    """Read each recording and write it as it would be written today; name those that change.

    Numbers and provenance stay, and what is computed from them today is dropped. A second time
    changes nothing.
    """
    for path in sorted(folder.glob("*.json")):
        kept = path.read_text(encoding="utf-8")
        document = json.loads(kept)
        document["result"] = upgraded(document["result"])
        written = json.dumps(document, allow_nan=False, ensure_ascii=False)
        Result.from_json(written)
        if written != kept:
            path.write_text(written, encoding="utf-8")
            yield path.name


def main():
    """Record one after the other; stop at the first that fails."""
    if "--refresh" in sys.argv[1:]:
        print("\n".join(refresh()) or "nothing to change")
        return 0
    for arguments in lacking():
        print(f"fpdrift {shlex.join(arguments)}", flush=True)
        if "--list" in sys.argv[1:]:
            continue
        (ROOT / "fpdrift-out").mkdir(exist_ok=True)
        done = subprocess.run([sys.executable, "-m", "fpdrift", *arguments], cwd=ROOT)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
