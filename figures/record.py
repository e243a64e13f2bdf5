"""Measure what the pictures show and no machine can compute alike; what is recorded stays.

python figures/record.py           write what fpdrift/recorded/ lacks
python figures/record.py --list    only say what it would type
python figures/record.py --rewrite NAME...    write recordings as this version does: what it works
                                   out from their numbers is left out, and measured numbers stay
"""

import shlex
import subprocess
import sys
from pathlib import Path

from fpdrift.results import Result
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


def rewrite(names):
    """Read recordings and write them again, with the provenance that they have."""
    for name in names:
        path = RECORDED / f"{name}.json"
        result = Result.from_json(path.read_text(encoding="utf-8"))
        path.write_text(result.to_json(), encoding="utf-8")


def main():
    """Record one after the other; stop at the first that fails."""
    if sys.argv[1:2] == ["--rewrite"]:
        rewrite(sys.argv[2:])
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
