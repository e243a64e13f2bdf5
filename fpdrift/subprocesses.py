"""Run a module of ours in a fresh process: its own environment, a time limit, progress, no orphan.

The two sides talk in JSON lines. The child reads its task from stdin, which the parent keeps open
for as long as it lives: when it reaches its end, however the parent died, the child ends too.
Progress and result go to the child's stdout; whatever else it or its libraries print goes to a
file, whose last line says why a child failed.
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import IO, Any, NoReturn

from fpdrift.errors import ChildError, FpdriftError, RecordError, short_repr

#: What a child is told, reports and gives: values that JSON can hold.
Message = dict[str, Any]
Report = Callable[[Message], None]

#: The child finds what its parent finds, and runs the module as a program.
_START = (
    "import runpy, sys; sys.path[:] = sys.argv[2:]; "
    "runpy.run_module(sys.argv[1], run_name='__main__', alter_sys=True)"
)
#: Seconds that a child gets to end after it was asked to.
_GRACE = 5.0
#: TensorFlow's notices at its start, in Google's log format; none of them says why a child ended.
_NOTICE = re.compile(r"[IWE]\d{4} |WARNING: All log messages")
_MESSAGES = ("progress", "result", "refusal", "failure")
_KINDS = {kind.__name__: kind for kind in (FpdriftError, RecordError, ChildError)}


def run_module(
    module: str,
    payload: Message,
    *,
    env: Mapping[str, str | None] | None = None,
    timeout: float | None = None,
    on_progress: Report | None = None,
) -> Message:
    """Run a module that calls `serve` in a fresh process and give its result.

    Parameters
    ----------
    module : str
        Full name of the module; it is run as a program.
    payload : dict
        What the module's handler is given; JSON values.
    env : mapping, optional
        Changes to this process's environment variables; None removes one.
    timeout : float, optional
        Seconds after which the child is killed; by default never.
    on_progress : callable, optional
        Called, in this thread, with each dict that the handler reports.

    Returns
    -------
    dict
        What the handler returned.

    Raises
    ------
    FpdriftError
        If the handler raised one (with the same text), or `timeout` is no number above zero.
    ChildError
        If the child was killed, failed, or took too long.
    """
    check_timeout(timeout)
    late = threading.Event()
    with tempfile.TemporaryFile() as chatter:
        child = _start(module, env or {}, chatter)
        clock = _kill_after(timeout, child, late)
        try:
            kind, value = _converse(child, payload, on_progress or (lambda _: None))
            if not kind:
                child.wait()
        finally:
            if clock is not None:
                clock.cancel()
            _end(child)
        if not kind:
            how = _cause_of_death(child.returncode)
            if late.is_set():
                how = f"took longer than {timeout} s; give it a longer timeout"
            raise ChildError(f"{module} {how}{_last_words(chatter)}")
    if kind == "refusal":
        raise _KINDS.get(value["kind"], FpdriftError)(value["text"])
    if kind == "failure":
        raise ChildError(f"{module} failed: {value['text']}")
    return value


def serve(handler: Callable[[Message, Report], Message]) -> NoReturn:
    """Do, in a child, what `run_module` asks for; then end the process.

    Parameters
    ----------
    handler : callable
        Given the payload and a function that reports progress, it returns the result. Both are
        dicts of JSON values. An `FpdriftError` that it raises reaches the parent as it is.
    """
    answers = _take_stdout()
    payload = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        kind, value = "result", handler(payload, partial(_send, answers, "progress"))
    except FpdriftError as error:
        kind, value = "refusal", {"kind": type(error).__name__, "text": str(error)}
    except Exception as error:  # noqa: BLE001 - a bug, which the parent has to put in one line
        kind, value = (
            "failure",
            {"text": _first_line(f"{type(error).__name__}: {error}".splitlines())},
        )
    _send(answers, kind, value)
    # All is said: tearing down whatever the handler loaded would only take time.
    os._exit(0)


@contextmanager
def importing() -> Iterator[None]:
    """Collect no garbage meanwhile: an import leaves none, and a fourth of its time goes by so.

    What is there afterwards is not looked at again, either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def check_timeout(timeout: float | None) -> None:
    """Refuse a time limit that is no number of seconds above zero, or more than a timer takes.

    Raises
    ------
    FpdriftError
    """
    number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    most = int(threading.TIMEOUT_MAX)
    if timeout is not None and not (number and 0 < timeout <= most):
        message = (
            f"timeout is a number of seconds above 0 and up to {most:,}, or None for no limit, "
            f"not {short_repr(timeout)}"
        )
        raise FpdriftError(message)


