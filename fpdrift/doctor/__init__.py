"""Why the runs of a training script differ: found by running it, and proven by intervention.

The names resolve on first use: a process that runs a script must not import NumPy before it does.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes longer than all the rest of this module
if TYPE_CHECKING:
    from typing import Any

    from fpdrift.doctor._examine import diagnose_script
    from fpdrift.doctor._page import page
    from fpdrift.doctor._remedies import CHANGES
    from fpdrift.doctor._results import (
        ProvenCause,
        RunDifference,
        ScriptDiagnosis,
        ScriptRun,
        Suspect,
    )
    from fpdrift.doctor._resume import check_resume
    from fpdrift.doctor._resume_results import LostState, ResumeCheck
    from fpdrift.doctor._twice import check_twice
    from fpdrift.doctor._twice_results import Leftover, TwiceCheck

__all__ = [
    "CHANGES",
    "Leftover",
    "LostState",
    "ProvenCause",
    "ResumeCheck",
    "RunDifference",
    "ScriptDiagnosis",
    "ScriptRun",
    "Suspect",
    "TwiceCheck",
    "check_resume",
    "check_twice",
    "diagnose_script",
    "page",
]

_HOME = {
    "CHANGES": "_remedies",
    "Leftover": "_twice_results",
    "LostState": "_resume_results",
    "ResumeCheck": "_resume_results",
    "TwiceCheck": "_twice_results",
    "check_resume": "_resume",
    "check_twice": "_twice",
    "diagnose_script": "_examine",
    "page": "_page",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in __all__:
        message = f"module 'fpdrift.doctor' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"fpdrift.doctor.{_HOME.get(name, '_results')}"), name)
