"""Worker program: compute Python's hash of a text in a fresh process."""

from __future__ import annotations

import os

from fpdrift.subprocesses import Message, Report, serve


def work(task: Message, _: Report) -> Message:
    """Set environment variables, too late for Python to read them, and hash a text."""
    os.environ.update(task["late"])
    return {"hash": hash(task["text"])}


if __name__ == "__main__":
    serve(work)
