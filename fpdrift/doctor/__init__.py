"""Why the runs of a training script differ: found by running it, and proven by intervention."""

from fpdrift.doctor._examine import diagnose_script
from fpdrift.doctor._remedies import CHANGES
from fpdrift.doctor._results import Cause, Difference, ScriptDiagnosis, ScriptRun, Suspect

__all__ = [
    "CHANGES",
    "Cause",
    "Difference",
    "ScriptDiagnosis",
    "ScriptRun",
    "Suspect",
    "diagnose_script",
]
