"""Scripts of all habits, really run: each ends with a sentence, and leaves nothing behind."""

import os
import subprocess
import textwrap
import time

import pytest

from fpdrift.cli.main import main
from fpdrift.doctor import diagnose_script
from fpdrift.errors import FpdriftError

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")


@pytest.fixture
def examine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(text, *arguments, **options):
        (tmp_path / "train.py").write_text(textwrap.dedent(text))
        return diagnose_script("train.py", arguments, **options)

    return run


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("x = 1\nraise ValueError('no data')", "it raised ValueError: no data in line 2."),
        ("import sys\n\nsys.exit(3)", "it called sys.exit('3') in line 3."),
        ("import sys\nsys.exit('no GPU')", "it called sys.exit('no GPU') in line 2."),
        ("name = input('name? ')", "it raised EOFError: EOF when reading a line in line 1."),
        ("import os\nos._exit(7)", "it ended with exit code 7."),
        ("import os\nos.kill(os.getpid(), 9)", "it was killed by signal 9 (SIGKILL)"),
        ("import nowhere", "it raised ModuleNotFoundError: No module named 'nowhere' in line 1."),
    ],
)
def test_a_script_that_fails_gets_one_sentence(examine, text, finding):
    found = examine(text)
    assert found.conclusion == "failed"
    assert found.finding.startswith(f"Run 1 did not finish: {finding}")
    assert len(found.runs) == 2


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("print(1)", "The script trains nothing that can be observed: it does not import Keras."),
        ("import sys\nsys.exit(0)", "The script trains nothing that can be observed"),
        (
            "import subprocess, sys\n\nsubprocess.run([sys.executable, '-c', 'pass'])",
            "The script trains nothing in its own process; it starts other programs in train.py:3.",
        ),
    ],
)
def test_a_script_that_trains_nothing_gets_one_sentence(examine, text, finding):
    found = examine(text)
    assert found.conclusion == "nothing trained"
    assert found.finding.startswith(finding)


def test_a_script_that_hangs_is_stopped(examine):
    found = examine("import time\ntime.sleep(60)", timeout=1.5)
    assert found.finding == "Run 1 did not finish: it took longer than 1.5 s; use a longer timeout."


def test_the_command_line_and_the_folder_are_the_script_s_own(examine, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.txt").write_text("here")
    text = """
        import argparse, os, sys
        from pathlib import Path

        parser = argparse.ArgumentParser()
        parser.add_argument("--epochs", type=int)
        assert parser.parse_args().epochs == 3
        assert Path(sys.argv[0]).name == "train.py" and __name__ == "__main__"
        assert Path("data/x.txt").read_text() == "here"
        assert (Path(__file__).parent / "data" / "x.txt").exists()
        Path("model.txt").write_text("written")
        Path("data/x.txt").write_text("changed")
        os.chdir("data")
        Path("other.txt").write_text("written")
    """
    found = examine(text, "--epochs", "3")
    assert found.conclusion == "nothing trained"
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["train.py", "x.txt"]
    assert (tmp_path / "data" / "x.txt").read_text() == "here"


def test_what_a_script_prints_stays_out_of_the_report(examine, capfd):
    examine(
        "import sys\nfor _ in range(100_000):\n    print('x' * 40)\n    sys.stderr.write('y' * 40)"
    )
    assert capfd.readouterr() == ("", "")


def test_what_a_script_starts_ends_with_it(examine, tmp_path):
    place = tmp_path / "pids"
    place.mkdir()
    text = f"""
        import os, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        open(f"{place}/{{child.pid}}", "w").close()
    """
    examine(text)
    pids = [int(path.name) for path in place.iterdir()]
    assert len(pids) == 2
    for _ in range(50):
        if not any(is_running(pid) for pid in pids):
            break
        time.sleep(0.1)
    assert not any(is_running(pid) for pid in pids)


def is_running(pid):
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_no_scratch_folder_is_left(examine, tmp_path, monkeypatch):
    scratch = tmp_path.parent / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    examine("print(1)")
    assert list(scratch.iterdir()) == []


def test_a_script_imports_its_neighbours(examine, tmp_path):
    (tmp_path / "helper.py").write_text("value = 5")
    found = examine("import helper\nassert helper.value == 5")
    assert found.conclusion == "nothing trained"


def test_libraries_are_imported_when_the_script_does(examine):
    """A script may set environment variables that they read."""
    text = """
        import sys
        assert not {"numpy", "keras", "tensorflow", "h5py"} & set(sys.modules)
    """
    assert examine(text).conclusion == "nothing trained"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["doctor", "nowhere.py"], "there is no file 'nowhere.py'; give a script or notebook"),
        (["doctor", "notes.txt"], "'notes.txt' is neither a .py file nor a notebook"),
        (["doctor", "bad.py"], "bad.py, line 1: not Python"),
        (["doctor", "--steps", "0", "good.py"], "steps must be a positive integer, not 0"),
        (["doctor", "--timeout", "-1", "good.py"], "timeout must be a number of seconds above 0"),
        (["doctor", "--baseline", "bad.py", "good.py"], "bad.py"),
        (["doctor", "--baseline", "gone.json", "good.py"], "cannot read the baseline 'gone.json'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, argv, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "bad.py").write_text("def (:")
    (tmp_path / "good.py").write_text("print(1)")
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert message in line


def test_steps_must_be_a_whole_number(tmp_path):
    (tmp_path / "train.py").write_text("")
    with pytest.raises(FpdriftError, match="steps"):
        diagnose_script(tmp_path / "train.py", steps=True)


def test_the_command_says_what_it_runs_and_that_it_cannot_tell(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("print(1)")
    assert main(["doctor", "train.py"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("  The script trains nothing that can be observed")
    assert err == "fpdrift doctor: runs 1 and 2 as it is\n"
