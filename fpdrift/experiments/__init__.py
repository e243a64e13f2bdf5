"""Studies that put the rooms together: each answers one question and is told in one lesson."""

from fpdrift.experiments.arrivals import ThreadsAndTree
from fpdrift.experiments.cnn import CnnDrift, Verdict
from fpdrift.experiments.fiveruns import FiveRun, FiveRuns, GradientRuns
from fpdrift.experiments.registry import EXPERIMENTS, STUDIES, Experiment, experiment, study
from fpdrift.experiments.settings import Settings
from fpdrift.experiments.twoloops import TwoLoops

__all__ = [
    "EXPERIMENTS",
    "STUDIES",
    "CnnDrift",
    "Experiment",
    "FiveRun",
    "FiveRuns",
    "GradientRuns",
    "Settings",
    "ThreadsAndTree",
    "TwoLoops",
    "Verdict",
    "experiment",
    "study",
]
