"""Run the code cells of a notebook in a fresh process, one after another."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

#: What IPython alone understands: magics, and commands for the shell.
_MAGIC = re.compile(r"^(\s*)[%!?].*$|^(\s*)(\w[\w, ]*=\s*)[%!].*$", re.MULTILINE)


def code_cells(path: str) -> list[str]:
    """Return the code of a notebook's cells, with the lines of IPython's magics left empty."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return ["" if text.startswith("%%") else _MAGIC.sub(r"\1pass", text) for text in sources]


def cell_file(path: str, number: int) -> str:
    """Return the file name under which a cell is compiled."""
    return f"{path}:cell {number}"


def run_notebook(path: str, namespace: dict[str, Any] | None = None) -> None:
    """Run all code cells in the namespace of the main program.

    Parameters
    ----------
    path : str
        The notebook; lines for IPython are skipped.
    namespace : dict, optional
        Variables at the start; those at the end are added.
    """
    import linecache

    main = ModuleType("__main__")
    vars(main).update(namespace or {})
    main.__file__ = path
    sys.modules["__main__"] = main
    for number, text in enumerate(code_cells(path), 1):
        name = cell_file(path, number)
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), vars(main))  # noqa: S102 - it is the user's own notebook
    if namespace is not None:
        namespace.update(vars(main))
