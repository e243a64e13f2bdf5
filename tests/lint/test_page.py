"""docs/lint.md has the rules' table, and shows what the command prints."""

import re

from write_page import PAGE, written

from fpdrift.cli.main import main


def test_the_table_is_that_of_the_rules():
    text = PAGE.read_text(encoding="utf-8")
    assert text == written(text)


def test_the_example_prints_what_the_page_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    script = re.search(r"```python\n# train.py\n(.*?)```", text, re.DOTALL)[1]
    (tmp_path / "train.py").write_text(script)
    shown = re.search(r"```\n\$ fpdrift lint train.py\n(.*?)```", text, re.DOTALL)[1]
    assert main(["lint", "train.py"]) == 1
    assert capsys.readouterr().out == shown
