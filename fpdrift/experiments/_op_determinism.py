"""TensorFlow's op determinism: whether it gives the same bits again, and what it costs.

How long a step takes, for each run of an ensemble, kept beside the records.
"""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fpdrift import atomic
from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._study import (
    EPOCH,
    WORDS,
    Study,
    Words,
    apart,
    equal,
    run_study,
    size_of,
    span,
    with_look,
)
from fpdrift.experiments._thread_counts import count_of
from fpdrift.serialization import Result
from fpdrift.training import Condition

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fpdrift.experiments._runs import Settings

#: The first steps trace and compile.
_WARM = 5


class Stopwatch:
    """A progress report that keeps the median time from one step to the next.

    A run that was finished before reports its end alone: what was kept of it stays.

    Parameters
    ----------
    place : pathlib.Path
        JSON file, label of the run -> seconds.
    report : callable
        Called with (label, done, total), as it is itself.
    """

    def __init__(self, place: Path, report: Callable[[str, int, int], None]) -> None:
        self._place = place
        self._report = report
        self._times: list[float] = []

    def __call__(self, label: str, done: int, total: int) -> None:
        """Note the time of a step."""
        if done == 1:
            self._times = []
        self._times.append(time.perf_counter())
        if done == total == len(self._times) > _WARM + 1:
            steps = [b - a for a, b in zip(self._times, self._times[1:], strict=False)][_WARM:]
            kept = json.dumps(self.seconds | {label: statistics.median(steps)})
            atomic.write(self._place, kept)
        self._report(label, done, total)

    @property
    def seconds(self) -> dict[str, float]:
        """Median seconds of a step, by the label of the run."""
        try:
            kept = json.loads(self._place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(kept, dict):
            return {}
        return {label: value for label, value in kept.items() if isinstance(value, float)}


STEPS = {"quick": 40, "full": EPOCH}
COUNTS = {"quick": (1, 2, 4), "full": (1, 2, 3, 4, 8)}
CLAIM = "Is it impossible to get reproducible results on a GPU? (The question.)"
_ON = "op det."
_ONE = "1 intra, 1 inter"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Determinism(Result):
    """Runs with op determinism and without."""

    study: Study
    #: pair of runs, one with op determinism and one without -> how many times as long the median
    #: step took with it; of those that were timed
    ratios: dict[str, float]

    @property
    def finding(self) -> str:
        """What these runs say."""
        return with_look(f"{_tell(self.study)} {cost(self.ratios)}", self.study)

    def __repr__(self) -> str:
        return f"Determinism({self.study!r}, {len(self.ratios)} timed pairs)"


#: A sign test's chance below which pairs tell something.
_CHANCE = 0.05


@as_study("determinism", ("C19",), "10", "op determinism: its bits, its cost", timed=True)
def determinism(settings: Settings) -> Determinism:
    """Train at several thread counts without op determinism, with it, with it, without it.

    One run follows the other, so either kind meets the same machine. What lies finished in the
    folder ``determinism`` of `settings.out` is not trained again.
    """
    labelled, against, pairs = _plan(settings)
    steps = STEPS[size_of(settings)]
    watch = Stopwatch(settings.out / "determinism" / f"{steps}-steps.json", settings.progress)
    names = [f"run {i + 1} of {len(labelled)}, {c.name}" for i, c in enumerate(labelled.values())]
    study, _ = run_study(
        "determinism",
        replace(settings, progress=watch, workers=1),  # what is timed runs alone
        labelled,
        against,
        steps=steps,
    )
    seconds = watch.seconds
    taken = {label: seconds.get(name) for label, name in zip(labelled, names, strict=True)}
    both = {on: (taken[on], taken[off]) for on, off in pairs.items()}
    ratios = {label: on / off for label, (on, off) in both.items() if on and off}
    return Determinism(study=study, ratios=ratios)


def _plan(settings: Settings) -> tuple[dict[str, Condition], dict[str, str], dict[str, str]]:
    """Name the runs, what each is held against, and what each with op determinism is timed by."""
    one = Condition(intra_op_threads=1, seed=settings.seed)
    labelled: dict[str, Condition] = {}
    against: dict[str, str] = {}
    pairs: dict[str, str] = {}
    for count in COUNTS[size_of(settings)]:
        off = count_of(count)
        on = f"{off}, {_ON}"
        plain = replace(one, intra_op_threads=count)
        fixed = replace(plain, op_determinism=True)
        labelled |= {off: plain, on: fixed, f"{on} again": fixed, f"{off} again": plain}
        pairs |= {on: off, f"{on} again": f"{off} again"}
        if count > 1:
            against |= {off: count_of(1), on: f"{count_of(1)}, {_ON}"}
        against |= {f"{off} again": off, f"{on} again": on}
    asked = replace(one, inter_op_threads=1)
    labelled |= {_ONE: asked, f"{_ONE} again": asked}
    against |= {_ONE: count_of(1), f"{_ONE} again": _ONE}
    return labelled, against, pairs


def cost(ratios: dict[str, float]) -> str:
    """Describe how much longer a step takes with op determinism."""
    if not ratios:
        return "No pair of runs was timed."
    told = (
        f"With op determinism a step took {np.median(list(ratios.values())):.2f} times as long "
        f"(median of {len(ratios)} pairs of runs; {span(ratios.values(), '.2f')})."
    )
    from scipy.stats import binomtest

    slower = sum(ratio > 1 for ratio in ratios.values())
    chance = float(binomtest(slower, len(ratios)).pvalue)
    sure = "" if chance <= _CHANCE else ": too few, or too scattered, to tell a cost from none"
    return (
        f"{told} {slower} of {len(ratios)} took longer (sign test: p = {chance:.2g}){sure}. "
        "What else the machine did meanwhile is not recorded."
    )


def _tell(study: Study) -> str:
    told = []
    for what, wanted in (("With op determinism", True), ("Without", False)):
        those = [d for d in study.distances if (_ON in d.label) == wanted and _ONE not in d.label]
        again = equal(d for d in those if d.label.endswith("again"))
        counts = [d for d in those if not d.label.endswith("again")]
        told.append(
            f"{what}, {sum(again)} of {len(again)} thread counts gave the same bits when repeated; "
            f"against 1 thread the others gave {apart(counts)}."
        )
    asked = [d for d in study.distances if _ONE in d.label]
    if asked:
        told.append(
            f"One intra-op and one inter-op thread gave {apart(asked[1:])} when repeated, and "
            f"against one intra-op thread alone {apart(asked[:1])} (a CPU's threads; no GPU was "
            "tried)."
        )
    return " ".join(told)


WORDS["determinism"] = Words("Op determinism: each run twice, and against 1 thread", CLAIM)
