"""Build the notebooks from `lessons/src/*.py` (py:percent): one for students, one with solutions.

A line of code that ends in ``# answer`` is a student's to write: the student's notebook has ``...``
in place of its right-hand side or of what it returns. Every notebook's first code installs fpdrift where it is missing.
Nothing is executed here, so a build gives the same bytes each time.

    python lessons/build.py            write them
    python lessons/build.py --check    exit 1 if one is stale
"""

import re
import sys
from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).parent
ANSWER = re.compile(r"^(\s*(?:\w+ = |return )).*  # answer$", re.MULTILINE)
SETUP = """\
# Only where fpdrift is missing, as on Colab: there a wheel of it has to lie beside this notebook.
try:
    import fpdrift
except ModuleNotFoundError:
    from glob import glob
    wheels = glob("./fpdrift-*.whl")
    assert wheels, "no fpdrift here: put its wheel (pip wheel --no-deps .) beside this notebook"
    %pip install --quiet "{wheels[-1]}EXTRA"\
"""
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def build(source, *, solution):
    """Give the text of one notebook."""
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = {}
        if cell.cell_type == "code":
            kept = r"\g<0>" if solution else r"\1..."
            cell.source = ANSWER.sub(kept, cell.source).replace("  # answer", "")
    extra = "[cnn]" if "**You need:** TensorFlow" in notebook.cells[0].source else ""
    setup = nbformat.v4.new_code_cell(SETUP.replace("EXTRA", extra), id="setup")
    notebook.cells.insert(1, setup)
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4) + "\n"


def built():
    """Give every notebook's path and the text that it should have."""
    for source in sorted((HERE / "src").glob("[0-9][0-9]_*.py")):
        name = f"{source.stem}.ipynb"
        yield HERE / name, build(source, solution=False)
        yield HERE / "solutions" / name, build(source, solution=True)


def stale():
    """Name the notebooks that are not what their source would give."""
    return [
        path.name
        for path, text in built()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main():
    """Write the notebooks, or check them."""
    if "--check" in sys.argv[1:]:
        names = stale()
        if names:
            print(f"stale: {', '.join(names)}; type: make lessons")
        return bool(names)
    for path, text in built():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        print(path.relative_to(HERE.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
