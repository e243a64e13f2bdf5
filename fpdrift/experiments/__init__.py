"""Studies that put the rooms together: each answers one question and is told in one lesson."""

from fpdrift.drift.intervals import Interval
from fpdrift.experiments.arrivals import ThreadsAndTree
from fpdrift.experiments.cnn import CnnDrift, Verdict
from fpdrift.experiments.compared import ComparedPair, ComparedRecords, compare_records
from fpdrift.experiments.courses import Courses
from fpdrift.experiments.determinism import Determinism
from fpdrift.experiments.fiveruns import FiveRuns, GradientRuns
from fpdrift.experiments.hashseed import HashSeed, Outcomes
from fpdrift.experiments.long import Epoch, Long
from fpdrift.experiments.metric import KnifeEdge, Metric
from fpdrift.experiments.noseeds import NoSeeds
from fpdrift.experiments.onegate import OneGate
from fpdrift.experiments.question import Question, Validated
from fpdrift.experiments.registry import (
    EXPERIMENTS,
    LIGHT,
    STUDIES,
    Experiment,
    experiment,
    study,
)
from fpdrift.experiments.settings import Settings
from fpdrift.experiments.sources import Source, Sources
from fpdrift.experiments.study import Study
from fpdrift.experiments.survival import UlpSurvival
from fpdrift.experiments.trained import RunDistance, TrainedRun
from fpdrift.experiments.trap import Trap, TwoPaths
from fpdrift.experiments.twoloops import TwoLoops

__all__ = [
    "EXPERIMENTS",
    "LIGHT",
    "STUDIES",
    "CnnDrift",
    "ComparedPair",
    "ComparedRecords",
    "Courses",
    "Determinism",
    "Epoch",
    "Experiment",
    "FiveRuns",
    "GradientRuns",
    "HashSeed",
    "Interval",
    "KnifeEdge",
    "Long",
    "Metric",
    "NoSeeds",
    "OneGate",
    "Outcomes",
    "Question",
    "RunDistance",
    "Settings",
    "Source",
    "Sources",
    "Study",
    "ThreadsAndTree",
    "TrainedRun",
    "Trap",
    "TwoLoops",
    "TwoPaths",
    "UlpSurvival",
    "Validated",
    "Verdict",
    "compare_records",
    "experiment",
    "study",
]
