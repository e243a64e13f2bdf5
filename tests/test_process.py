"""A child does its task and ends: with its result, its error, its time limit or its parent."""

import contextlib
import gc
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from fpdrift.errors import ChildError, FpdriftError, RecordError
from fpdrift.subprocesses import importing, run_module

CHILD = """
    import os, signal, sys, time
    from fpdrift.errors import FpdriftError, RecordError
    from fpdrift.subprocesses import serve

    print("printed before serving")
    print('{"result": 1, "two": 2}')

    def work(task, report):
        do = task["do"]
        report({"pid": os.getpid()})
        print("printed by python")
        os.system("echo printed by a program")
        if do == "echo":
            for i in range(3):
                report({"step": i})
            return {"task": task, "env": dict(os.environ), "argv": len(sys.argv)}
        if do == "refuse":
            raise FpdriftError("steps is -1; give 1 or more ±")
        if do == "record":
            raise RecordError("no such folder")
        if do == "bug":
            raise ZeroDivisionError("a bug of\\tours\\nand more of it")
        if do == "exit":
            print("E0000 00:00:17.01 cuda.cc:5] no such device", file=sys.stderr)
            sys.exit(3)
        if do == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if do == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)

    if __name__ == "__main__":
        serve(work)
"""

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Name of a module that only this process's sys.path leads to."""
    (tmp_path / "some_child.py").write_text(textwrap.dedent(CHILD), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return "some_child"


def gone(pid, seconds=60):
    """Wait until a process has ended; a zombie that nobody reaps has."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_result_progress_and_environment_cross_over(child, monkeypatch):
    monkeypatch.setenv("FPDRIFT_GIVEN", "from the shell")
    monkeypatch.setenv("FPDRIFT_REMOVED", "from the shell")
    seen = []
    payload = {"do": "echo", "text": "2/9·11\n", "large": "x" * 200_000, "none": None}
    env = {"FPDRIFT_ADDED": "here", "FPDRIFT_REMOVED": None, "FPDRIFT_NEVER_THERE": None}
    result = run_module(child, payload, env=env, timeout=60, on_progress=seen.append)
    assert result["task"] == payload
    assert [message.get("step") for message in seen] == [None, 0, 1, 2]
    assert result["env"]["FPDRIFT_GIVEN"] == "from the shell"
    assert result["env"]["FPDRIFT_ADDED"] == "here"
    assert "FPDRIFT_REMOVED" not in result["env"]
    assert seen[0]["pid"] != os.getpid()


def test_garbage_is_collected_again_after_an_import():
    with contextlib.suppress(ImportError), importing():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


def test_nothing_reaches_the_terminal(child, capfd):
    run_module(child, {"do": "echo"}, timeout=60)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("do", "kind", "text"),
    [
        ("refuse", FpdriftError, "steps is -1; give 1 or more ±"),
        ("record", RecordError, "no such folder"),
    ],
)
def test_an_error_of_ours_travels_as_it_is(child, do, kind, text):
    with pytest.raises(FpdriftError) as caught:
        run_module(child, {"do": do}, timeout=60)
    assert type(caught.value) is kind
    assert str(caught.value) == text


def test_a_bug_is_named_in_one_line(child):
    with pytest.raises(ChildError) as caught:
        run_module(child, {"do": "bug"}, timeout=60)
    assert str(caught.value) == "some_child failed: ZeroDivisionError: a bug of ours"


def test_exit_code_without_a_time_limit(child):
    with pytest.raises(
        ChildError, match="some_child ended with exit code 3; its last output: printed"
    ):
        run_module(child, {"do": "exit"})


@posix
def test_signal_is_named(child):
    with pytest.raises(
        ChildError, match=r"by signal 9 \(SIGKILL\), possibly because the system ran out"
    ):
        run_module(child, {"do": "kill"}, timeout=60)


def test_unknown_module():
    with pytest.raises(ChildError, match="No module named no_such_module"):
        run_module("no_such_module", {}, timeout=60)


def test_child_that_never_serves(tmp_path, monkeypatch):
    (tmp_path / "mute_child.py").write_text("import sys\nsys.stdin.close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ChildError, match="mute_child ended with exit code 0"):
        run_module("mute_child", {"large": "x" * 1_000_000}, timeout=60)


def test_no_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(ChildError, match="cannot start a Python process for fpdrift"):
        run_module("fpdrift", {})


@pytest.mark.parametrize("do", ["sleep", "stubborn"])
def test_time_limit(child, do):
    pids = []
    for limit in (3, 60):  # the second where a process does not even start in the first
        with pytest.raises(ChildError, match=f"some_child took longer than {limit} s"):
            run_module(
                child, {"do": do}, timeout=limit, on_progress=lambda m: pids.append(m["pid"])
            )
        if pids:
            break
    assert gone(pids[0], 0.1)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 10**12, "10", True])
def test_bad_time_limit_is_refused(timeout):
    told = f"seconds above 0, up to 9,223,372,036, or None for no limit, not {timeout!r}"
    with pytest.raises(FpdriftError, match=re.escape(f"timeout must be a number of {told}")):
        run_module("no_such_module", {}, timeout=timeout)


def test_listener_that_fails_ends_the_child(child):
    pids = []

    def listener(message):
        pids.append(message["pid"])
        raise LookupError

    with pytest.raises(LookupError):
        run_module(child, {"do": "sleep"}, timeout=60, on_progress=listener)
    assert gone(pids[0], 0.1)


@posix
@pytest.mark.parametrize("do", ["sleep", "stubborn"])
def test_interrupt_ends_the_child_and_is_raised(child, do, monkeypatch):
    monkeypatch.setattr("fpdrift.subprocesses._GRACE", 0.5)
    pids = []

    def listener(message):
        pids.append(message["pid"])
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        run_module(child, {"do": do}, timeout=60, on_progress=listener)
    assert gone(pids[0], 0.1)


@posix
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_orphan_when_the_parent_is_killed(child, tmp_path, how):
    program = f"""
        import sys; sys.path.insert(0, {str(tmp_path)!r})
        from fpdrift.subprocesses import run_module
        tell = lambda message: print(message["pid"], flush=True)
        run_module("some_child", {{"do": "stubborn"}}, on_progress=tell)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.send_signal(how)
    try:
        assert gone(pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
