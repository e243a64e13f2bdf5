"""Run a notebook's cells as a kernel would, in this process and in a second."""

import ast


def run_cells(book):
    """Give what the last line of each cell is, in a fresh namespace; an error is raised."""
    import matplotlib.pyplot as plt

    space, results = {"__name__": "__main__"}, []
    for cell in book.cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        *body, last = tree.body
        if not isinstance(last, ast.Expr):
            body.append(last)
        exec(compile(ast.Module(body, []), cell.id, "exec"), space)
        if isinstance(last, ast.Expr):
            results.append(eval(compile(ast.Expression(last.value), cell.id, "eval"), space))
    plt.close("all")
    return results
