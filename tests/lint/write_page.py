"""Write the table of rules into docs/lint.md."""

from pathlib import Path

from fpdrift.lint import table

PAGE = Path(__file__).parents[2] / "docs" / "lint.md"
MARK = "<!-- The table is written by tests/lint/write_page.py. -->\n"


def written(text):
    """Return the page with the table as the rules have it."""
    head, _ = text.split(MARK)
    return f"{head}{MARK}\n{table()}\n"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
