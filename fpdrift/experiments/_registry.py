"""The registry of experiments: the steps of the demo, and the studies."""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules

from fpdrift.errors import FpdriftError, did_you_mean
from fpdrift.experiments import _demo
from fpdrift.experiments._demo import cnn, threads, two_loops
from fpdrift.experiments._experiment import Experiment, entered

# Each module enters its studies; programs of other processes are for those to import.
for _module in iter_modules(sys.modules[__package__].__path__, f"{__package__}."):
    if not _module.name.endswith("_worker"):
        import_module(_module.name)

#: The steps of the demo.
EXPERIMENTS = (
    Experiment("order", ("C01",), "01", "one expression, every order", _demo.order),
    Experiment("chain", ("C02", "C03", "C04"), "02", "multiply by nearly 1, 1e8 times", two_loops),
    Experiment("threads", ("C05",), "04", "a sum in order of arrival", threads),
    Experiment("nudge", ("C07", "C21"), "07", "tiny noise on half of the weights", _demo.nudge),
    Experiment("cnn", ("C06", "C07"), "08", "one network, trained four times", cnn),
)
#: Studies, which take minutes, by lesson; each resumes after an interruption.
STUDIES = tuple(sorted(entered.values(), key=lambda item: item.lesson))
#: Experiments that take seconds and are not steps of the demo.
LIGHT = (
    Experiment("float", (), "00", "the bits of one float: 0.1", _demo.tenth),
    Experiment("sums", (), "03", "ten summation algorithms and bounds", _demo.ways_of_summing),
    Experiment("trees", ("C05",), "05", "the order in which NumPy adds", _demo.numpy_tree),
    Experiment("gpu", ("C18",), "06", "simulated GPU sums", _demo.simulated_gpu),
)


def experiment(name: str) -> Experiment:
    """Return the step of the demo with a name.

    Raises
    ------
    FpdriftError
        If there is no such step.
    """
    return _find("step", name, EXPERIMENTS)


def study(name: str) -> Experiment:
    """Return the experiment with a name.

    Raises
    ------
    FpdriftError
        If there is no such experiment.
    """
    return _find("experiment", name, (*STUDIES, *LIGHT, *EXPERIMENTS))


def _find(kind: str, name: str, among: tuple[Experiment, ...]) -> Experiment:
    for candidate in among:
        if candidate.name == name:
            return candidate
    message = (
        f"unknown {kind} {name!r}; choose from {', '.join(dict.fromkeys(e.name for e in among))}"
    )
    raise FpdriftError(message + did_you_mean(name, (e.name for e in among)))
