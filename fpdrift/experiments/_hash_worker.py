"""The program of a fresh process: what Python's hash of a text is there."""

from __future__ import annotations

import os

from fpdrift.subprocesses import Message, Report, serve


def work(task: Message, _: Report) -> Message:
    """Set variables, too late for Python to read them, and hash a text."""
    os.environ.update(task["late"])
    return {"hash": hash(task["text"])}


if __name__ == "__main__":
    serve(work)
