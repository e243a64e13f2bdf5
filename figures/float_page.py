"""Build `float.html`: one float whose bits can be clicked, in one file that needs no network.

Formats, names of the fields and colours are those of the package; what the page computes is held
against `fpdrift.anatomy` in the tests.

    python figures/float_page.py            write it
    python figures/float_page.py --check    exit 1 if it is stale
"""

import json
import sys
from pathlib import Path

from fpdrift.floats import FIELDS, FORMATS
from fpdrift.lessons.widgets import COLOURS

HERE = Path(__file__).parent
PAGE = HERE / "float.html"


def page():
    """Give the text of the page."""
    data = {
        "formats": {
            name: {"bits": fmt.bits, "precision": fmt.precision, "emax": fmt.emax}
            for name, fmt in FORMATS.items()
        },
        "fields": {letter: [name, *COLOURS[letter]] for letter, name in FIELDS.items()},
    }
    template = (HERE / "float_template.html").read_text(encoding="utf-8")
    return template.replace("/*DATA*/null", json.dumps(data))


def main():
    """Write the page, or check it."""
    text = page()
    if "--check" in sys.argv[1:]:
        stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
        if stale:
            print("stale: float.html; type: make lessons")
        return int(stale)
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    print(PAGE.relative_to(HERE.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
