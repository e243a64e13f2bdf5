"""Ctrl-C: the terminal is left clean, what was saved is named, and no process stays behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import require

if sys.platform == "win32":
    pytest.skip("no pseudo-terminals on this system", allow_module_level=True)
import pty


def read_until(master, word, seconds):
    """Collect what the terminal shows until a word appears or the other side hangs up."""
    seen = b""
    end = time.monotonic() + seconds
    while word not in seen and time.monotonic() < end:
        try:
            piece = os.read(master, 4096)
        except OSError:  # Linux says so when the last writer has gone
            break
        if not piece:
            break
        seen += piece
    return seen


def children_of(pid):
    task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in task.read_text().split()] if task.exists() else []


@pytest.mark.slow
def test_ctrl_c_while_training(tmp_path):
    require("tensorflow")
    master, slave = pty.openpty()
    argv = [sys.executable, "-m", "fpdrift.demo", "--only", "order,cnn", "--no-plots"]
    process = subprocess.Popen(
        argv,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        start_new_session=True,
    )
    os.close(slave)
    try:
        seen = read_until(master, b"1 thread", 300)
        seen += read_until(master, b"3/100", 300)
        children = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        seen += read_until(master, b"\0", 120)
        assert process.wait(120) == 130
    finally:
        process.kill()
        os.close(master)
    text = seen.decode(errors="replace")
    assert "Traceback" not in text
    assert "Saved so far in fpdrift-out" in text
    assert "order.json" in text
    assert "1-thread.fpdrift" in text
    assert text.rfind("\x1b[?25h") >= text.rfind("\x1b[?25l"), "the cursor stays hidden"
    assert (tmp_path / "fpdrift-out" / "order.json").exists()
    end = time.monotonic() + 60
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < end:
        time.sleep(0.1)
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


def test_no_colour_and_no_control_characters_when_piped(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "fpdrift.demo", "--only", "threads", "--no-plots"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "FORCE_COLOR": "", "NO_COLOR": "1"},
    )
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert "3 threads" in done.stdout
