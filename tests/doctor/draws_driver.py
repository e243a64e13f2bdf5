"""Run scripts under a ledger of draws, each in a process of its own, and print what it entered.

    python draws_driver.py (apart | together) (watched | plain) SCRIPT...

"apart" forks before each script: the process that forks has loaded the standard library alone, so a
script imports NumPy itself, as in a fresh process, without the interpreter's start. "together" runs
all scripts in this process, for those that import TensorFlow. Prints one JSON object: the name of
each script with its entries and what it left in `drawn`.
"""

import contextlib
import io
import json
import os
import runpy
import sys
from pathlib import Path

from fpdrift.doctor._draws import Ledger


def run(script, ledger):
    """Run one script; give its new entries and the repr of what it drew."""
    old = len(ledger.entries)
    with contextlib.redirect_stdout(io.StringIO()):
        names = runpy.run_path(str(script), run_name="__main__")
    return {
        "entries": ledger.entries[old:],
        "drawn": [repr(value) for value in names.get("drawn", ())],
        "failures": ledger.failures,
    }


def installed(watched, folder):
    ledger = Ledger()
    if watched:
        ledger.install(str(folder))
    return ledger


def in_a_fork(script, watched):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "w") as pipe:
            pipe.write(json.dumps(run(script, installed(watched, script.parent))))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text)


def main():
    how, watching, *paths = sys.argv[1:]
    scripts, watched = [Path(path) for path in paths], watching == "watched"
    assert not {"numpy", "keras", "tensorflow", "xxhash"} & set(sys.modules)
    if how == "apart":
        done = {script.stem: in_a_fork(script, watched) for script in scripts}
    else:
        ledger = installed(watched, scripts[0].parent)
        done = {script.stem: run(script, ledger) for script in scripts}
    print(json.dumps(done), file=sys.__stdout__)


if __name__ == "__main__":
    main()
