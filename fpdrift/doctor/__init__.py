"""Why the runs of a training script differ: found by running it, and proven by intervention.

The names resolve on first use: a process that runs a script must not import NumPy before it does.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes longer than all the rest of this module
if TYPE_CHECKING:
    from typing import Any

    from fpdrift.doctor._examine import diagnose_script
    from fpdrift.doctor._remedies import CHANGES
    from fpdrift.doctor._results import Cause, Difference, ScriptDiagnosis, ScriptRun, Suspect
    from fpdrift.doctor._resume import check_resume
    from fpdrift.doctor._resume_results import LostState, ResumeCheck

__all__ = [
    "CHANGES",
    "Cause",
    "Difference",
    "LostState",
    "ResumeCheck",
    "ScriptDiagnosis",
    "ScriptRun",
    "Suspect",
    "check_resume",
    "diagnose_script",
]

_HOME = {
    "CHANGES": "_remedies",
    "LostState": "_resume_results",
    "ResumeCheck": "_resume_results",
    "check_resume": "_resume",
    "diagnose_script": "_examine",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in __all__:
        message = f"module 'fpdrift.doctor' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"fpdrift.doctor.{_HOME.get(name, '_results')}"), name)
