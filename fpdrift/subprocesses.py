"""Run an fpdrift module in a fresh process with its own environment, a time limit and progress.

The two processes exchange JSON lines. The child reads its task from stdin, which the parent keeps
open for as long as it lives: at end of file, however the parent died, the child exits too.
Progress and result go to the child's stdout; anything else that it or its libraries print goes to
a file, whose last line shows why a child failed.
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

#: The task, progress or result of a child: values that JSON can hold.
Message = dict[str, Any]
Report = Callable[[Message], None]

#: Give the child its parent's import path, and run the module as a program.
_START = (
    "import runpy, sys; sys.path[:] = sys.argv[2:]; "
    "runpy.run_module(sys.argv[1], run_name='__main__', alter_sys=True)"
)
#: Seconds between asking a child to exit and killing it.
_GRACE = 5.0
#: TensorFlow's startup notices, in Google's log format; none of them explains a failure.
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
    """Run a module that calls `serve` in a fresh process and return its result.

    Parameters
    ----------
    module : str
        Full name of the module; it is run as a program.
    payload : dict
        Argument of the module's handler; JSON values.
    env : mapping, optional
        Changes to this process's environment variables; a value of None removes one.
    timeout : float, optional
        Seconds after which the child is killed; no limit by default.
    on_progress : callable, optional
        Called, in this thread, with each dict that the handler reports.

    Returns
    -------
    dict
        What the handler returned.

    Raises
    ------
    FpdriftError
        If the handler raised one (with the same text), or `timeout` is not a positive number.
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
                how = f"took longer than {timeout} s; use a longer timeout"
            raise ChildError(f"{module} {how}{_last_output(chatter)}")
    if kind == "refusal":
        raise _KINDS.get(value["kind"], FpdriftError)(value["text"])
    if kind == "failure":
        raise ChildError(f"{module} failed: {value['text']}")
    return value


def serve(handler: Callable[[Message, Report], Message]) -> NoReturn:
    """Handle the task of `run_module` in the child, then end the process.

    Parameters
    ----------
    handler : callable
        Takes the payload and a function that reports progress, and returns the result. Payload
        and result are dicts of JSON values. An `FpdriftError` that it raises is raised again in
        the parent.
    """
    answers = _take_stdout()
    payload = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, args=(_take_stdin(),), daemon=True).start()
    try:
        kind, value = "result", handler(payload, partial(_send, answers, "progress"))
    except FpdriftError as error:
        kind, value = "refusal", {"kind": type(error).__name__, "text": str(error)}
    except Exception as error:  # noqa: BLE001 - a bug, which the parent reports on one line
        kind, value = (
            "failure",
            {"text": _first_line(f"{type(error).__name__}: {error}".splitlines())},
        )
    _send(answers, kind, value)
    # Nothing is left to do; tearing down the handler's libraries would only take time.
    os._exit(0)


@contextmanager
def importing() -> Iterator[None]:
    """Disable garbage collection while importing, which takes a fourth of an import's time.

    An import leaves no garbage. The objects that it creates are frozen, so that later collections
    skip them too.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def check_timeout(timeout: float | None) -> None:
    """Raise FpdriftError unless a time limit is None or positive and within a timer's range.

    Raises
    ------
    FpdriftError
    """
    number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    most = int(threading.TIMEOUT_MAX)
    if timeout is not None and not (number and 0 < timeout <= most):
        message = (
            f"timeout must be a number of seconds above 0, up to {most:,}, or None for no limit, "
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
    """Send the task; return the kind and value of the final message, or kind "" without one.

    Kinds are "result", "refusal" (an FpdriftError) and "failure" (any other exception).
    """
    assert child.stdin is not None  # noqa: S101 - both are pipes; this tells the type checker
    assert child.stdout is not None  # noqa: S101 - as above
    try:
        child.stdin.write(json.dumps(payload).encode() + b"\n")
        child.stdin.flush()
    except OSError:  # it died before it read the task; the exit code says how
        pass
    for line in child.stdout:
        kind, value = _read(line)
        if kind == "progress":
            on_progress(value)
        elif kind:
            return kind, value
    return "", {}


def _read(line: bytes) -> tuple[str, Message]:
    """Split a line into kind and value; kind is "" for output that a library printed."""
    try:
        [[kind, value]] = json.loads(line).items()
    except (ValueError, AttributeError):
        return "", {}
    return (kind, value) if kind in _MESSAGES else ("", {})


def _end(child: subprocess.Popen[bytes]) -> None:
    """Terminate the child, kill it if it does not exit in time, and wait for it."""
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
        except OSError:  # the task was never read
            pass


def _cause_of_death(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    name = {int(s): s.name for s in signal.Signals}.get(-code, "unknown")
    hint = ", possibly because the system ran out of memory" if name == "SIGKILL" else ""
    return f"was killed by signal {-code} ({name}){hint}"


def _last_output(chatter: IO[bytes]) -> str:
    """Return the last line that the child printed."""
    chatter.seek(max(0, chatter.seek(0, os.SEEK_END) - 4096))
    lines = chatter.read().decode(errors="replace").splitlines()
    text = _first_line(line for line in reversed(lines) if not _NOTICE.match(line))
    return f"; its last output: {text}" if text else ""


def _first_line(lines: Iterable[str]) -> str:
    """Return the first line that is not blank, cut to 200 printable characters."""
    text = next((line.strip() for line in lines if line.strip()), "")
    return "".join(c if c.isprintable() else " " for c in text[:200])


def _take_stdout() -> IO[str]:
    """Reserve stdout for messages; redirect everything else printed there to stderr."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    return answers


def _take_stdin() -> int:
    """Reserve stdin for the parent's death; whatever else reads from it finds nothing."""
    parent = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return parent


def _send(answers: IO[str], kind: str, value: Message) -> None:
    answers.write(json.dumps({kind: value}) + "\n")
    answers.flush()


def _end_with_parent(parent: int) -> None:
    """Exit at the end of what was stdin, which comes when the parent closes it or dies."""
    # Not a file object: a thread that waits there holds its lock when the interpreter ends.
    while os.read(parent, 1):
        pass
    os._exit(1)
