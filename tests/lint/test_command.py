"""``fpdrift lint``: exit codes, formats, notebooks, silenced lines, and bad files."""

import json
import subprocess
import sys
import time

import pytest
from helpers import require

from fpdrift.cli.main import main
from fpdrift.errors import FpdriftError
from fpdrift.lint import RULES, lint

DRAWS = "import numpy as np\n\nx = np.random.default_rng()\n"


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "a.py"
    path.write_text(DRAWS)
    return path


def notebook(path, *cells):
    path.write_text(
        json.dumps(
            {
                "cells": [
                    {"cell_type": kind, "source": text.splitlines(keepends=True)}
                    for kind, text in cells
                ],
                "nbformat": 4,
            }
        )
    )
    return path


def test_exit_codes(script, capsys):
    assert main(["lint", str(script)]) == 1
    assert f"{script}:3:5: FPD005 np.random.default_rng creates" in capsys.readouterr().out
    script.write_text("x = 1\n")
    assert main(["lint", str(script)]) == 0
    assert capsys.readouterr().out == "No findings in 1 file.\n"


def test_a_file_that_is_not_python_stops_no_other(script, capsys):
    (script.parent / "b.py").write_text("x = 1\ny = = 2\n")
    assert main(["lint", str(script.parent)]) == 2
    printed = capsys.readouterr()
    assert "FPD005" in printed.out
    assert printed.err.count("\n") == 1
    assert "b.py, line 2: not Python: invalid syntax" in printed.err


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"x = 1\x00\n", b"(" * 5000])
def test_bytes_that_are_no_script(tmp_path, text):
    (tmp_path / "a.py").write_bytes(text)
    report = lint([tmp_path])
    assert report.findings == ()
    assert len(report.errors) == 1
    assert "\n" not in report.errors[0]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [1]}', '{"cells": [{"source": 1}]}'])
def test_a_file_that_is_no_notebook(tmp_path, text):
    (tmp_path / "a.ipynb").write_text(text)
    assert "not a notebook" in lint([tmp_path]).errors[0]


def test_a_notebook_is_read_by_cells(tmp_path, capsys):
    path = notebook(
        tmp_path / "a.ipynb",
        ("markdown", "# Title\n"),
        ("code", "%matplotlib inline\n!pip install x\nimport numpy as np\n?np\nn = 7\n"),
        ("code", "%%bash\nnot python at all\n"),
        ("code", "%%time\nfor i in range(n %\n  2):\n    %time i\nx = np.random.default_rng()\n"),
    )
    assert main(["lint", str(path)]) == 1
    assert f"{path}: cell 4, line 5: FPD005" in capsys.readouterr().out


def test_a_cell_that_is_not_python(tmp_path):
    path = notebook(tmp_path / "a.ipynb", ("code", "x = 1"), ("code", "y = 1\nx = ("))
    assert "a.ipynb, cell 2, line 2: not Python" in lint([path]).errors[0]


def test_folders_skip_what_is_hidden_or_an_environment(script):
    for name in (".git", "venv", "mine"):
        (script.parent / name).mkdir()
        (script.parent / name / "b.py").write_text(DRAWS)
    (script.parent / "mine" / "pyvenv.cfg").touch()
    assert lint([script.parent, script]).files == 1


@pytest.mark.parametrize(
    ("comment", "count"),
    [
        ("", 1),
        ("# noqa", 0),
        ("# noqa: FPD005", 0),
        ("# noqa: E501, FPD005", 0),
        ("# noqa: FPD1", 1),
    ],
)
def test_noqa(script, comment, count):
    script.write_text(DRAWS.replace("()", f"()  {comment}"))
    assert len(lint([script]).findings) == count


@pytest.mark.parametrize(
    ("select", "ignore", "count"),
    [(["FPD0"], [], 1), (["FPD1"], [], 0), ([], ["FPD005"], 0), (["FPD"], ["FPD2"], 1)],
)
def test_select_and_ignore(script, select, ignore, count):
    assert len(lint([script], select, ignore).findings) == count


def test_a_code_or_a_path_that_does_not_exist(script, capsys):
    with pytest.raises(FpdriftError, match="'FPD9' is not the code or prefix of a rule"):
        lint([script], ["FPD9"])
    for arguments in (["none.py"], [str(script), "--select", "X"], ["--explain", "X"], []):
        assert main(["lint", *arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_json(script, capsys):
    assert main(["lint", str(script), "--output-format", "json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    (finding,) = printed["findings"]
    assert (finding["code"], finding["line"], finding["column"]) == ("FPD005", 3, 5)
    assert finding["fixable"] is True


def test_github(script, capsys):
    assert main(["lint", str(script), "--output-format", "github"]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"::warning file={script},line=3,col=5,title=FPD005::np.random")


def test_sarif(script, capsys):
    assert main(["lint", str(script), "--output-format", "sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    (run,) = log["runs"]
    (result,) = run["results"]
    assert log["version"] == "2.1.0"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "FPD005"
    place = result["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 3, "startColumn": 5}


@pytest.mark.parametrize("code", RULES)
def test_explain(code, capsys):
    assert main(["lint", "--explain", code]) == 0
    out = capsys.readouterr().out
    assert RULES[code].reason in out
    assert RULES[code].remedy in out
    assert RULES[code].lesson in out


def test_list_rules(capsys):
    assert main(["lint", "--list-rules"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(RULES) >= 25


def test_fix(script, capsys):
    require("libcst")
    script.write_bytes(b"# \xc3\xa9\r\n" + DRAWS.replace("\n", "\r\n").encode())
    assert main(["lint", "--fix", str(script)]) == 0
    expected = b"# \xc3\xa9\r\n" + DRAWS.replace("\n", "\r\n").replace("()", "(0)").encode()
    assert script.read_bytes() == expected
    assert capsys.readouterr().err == "Fixed 1.\n"


def test_fix_keeps_what_stands_around(tmp_path):
    require("libcst")
    path = tmp_path / "a.py"
    path.write_text(
        "import os\nfrom sklearn.model_selection import train_test_split as s\n"
        "é = [s(f(1), 2,  # why\n    test_size=0.1,\n), os.listdir('é')]\nprint(é)\n"
    )
    assert main(["lint", "--fix", str(path)]) == 0
    assert path.read_text() == (
        "import os\nfrom sklearn.model_selection import train_test_split as s\n"
        "é = [s(f(1), 2,  # why\n    test_size=0.1,\n    random_state=0,\n), "
        "sorted(os.listdir('é'))]\nprint(é)\n"
    )


def test_without_libcst_fix_says_what_to_install(script, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "libcst", None)
    assert main(["lint", "--fix", str(script)]) == 2
    assert "fpdrift[lint]" in capsys.readouterr().err
    assert script.read_text() == DRAWS


def test_neither_numpy_nor_keras_is_imported():
    code = (
        "import sys, fpdrift.lint as l; l.lint([]); print({'numpy', 'tensorflow'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_long_script_takes_less_than_a_second(tmp_path):
    lines = [f"def f{i}(x):\n    return np.sum(x) + f{i - 1}(x)\n" for i in range(1, 1000)]
    (tmp_path / "a.py").write_text("import numpy as np\nf0 = len\n" + "".join(lines) + "f999([])\n")
    start = time.process_time()
    lint([tmp_path])
    assert time.process_time() - start < 1
