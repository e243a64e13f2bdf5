"""Run a notebook's cells as a kernel would, in this process and in a second.

`python run_cells.py NOTEBOOK...` prints what the cells say, and ends with an error at the first
that raises or calls an answer wrong.
"""

import ast
import sys


def run_cells(book, times=1):
    """Give what the last line of each cell is, in a fresh namespace; an error is raised.

    Each cell is run so many times in turn, as by a student who tries again.
    """
    import matplotlib.pyplot as plt
    from IPython.core.inputtransformer2 import TransformerManager

    space, results = {"__name__": "__main__"}, []
    for cell in book.cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(TransformerManager().transform_cell(cell.source))
        *body, last = tree.body
        if not isinstance(last, ast.Expr):
            body.append(last)
        for _ in range(times):
            exec(compile(ast.Module(body, []), cell.id, "exec"), space)
            if isinstance(last, ast.Expr):
                results.append(eval(compile(ast.Expression(last.value), cell.id, "eval"), space))
    plt.close("all")
    return results


def main(paths):
    """Run notebooks with solutions one after another; say what the picture's title is."""
    import nbformat

    for path in paths:
        for result in run_cells(nbformat.read(path, as_version=4)):
            if hasattr(result, "get_title"):
                print(f"picture: {result.get_title(loc='left')}")
            elif result is not None:
                print(result)
            if repr(result).startswith("Not yet."):
                return f"{path}: {result!r}"
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
