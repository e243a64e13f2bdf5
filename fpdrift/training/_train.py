"""Train one network under one condition, in a fresh process."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fpdrift.errors import FpdriftError, MissingExtraError, RecordError, short_repr
from fpdrift.floats import format_of
from fpdrift.perturbation import perturb
from fpdrift.records import Record, check_place, open_own
from fpdrift.subprocesses import check_timeout, run_module
from fpdrift.training._condition import BACKENDS, Condition
from fpdrift.training._datasets import check
from fpdrift.training._network_names import recorded_name
from fpdrift.training._networks import shapes_of
from fpdrift.validation import check_callable, check_choice, check_int, check_switch

MOST_STEPS = 1_000_000
#: Settings that let several runs share a GPU.
_SHARING = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
#: Data sets that need scikit-learn.
SKLEARN = ("digits", "digits-split", "fashion-mnist-split")


def train(
    condition: Condition | None = None,
    network: str = "answer",
    data: str = "noise",
    *,
    steps: int = 100,
    seed: int | None = None,
    labels: str = "one-hot",
    backend: str | None = None,
    path: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    timeout: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Record:
    """Train a network in a fresh process, and return the record of the run.

    Training uses batches of 64, Adam with a learning rate of 1e-3, and categorical cross-entropy.
    As in Keras, an epoch ends with a smaller batch: 30,000 images are 469 steps.

    Parameters
    ----------
    condition : Condition, optional
        Condition of the run; by default the framework's choices.
    network : {"cnn-he", "cnn-glorot", "answer", "question"}
        The same layers with He's or Glorot's starting weights; records store the names
        ``"answer"`` and ``"question"``.
    data : {"noise", "digits", "fashion-mnist", "digits-split", "fashion-mnist-split"}
        See `fpdrift.training._datasets.load`.
    steps : int, default 100
        Number of updates, 1 to 1,000,000.
    seed : int, optional
        Seed of weights, data order and dropout, instead of the condition's.
    labels : {"one-hot", "multi-hot"}
        Multi-hot (noise only): ten random bits per image, as in the forum answer.
    backend : {"tensorflow", "torch", "jax"}, optional
        Keras backend if the condition does not name one; by default that of ``KERAS_BACKEND``, or
        TensorFlow.
    path : str or os.PathLike, optional
        File of the record; by default named after the condition, in the current folder.
    overwrite : bool, default False
        Replace an existing record.
    timeout : float, optional
        Time limit in seconds; the steps recorded until then stay readable.
    progress : callable, optional
        Called with the number of steps done and the total.

    Returns
    -------
    Record
        Its probe is the first 256 validation images (all for a split); its `meta` describes the
        run, Keras' backend included.

    Raises
    ------
    FpdriftError
        If an argument is out of range or unknown, the backend does not support the condition, or
        the record cannot be written; all before a process is started.
    MissingExtraError
        If Keras, its backend or scikit-learn is needed and not installed.
    ChildError
        If the process fails, is killed or exceeds the time limit.
    """
    condition = _condition(condition, seed)
    network = recorded_name(network)
    check(data, labels)
    steps = check_int("steps", steps, 1, MOST_STEPS)
    check_switch("overwrite", overwrite)
    check_timeout(timeout)
    check_callable("progress", progress)
    env = environment(condition, data, backend)
    _check_nudge(condition, network)
    place = _place(path, condition, overwrite=overwrite)
    task = {
        "condition": condition.to_dict(),
        "network": network,
        "data": data,
        "labels": labels,
        "steps": steps,
        "path": str(place),
        "overwrite": overwrite,
    }
    report = None if progress is None else lambda message: progress(message["step"], steps)
    run_module("fpdrift.training._worker", task, env=env, timeout=timeout, on_progress=report)
    return open_own(place)


def _condition(condition: Any, seed: int | None) -> Condition:
    chosen = Condition() if condition is None else condition
    if not isinstance(chosen, Condition):
        message = f"condition is {short_repr(condition)}; pass a fpdrift.Condition or None"
        raise FpdriftError(message)
    return chosen if seed is None else dataclasses.replace(chosen, seed=seed)


def environment(
    condition: Condition, data: str, backend: str | None = None
) -> dict[str, str | None]:
    """Return the changes to the environment of a training process.

    Parameters
    ----------
    condition : Condition
    data : str
    backend : str, optional
        Used if the condition does not name one; by default that of ``KERAS_BACKEND``, else
        TensorFlow.

    Raises
    ------
    FpdriftError
        If the backend does not support the condition, or a package is not installed.
    """
    backend = condition.backend or backend or os.environ.get("KERAS_BACKEND") or "tensorflow"
    _check_installed(backend, data)
    condition.check_backend(backend)
    changes = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    # by default, a run takes only as much GPU memory as it needs
    for name, value in _SHARING.items():
        changes[name] = os.environ.get(name, value)
    return condition.environment() | changes


def _check_installed(backend: str, data: str) -> None:
    """Check that all required packages are installed."""
    check_choice("KERAS_BACKEND", backend, BACKENDS)
    for module in (backend, "keras", *(["sklearn"] if data in SKLEARN else [])):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(module)


def _check_nudge(condition: Condition, network: str) -> None:
    """Apply a nudge of one weight to zeros, to check that the weight exists."""
    nudge = condition.perturbation
    if nudge is not None and nudge.kind != "noise":
        dtype = format_of(condition.weight_dtype).dtype
        shapes = shapes_of(network)
        perturb({name: np.zeros(shape, dtype) for name, shape in shapes.items()}, nudge)


def _place(path: Any, condition: Condition, *, overwrite: bool) -> Path:
    """Return the path of the record, checking that it can be written."""
    place = check_place(
        f"{condition.file_name}.fpdrift" if path is None else path, overwrite=overwrite
    )
    folder = place.parent
    if not folder.is_dir():
        message = f"folder {str(folder)!r} does not exist; create it or choose another path"
        raise RecordError(message)
    if not os.access(folder, os.W_OK | os.X_OK):
        message = f"cannot write in {str(folder)!r}; choose another path"
        raise RecordError(message)
    return place
