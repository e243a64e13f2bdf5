"""What a terminal may do to a command: Ctrl-C at any time, any encoding, readers that leave."""

import codecs
import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from fpdrift.cli import options, start
from fpdrift.reduction import sum_table
from fpdrift.serialization import Result

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")

#: Interrupts its own process when a module is looked for.
INTERRUPTED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *rest):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from fpdrift.cli.start import main
sys.exit(main(["sums", "--n", "100", "--json", "-", "--plot", "a.svg"]))
"""


def run(*argv, cwd, stdout=subprocess.PIPE, **environment):
    return subprocess.run(
        [sys.executable, *argv],
        cwd=cwd,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        timeout=120,
    )


@POSIX
@pytest.mark.parametrize("name", ["fpdrift.cli.main", "numpy", "fpdrift.cli.reveal", "matplotlib"])
def test_ctrl_c_while_importing_is_one_line(name, tmp_path):
    done = run("-c", INTERRUPTED.format(name=name), cwd=tmp_path)
    assert done.returncode == 130
    assert done.stderr.decode().splitlines()[-1] == "fpdrift: interrupted"
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@POSIX
def test_an_ignored_ctrl_c_stays_ignored(monkeypatch):
    def run(_, *, loaded):
        during = signal.getsignal(signal.SIGINT)
        loaded()
        return during, signal.getsignal(signal.SIGINT)

    monkeypatch.setattr("fpdrift.cli.main.main", run)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert start.main([]) == (signal.SIG_IGN, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_no_encoding_stops_a_command(encoding, tmp_path):
    name = "naïve…\N{SNOWMAN}"
    done = run("-m", "fpdrift", "lessons", "copy", name, cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    i = "\\xef" if encoding == "ascii" else "ï"
    first = done.stdout.decode(encoding).splitlines()[0]
    assert first.startswith(f"na{i}ve...\\u2603{os.sep}")
    assert any((tmp_path / name).iterdir())


def test_a_name_that_is_not_unicode_is_escaped():
    codecs.register_error("fpdrift", start._replace)
    assert "a\udcff→b".encode("utf-8", "fpdrift") == "a\\udcff→b".encode()


def test_json_on_an_ascii_terminal_is_exact(monkeypatch):
    result = sum_table(n=100)
    object.__setattr__(result, "dtype", "…é\udcff")
    exact = result.to_json()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(encoding="ascii"))
    printed = options._json(result)
    assert printed.isascii()
    assert json.loads(printed) == json.loads(exact)
    assert Result.from_json(exact).dtype == "…é\udcff"


@POSIX
@pytest.mark.parametrize("argv", [["--help"], ["demo", "--list"]])
def test_a_reader_that_goes_away_is_no_failure(argv, tmp_path):
    read, write = os.pipe()
    os.close(read)
    done = run("-m", "fpdrift", *argv, cwd=tmp_path, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@POSIX
def test_a_result_is_saved_though_nobody_reads_the_screen(tmp_path):
    read, write = os.pipe()
    os.close(read)
    argv = ("sums", "--n", "100", "--json", "a.json", "--plot", "a.svg")
    done = run("-m", "fpdrift", *argv, cwd=tmp_path, stdout=write)
    os.close(write)
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == b"Saved: a.json, a.svg"
    assert Result.from_json((tmp_path / "a.json").read_text()).n == 100


@POSIX
def test_a_pipe_named_by_json_that_nobody_reads_is_a_failure(tmp_path, capsys, monkeypatch):
    def unread(path, data):
        raise BrokenPipeError(32, "Broken pipe", path)

    monkeypatch.setattr("fpdrift.atomic.write", unread)
    assert start.main(["sums", "--n", "100", "--json", str(tmp_path / "pipe")]) == 2
    assert f"cannot write {tmp_path / 'pipe'}: Broken pipe" in capsys.readouterr().err


@POSIX
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_closed_outputs(closed, tmp_path):
    done = subprocess.run(
        f'"{sys.executable}" -m fpdrift demo --list {closed}', shell=True, cwd=tmp_path
    )
    assert done.returncode == 0
