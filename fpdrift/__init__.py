"""See floating-point drift on your own machine, from ``2*11/9`` to a CNN whose runs diverge.

The public names resolve on first use, so that ``import fpdrift`` costs no more than NumPy does.
"""

from __future__ import annotations

from fpdrift import _kinds

TYPE_CHECKING = False  # `typing` takes longer than all the rest of this module
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

#: Public name -> the module that holds it.
_HOME = {
    "Condition": "fpdrift.training",
    "DriftRecorder": "fpdrift.recorder",
    "FpdriftError": "fpdrift.errors",
    "MissingExtraError": "fpdrift.errors",
    "anatomy": "fpdrift.floats",
    "chain": "fpdrift.arithmetic",
    "compare": "fpdrift.comparison",
    "compare_many": "fpdrift.comparison",
    "diagnose_script": "fpdrift.doctor",
    "export": "fpdrift.exports",
    "gpu_sums": "fpdrift.reduction",
    "growth": "fpdrift.comparison",
    "load_recorded": "fpdrift.recorded",
    "nudge": "fpdrift.perturbation",
    "open_record": "fpdrift.records",
    "orders": "fpdrift.arithmetic",
    "record": "fpdrift.recorder",
    "replay": "fpdrift.reduction",
    "reveal": "fpdrift.reduction",
    "run_plan": "fpdrift.reduction",
    "run_plans": "fpdrift.reduction",
    "same_order": "fpdrift.reduction",
    "thread_sums": "fpdrift.reduction",
    "to_pandas": "fpdrift.exports",
    "train": "fpdrift.training",
    "ulp_distance": "fpdrift.floats",
}

__all__ = [  # noqa: RUF022 - ordered by subject, from floats to training
    "anatomy",
    "ulp_distance",
    "orders",
    "chain",
    "thread_sums",
    "replay",
    "reveal",
    "run_plan",
    "run_plans",
    "same_order",
    "gpu_sums",
    "load_recorded",
    "nudge",
    "DriftRecorder",
    "record",
    "Condition",
    "train",
    "compare",
    "compare_many",
    "growth",
    "diagnose_script",
    "open_record",
    "to_pandas",
    "export",
    "FpdriftError",
    "MissingExtraError",
    "__version__",
]

if TYPE_CHECKING:
    from fpdrift.arithmetic import chain, orders
    from fpdrift.comparison import compare, compare_many, growth
    from fpdrift.doctor import diagnose_script
    from fpdrift.errors import FpdriftError, MissingExtraError
    from fpdrift.exports import export, to_pandas
    from fpdrift.floats import anatomy, ulp_distance
    from fpdrift.perturbation import nudge
    from fpdrift.recorded import load_recorded
    from fpdrift.recorder import DriftRecorder, record
    from fpdrift.records import open_record
    from fpdrift.reduction import gpu_sums, replay, reveal, run_plan, run_plans, thread_sums
    from fpdrift.training import Condition, train


#: Modules, imported on first use: `fpdrift.plotting.plot` works after ``import fpdrift``.
_MODULES = (
    *("arithmetic", "atomic", "backends", "cli", "comparison", "demo", "doctor", "drift"),
    *("ensembles", "errors", "experiments", "exports", "fieldtypes", "floats"),
    *("lessons", "lint", "perturbation", "plotting", "provenance", "recorded"),
    *("recorder", "records", "reduction", "results", "serialization", "slides"),
    *("step_debug", "subprocesses", "text", "training", "validation"),
)

# Where each kind of result, and what shows it, is found when its name is first met.
_kinds.classes.fill_from(
    *("fpdrift.arithmetic", "fpdrift.comparison", "fpdrift.experiments", "fpdrift.floats"),
    *(
        "fpdrift.doctor._results",
        "fpdrift.doctor._resume_results",
        "fpdrift.doctor._twice_results",
        "fpdrift.lessons.runtime",
        "fpdrift.perturbation",
        "fpdrift.reduction",
    ),
    *("fpdrift.step_debug", "fpdrift.training", "fpdrift.ensembles"),
)
_kinds.pictures.fill_from("fpdrift.plotting.*")
_kinds.screens.fill_from("fpdrift.cli.screens.*")


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME and name not in _MODULES:
        message = f"module 'fpdrift' has no attribute {name!r}"
        raise AttributeError(message)
    try:
        if name in _MODULES:
            return import_module(f"fpdrift.{name}")
        value = getattr(import_module(_HOME[name]), name)
    except (ModuleNotFoundError, ValueError) as error:
        raise _import_error(error) from None
    globals()[name] = value
    return value


def _import_error(error: Exception) -> Exception:
    """Return the error to raise in place of `error`: a missing library is named."""
    import os

    from fpdrift.errors import EXTRA_OF, FpdriftError, MissingExtraError

    missing = getattr(error, "name", None)
    if missing in EXTRA_OF:
        return MissingExtraError(missing)
    backend = os.environ.get("KERAS_BACKEND")
    if backend and (missing == backend or backend in str(error)):
        return FpdriftError(
            f"KERAS_BACKEND is {backend!r}, which is not installed; install or unset it"
        )
    return error


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_MODULES})
