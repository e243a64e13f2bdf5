"""Experiments: each answers one question about drift and belongs to one lesson."""

from fpdrift.comparison import Interval
from fpdrift.experiments._amplification import DistanceCurves
from fpdrift.experiments._compare_records import ComparedPair, ComparedRecords, compare_records
from fpdrift.experiments._demo import CnnDrift, ThreadsAndTree, TwoLoops, Verdict
from fpdrift.experiments._experiment import Experiment
from fpdrift.experiments._five_runs import FiveRuns, GradientRuns
from fpdrift.experiments._forum_question import Question, Validated
from fpdrift.experiments._hash_seed import HashSeed, Outcomes
from fpdrift.experiments._label_trap import Trap, TwoPaths
from fpdrift.experiments._long_run import Epoch, Long
from fpdrift.experiments._metric import KnifeEdge, Metric
from fpdrift.experiments._no_seeds import NoSeeds
from fpdrift.experiments._one_gate import OneGate
from fpdrift.experiments._op_determinism import Determinism
from fpdrift.experiments._registry import EXPERIMENTS, LIGHT, STUDIES, experiment, study
from fpdrift.experiments._runs import RunDistance, Settings, TrainedRun
from fpdrift.experiments._sources import Source, Sources
from fpdrift.experiments._study import Study
from fpdrift.experiments._survival import UlpSurvival

__all__ = [
    "EXPERIMENTS",
    "LIGHT",
    "STUDIES",
    "CnnDrift",
    "ComparedPair",
    "ComparedRecords",
    "Determinism",
    "DistanceCurves",
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
