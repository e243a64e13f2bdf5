"""Run one library's operations on one row, under one condition, in a fresh process.

The process is started by `fpdrift.reduction.batch._study`, which sends its task.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from importlib import import_module
from typing import Any

import numpy as np

from fpdrift.errors import FpdriftError, MissingExtraError
from fpdrift.reduction.batch._addresses import (
    ALIGNMENTS,
    copies_at_addresses,
    results_at_addresses,
)
from fpdrift.reduction.batch._conditions import numpy_features
from fpdrift.reduction.batch._operations import resolve, row_results
from fpdrift.subprocesses import Message, Report, serve


def work(task: Message, _report: Report) -> Message:
    """Compute the task's operations; return the results and the library's report of itself."""
    with tempfile.TemporaryFile() as printed:
        # oneDNN prints each of its calls to stdout; the first lines are needed.
        os.dup2(printed.fileno(), 1)
        if task["aligned"] and task["library"] == "numpy":
            import_module("scipy.linalg")  # so that its BLAS is asked, too
        found = _start_tensorflow(task["threads"]) if task["library"] == "tensorflow" else {}
        found |= about_numpy() if task["library"] == "numpy" else {}
        check_obeyed(found)
        if task["aligned"] and task["library"] == "tensorflow":
            found |= _addresses_reached()
        with np.load(task["data"], allow_pickle=False) as stored:
            outcomes = {name: _outcome(task, name, stored) for name in task["operations"]}
        sys.stdout.flush()
        found |= _about_onednn(printed)
    return {"found": found, "outcomes": outcomes}


def _outcome(task: Message, name: str, stored: Any) -> Message:
    data = [stored[key] for key in sorted(stored) if key.rpartition(" ")[0] == name]
    if task["aligned"]:
        results = results_at_addresses(name, data)
    else:
        results = row_results(resolve(task["library"], name), data, task["batches"], name)
    return {
        "dtype": results.values.dtype.name,
        "shape": list(results.values.shape),
        "bytes": base64.b64encode(results.values.tobytes()).decode(),
        "repeats": results.repeats,
        "unsteady": list(results.unsteady),
        "neighbours": list(results.neighbours),
    }


def _start_tensorflow(threads: int | None) -> dict[str, str]:
    from fpdrift.backends import tensorflow

    try:
        tensorflow.configure(intra_op_threads=threads, inter_op_threads=None, op_determinism=False)
        return {"TensorFlow": tensorflow.version()}
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "tensorflow") from None


def _addresses_reached() -> dict[str, str]:
    """Return how many of the addresses reach TensorFlow's functions instead of a copy's."""
    from fpdrift.backends import tensorflow

    kept = sum(map(tensorflow.keeps_address, copies_at_addresses(np.zeros(1000))))
    return {"addresses reached": f"{kept} of {ALIGNMENTS}"}


def about_numpy() -> dict[str, str]:
    """Return the versions and settings of NumPy and, if they can be queried, of its BLAS."""
    found = {"NumPy": np.__version__, "features": " ".join(numpy_features("found"))}
    try:
        from threadpoolctl import threadpool_info
    except ImportError:  # comes with scikit-learn; without it BLAS cannot be queried
        return found
    # SciPy, once imported, may have a BLAS of its own.
    libraries = [one for one in threadpool_info() if one["user_api"] == "blas"]
    told = {
        "BLAS": [f"{one['internal_api']} {one['version']}" for one in libraries],
        "threads": [str(one["num_threads"]) for one in libraries],
        "core": [str(one["architecture"]) for one in libraries if "architecture" in one],
    }
    return found | {key: ", ".join(sorted({*texts})) for key, texts in told.items() if texts}


def _about_onednn(printed: Any) -> dict[str, str]:
    from fpdrift.backends.onednn import instructions_named, obeys

    printed.seek(0)
    used = instructions_named(printed.read(10_000).decode(errors="replace"))
    asked = os.environ.get("ONEDNN_MAX_CPU_ISA")
    if asked and not (used and obeys(asked, used)):
        message = f"oneDNN ignored ONEDNN_MAX_CPU_ISA={asked}: it uses {used or 'nothing here'}"
        raise FpdriftError(message)
    return {"oneDNN": used} if used else {}


def check_obeyed(found: dict[str, str]) -> None:
    """Raise FpdriftError if a library did not obey its environment variables."""
    off = os.environ.get("NPY_DISABLE_CPU_FEATURES", "").replace(",", " ").split()
    still = sorted({*off} & {*found.get("features", "").split()})
    if still:
        message = f"NumPy ignored NPY_DISABLE_CPU_FEATURES: {', '.join(still)} is still enabled"
        raise FpdriftError(message)
    for variable, key in (("OPENBLAS_CORETYPE", "core"), ("OPENBLAS_NUM_THREADS", "threads")):
        asked, used = os.environ.get(variable), found.get(key)
        if asked and used and asked.lower() != used.lower():
            message = f"OpenBLAS ignored {variable}={asked}: it uses {used}"
            raise FpdriftError(message)


if __name__ == "__main__":
    serve(work)