def _start(
    module: str, changes: Mapping[str, str | None], chatter: IO[bytes]
) -> subprocess.Popen[bytes]:
    env = {name: value for name, value in {**os.environ, **changes}.items() if value is not None}
    command = [sys.executable, "-P", "-c", _START, module, *sys.path]
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=chatter, env=env
        )
    except (OSError, ValueError) as error:
        message = f"cannot start a Python process for {module}: {error}"
        raise ChildError(message) from None


def _kill_after(
    timeout: float | None, child: subprocess.Popen[bytes], late: threading.Event
) -> threading.Timer | None:
    if timeout is None:
        return None

    def kill() -> None:
        late.set()
        child.kill()

    clock = threading.Timer(timeout, kill)
    clock.daemon = True
    clock.start()
    return clock


def _converse(
    child: subprocess.Popen[bytes], payload: Message, on_progress: Report
) -> tuple[str, Message]:
    """Tell the child its task and listen; give the kind of its last word ("": none) and the word.

    Kinds are "result", "refusal" (an error of ours) and "failure" (any other).
    """
    assert child.stdin is not None  # noqa: S101 - both are pipes; this tells the type checker
    assert child.stdout is not None  # noqa: S101 - as above
    try:
        child.stdin.write(json.dumps(payload).encode() + b"\n")
        child.stdin.flush()
    except OSError:  # it died before it read; listening finds out how
        pass
    for line in child.stdout:
        kind, value = _read(line)
        if kind == "progress":
            on_progress(value)
        elif kind:
            return kind, value
    return "", {}


def _read(line: bytes) -> tuple[str, Message]:
    """Split a line into kind and value; what some library printed before `serve` is no message."""
    try:
        [[kind, value]] = json.loads(line).items()
    except (ValueError, AttributeError):
        return "", {}
    return (kind, value) if kind in _MESSAGES else ("", {})


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the child to end, then force it, then wait: it is gone when this returns."""
    child.terminate()
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for pipe in (child.stdin, child.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:  # a task that was never read
            pass


def _cause_of_death(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    name = {int(s): s.name for s in signal.Signals}.get(-code, "unknown")
    hint = ", as a system does that runs out of memory" if name == "SIGKILL" else ""
    return f"was ended by signal {-code} ({name}){hint}"


def _last_words(chatter: IO[bytes]) -> str:
    """Return the last line that the child printed."""
    chatter.seek(max(0, chatter.seek(0, os.SEEK_END) - 4096))
    lines = chatter.read().decode(errors="replace").splitlines()
    text = _first_line(line for line in reversed(lines) if not _NOTICE.match(line))
    return f"; its last words: {text}" if text else ""


def _first_line(lines: Iterable[str]) -> str:
    """Return the first line that is not blank, cut to what fits on a screen."""
    text = next((line.strip() for line in lines if line.strip()), "")
    return "".join(c if c.isprintable() else " " for c in text[:200])


def _take_stdout() -> IO[str]:
    """Keep stdout for messages, and send what anyone else prints there to stderr."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    return answers


def _send(answers: IO[str], kind: str, value: Message) -> None:
    answers.write(json.dumps({kind: value}) + "\n")
    answers.flush()


def _end_with_parent() -> None:
    """Wait for the end of stdin, which comes when the parent closes it or dies."""
    # Not sys.stdin: a thread that waits there holds its lock when the interpreter ends.
    while os.read(0, 1):
        pass
    os._exit(1)
