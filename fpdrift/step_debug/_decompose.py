"""Decompose the distance after a step into an amplified and an injected part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fpdrift.step_debug._results import StepSplit
from fpdrift.step_debug._trace_file import load

Vector = npt.NDArray[np.float64]


def split(step: int, ours: Path, theirs: Path, *, exact_a: bool, exact_b: bool) -> StepSplit:
    """Split one step, given the states that `fpdrift.step_debug._rerun_worker` wrote.

    Parameters
    ----------
    step : int
        Number of updates before the step.
    ours, theirs : pathlib.Path
        Folders of runs A and B.
    exact_a, exact_b : bool
        Whether each run's own step was bit-identical to its record.
    """
    a, b, own_a, own_b, cross = (
        _weights(folder / f"{kind}{step}.npz")
        for kind, folder in (
            *(("state", ours), ("state", theirs)),
            *(("own", ours), ("own", theirs), ("cross", ours)),
        )
    )
    total, amplified, injected = own_a - own_b, own_a - cross, cross - own_b
    square = float(total @ total)
    return StepSplit(
        step=step,
        before=_norm(a - b),
        total=_norm(total),
        amplified=_norm(amplified),
        injected=_norm(injected),
        amplified_share=float(amplified @ total) / square if square else None,
        injected_share=float(injected @ total) / square if square else None,
        residual=_norm(total - (amplified + injected)),
        exact_a=exact_a,
        exact_b=exact_b,
    )


def _weights(path: Path) -> Vector:
    """Read all trainable weights of a state as one vector."""
    parts = [s.values.ravel().astype(np.float64) for s in load(path) if s.stage == "weight"]
    return np.concatenate(parts)


def _norm(vector: Vector) -> float:
    return float(np.linalg.norm(vector))
