"""Train one network under one condition, in a process of its own."""

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
#: Lets several trainings share a GPU.
_SHARING = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
#: Data that scikit-learn brings or divides.
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
    """Train a network in a fresh process and give the record of the run.

    Batches of 64, Adam with a learning rate of 1e-3, categorical cross-entropy. As Keras does, an
    epoch ends with the smaller batch that is left: 30,000 images are 469 steps.

    Parameters
    ----------
    condition : Condition, optional
        What is held fixed; by default the framework's own choices.
    network : {"cnn-he", "cnn-glorot", "answer", "question"}
        The same layers with He's or Glorot's starting weights; records store the names
        ``"answer"`` and ``"question"``.
    data : {"noise", "digits", "fashion-mnist", "digits-split", "fashion-mnist-split"}
        See `fpdrift.training._datasets.load`.
    steps : int, default 100
        Updates to do, 1 to 1,000,000.
    seed : int, optional
        Instead of the condition's: draws weights, order of the data and dropped units.
    labels : {"one-hot", "multi-hot"}
        Multi-hot (noise only): ten random bits, the source's own labels.
    backend : {"tensorflow", "torch", "jax"}, optional
        Keras' backend where the condition names none; by default that of ``KERAS_BACKEND``,
        TensorFlow if there is none.
    path : str or os.PathLike, optional
        The record to make; by default named after the condition, in the current folder.
    overwrite : bool, default False
        Replace a record that is there.
    timeout : float, optional
        Seconds after which the run is ended; what was recorded until then stays readable.
    progress : callable, optional
        Called with the number of steps done and to do.

    Returns
    -------
    Record
        With the first 256 validation images as its probe (all of a split's); its `meta` says what
        the run was made of, Keras' backend included.

    Raises
    ------
    FpdriftError
        If something is out of its range or unknown, cannot be had on this backend, or the record
        cannot be written; all before a process is started.
    MissingExtraError
        If Keras, its backend or scikit-learn is needed and not installed.
    ChildError
        If the process fails, is killed or takes too long.
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
    tell = None if progress is None else lambda message: progress(message["step"], steps)
    run_module("fpdrift.training._worker", task, env=env, timeout=timeout, on_progress=tell)
    return open_own(place)


def _condition(condition: Any, seed: int | None) -> Condition:
    chosen = Condition() if condition is None else condition
    if not isinstance(chosen, Condition):
        message = f"condition is a fpdrift.Condition, not {short_repr(condition)}"
        raise FpdriftError(message)
    return chosen if seed is None else dataclasses.replace(chosen, seed=seed)


def environment(
    condition: Condition, data: str, backend: str | None = None
) -> dict[str, str | None]:
    """Return the changes to the environment that a process needs, once all is installed.

    Parameters
    ----------
    condition : Condition
    data : str
    backend : str, optional
        Where the condition names none; by default that of ``KERAS_BACKEND``, else TensorFlow.

    Raises
    ------
    FpdriftError
        If the condition cannot be had on the backend, or something is not installed.
    """
    backend = condition.backend or backend or os.environ.get("KERAS_BACKEND") or "tensorflow"
    _check_installed(backend, data)
    condition.check_backend(backend)
    told = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    # unless the user says otherwise, a training takes no more of a GPU's memory than it needs
    for name, value in _SHARING.items():
        told[name] = os.environ.get(name, value)
    return condition.environment() | told


def _check_installed(backend: str, data: str) -> None:
    """See that all that is needed is installed."""
    check_choice("KERAS_BACKEND", backend, BACKENDS)
    for module in (backend, "keras", *(["sklearn"] if data in SKLEARN else [])):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(module)


def _check_nudge(condition: Condition, network: str) -> None:
    """Try a nudge of one weight on weights of zero, to see that there is such a weight."""
    nudge = condition.perturbation
    if nudge is not None and nudge.kind != "noise":
        dtype = format_of(condition.weight_dtype).dtype
        shapes = shapes_of(network)
        perturb({name: np.zeros(shape, dtype) for name, shape in shapes.items()}, nudge)


def _place(path: Any, condition: Condition, *, overwrite: bool) -> Path:
    """Find the record's place, and see that it can be written."""
    place = check_place(
        f"{condition.file_name}.fpdrift" if path is None else path, overwrite=overwrite
    )
    folder = place.parent
    if not folder.is_dir():
        message = f"no folder {str(folder)!r}; make it first, or choose another path"
        raise RecordError(message)
    if not os.access(folder, os.W_OK | os.X_OK):
        message = f"cannot write in {str(folder)!r}; choose another path"
        raise RecordError(message)
    return place
