"""Studies that put the rooms together: each answers one question and is told in one lesson."""

from fpdrift.experiments.arrivals import ThreadsAndTree
from fpdrift.experiments.cnn import CnnDrift, Verdict
from fpdrift.experiments.registry import EXPERIMENTS, Experiment, experiment
from fpdrift.experiments.settings import Settings
from fpdrift.experiments.twoloops import TwoLoops

__all__ = [
    "EXPERIMENTS",
    "CnnDrift",
    "Experiment",
    "Settings",
    "ThreadsAndTree",
    "TwoLoops",
    "Verdict",
    "experiment",
]
