"""List the conditions that a machine supports: instruction sets, thread counts, oneDNN.

NumPy reports its instruction sets. Those of oneDNN and OpenBLAS cannot be queried: the names come
from their documentation, and the fresh process reports what the library actually used.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from fpdrift import provenance
from fpdrift.backends.onednn import INSTRUCTION_SETS
from fpdrift.errors import MissingExtraError
from fpdrift.provenance import cpu_flags
from fpdrift.reduction.batch._operations import LIBRARIES, check_libraries
from fpdrift.reduction.batch._results import BatchCondition, ConditionReport

#: OpenBLAS's names for processors, oldest first, each with a Linux CPU flag that it requires.
_OPENBLAS = {"Nehalem": "sse4_2", "Sandybridge": "avx", "Haswell": "avx2", "SkylakeX": "avx512bw"}
_THREADS = (1, 2, 4)
_X86 = ("x86_64", "amd64", "i386", "i686")

#: Variables of the user's shell that would introduce a condition.
_SWITCHES = (*provenance.SWITCHES, "GOTO_NUM_THREADS")


def known_conditions(libraries: Sequence[str] = LIBRARIES) -> tuple[ConditionReport, ...]:
    """Return the conditions that can change the bits of a row, without starting any process.

    Parameters
    ----------
    libraries : sequence of {"numpy", "tensorflow"}

    Returns
    -------
    tuple of ConditionReport
        For each library "default", the same again, capped instruction sets and thread counts; for
        TensorFlow also oneDNN off. If a condition is not available on this machine, its ``reason``
        says why.

    Raises
    ------
    FpdriftError
        If a library is unknown.
    """
    found: list[ConditionReport] = []
    for library in check_libraries(libraries):
        capped = _numpy_caps() if library == "numpy" else _tensorflow_caps()
        found += [*_plain(library), *capped, *_threads(library)]
    return tuple(found)


def kernel_sets(libraries: Sequence[str] = LIBRARIES) -> tuple[ConditionReport, ...]:
    """Return those of `known_conditions` that choose the kernels: instruction sets and oneDNN."""
    return tuple(
        report
        for report in known_conditions(libraries)
        if report.condition.threads is None and report.condition.name != "default again"
    )


def reason_against(condition: BatchCondition) -> str | None:
    """Return why a condition is not available, as far as known without a process; else None."""
    if find_spec(condition.library) is None:
        return str(MissingExtraError(condition.library))
    off = condition.environment.get("NPY_DISABLE_CPU_FEATURES", "").replace(",", " ").split()
    unknown = [name for name in off if name not in numpy_features("found")]
    return f"NumPy does not support {', '.join(unknown)} on this machine" if unknown else None


def default(library: str) -> BatchCondition:
    """Return the condition that changes none of the library's defaults."""
    return BatchCondition(name="default", library=library)


def environment(condition: BatchCondition) -> dict[str, str | None]:
    """Return the changes to a fresh process's environment; None removes a variable."""
    changes: dict[str, str | None] = dict.fromkeys(_SWITCHES)
    if condition.library == "tensorflow":
        changes["ONEDNN_VERBOSE"] = "1"  # it reports the instruction set that it uses
    elif condition.threads is not None:
        changes["OPENBLAS_NUM_THREADS"] = str(condition.threads)
    return changes | condition.environment


def _plain(library: str) -> list[ConditionReport]:
    return [_report(name, library) for name in ("default", "default again")]


def _numpy_caps() -> list[ConditionReport]:
    """Return conditions that disable NumPy's instruction sets, newest first, or cap OpenBLAS."""
    on, off = numpy_features("found"), numpy_features("not found")
    switched = {
        f"without {name}{' and newer' if on[i + 1 :] else ''}": on[i:]
        for i, name in reversed([*enumerate(on)])
    } | {f"without {name}": [name] for name in off}
    return [
        _report(name, "numpy", {"NPY_DISABLE_CPU_FEATURES": " ".join(names)})
        for name, names in switched.items()
    ] + [
        _report(f"OpenBLAS for {name}", "numpy", {"OPENBLAS_CORETYPE": name}, _lacks(flag))
        for name, flag in reversed(_OPENBLAS.items())
    ]


def numpy_features(which: str) -> list[str]:
    """Return NumPy's instruction sets, oldest first: those "found" or "not found"."""
    config: Any = np.show_config(mode="dicts")
    return [*config.get("SIMD Extensions", {}).get(which, [])]


def _tensorflow_caps() -> list[ConditionReport]:
    off = _report("oneDNN off", "tensorflow", {"TF_ENABLE_ONEDNN_OPTS": "0"})
    return [off] + [
        _report(f"oneDNN up to {name}", "tensorflow", {"ONEDNN_MAX_CPU_ISA": name}, _lacks(flag))
        for name, flag in reversed(INSTRUCTION_SETS.items())
    ]


def _threads(library: str) -> list[ConditionReport]:
    # TensorFlow splits its work by its number of threads, even if they share a core; OpenBLAS
    # uses no more threads than cores.
    cores = provenance.available_cores() if library == "numpy" else max(_THREADS)
    few = "one core" if cores == 1 else f"{cores} cores"
    return [
        _report(
            f"{count} thread{'s' if count > 1 else ''}",
            library,
            threads=count,
            reason=None if count <= cores else f"OpenBLAS uses at most {few} here",
        )
        for count in _THREADS
    ]


def _report(
    name: str,
    library: str,
    changes: dict[str, str] | None = None,
    reason: str | None = None,
    threads: int | None = None,
) -> ConditionReport:
    condition = BatchCondition(
        name=name, library=library, environment=changes or {}, threads=threads
    )
    return ConditionReport(condition=condition, reason=reason_against(condition) or reason)


def _lacks(flag: str) -> str | None:
    """Return why this machine lacks the instruction set of a Linux CPU flag; None if it may not."""
    machine = platform.machine()
    if machine.lower() not in _X86:
        return f"x86 instruction set; this processor is {machine or 'unknown'}"
    flags = cpu_flags()
    if flags and flag not in flags:
        return f"this processor does not report {flag}"
    return None
