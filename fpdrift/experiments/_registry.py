"""The registry of experiments: the steps of the demo, and the studies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fpdrift.errors import FpdriftError
from fpdrift.experiments import _demo
from fpdrift.experiments._amplification import amplifiers, dose
from fpdrift.experiments._demo import cnn, threads, two_loops
from fpdrift.experiments._five_runs import five_runs
from fpdrift.experiments._forum_question import question
from fpdrift.experiments._hash_seed import hash_seed
from fpdrift.experiments._label_trap import trap
from fpdrift.experiments._long_run import long
from fpdrift.experiments._metric import metric
from fpdrift.experiments._no_seeds import no_seeds
from fpdrift.experiments._nudges import nudge_training
from fpdrift.experiments._one_gate import one_gate
from fpdrift.experiments._op_determinism import determinism
from fpdrift.experiments._sources import sources
from fpdrift.experiments._survival import ulp_survival
from fpdrift.experiments._thread_counts import threads_in_training

if TYPE_CHECKING:
    from fpdrift.experiments._runs import Settings
    from fpdrift.serialization import Result


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment."""

    name: str
    #: ids of the forum claims that it measures
    claims: tuple[str, ...]
    #: number of the lesson that explains it
    lesson: str
    #: one-line description
    summary: str
    run: Callable[[Settings], Result | Any]
    #: whether the number of epochs can be chosen
    epochs: bool = False
    #: whether its runs are timed and therefore not run in parallel
    timed: bool = False


#: The steps of the demo.
EXPERIMENTS = (
    Experiment("order", ("C01",), "01", "one expression, every order", _demo.order),
    Experiment("chain", ("C02", "C03", "C04"), "02", "multiply by nearly 1, 1e8 times", two_loops),
    Experiment("threads", ("C05",), "04", "a sum in order of arrival", threads),
    Experiment("nudge", ("C07", "C21"), "07", "tiny noise on half of the weights", _demo.nudge),
    Experiment("cnn", ("C06", "C07"), "08", "one network, trained four times", cnn),
)
#: Studies, which take minutes; each resumes after an interruption.
STUDIES = (
    Experiment("five-runs", ("C08", "C20"), "08", "five runs, equal on paper", five_runs),
    Experiment("threads-in-training", ("C06",), "08", "fit at 1 to 8 threads", threads_in_training),
    Experiment("nudge", ("C07",), "07", "1e-8 on half of the weights, then train", nudge_training),
    Experiment(
        "long", ("C09", "C21"), "09", "20 epochs, and drift by the epoch", long, epochs=True
    ),
    Experiment("survival", ("C09",), "09", "how long one ulp in one weight survives", ulp_survival),
    Experiment("gate", ("C09",), "09", "the one ReLU behind the largest jump", one_gate),
    Experiment(
        "question", ("C19",), "10", "the training of the forum question", question, epochs=True
    ),
    Experiment("sources", ("C06", "C07", "C10"), "10", "every source alone and together", sources),
    Experiment("trap", ("C20",), "09", "labels that do not sum to one", trap),
    Experiment("dose", ("C07",), "07", "nudges of many sizes, then training", dose),
    Experiment("amplifiers", ("C07",), "09", "one nudge in nine networks", amplifiers),
    Experiment("no-seeds", ("C10",), "10", "the first 10 iterations without seeds", no_seeds),
    Experiment("metric", ("C11",), "08", "whether loss or accuracy jumps", metric),
    Experiment("hash-seed", ("C13",), "10", "what PYTHONHASHSEED changes, and when", hash_seed),
    Experiment(
        *("determinism", ("C19",), "10", "op determinism: its bits, its cost", determinism),
        timed=True,
    ),
)
#: Experiments that take seconds and are not steps of the demo.
LIGHT = (
    Experiment("float", (), "00", "the bits of one float: 0.1", _demo.tenth),
    Experiment("sums", (), "03", "ten summation algorithms and bounds", _demo.ways_of_summing),
    Experiment("trees", ("C05",), "05", "the order in which NumPy adds", _demo.numpy_tree),
    Experiment("gpu", ("C18",), "06", "simulated sums of a GPU", _demo.simulated_gpu),
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
    raise FpdriftError(message)
