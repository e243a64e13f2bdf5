"""TensorFlow's op determinism: whether reruns give the same bits, and what it costs."""

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

#: Number of first steps to ignore, since they trace and compile.
_WARM = 5


class Stopwatch:
    """A progress callback that stores the median time of a step.

    An already finished run reports only its end, and its stored time is kept.

    Parameters
    ----------
    place : pathlib.Path
        JSON file with label of the run -> seconds.
    report : callable
        Progress callback to call with the same arguments (label, done, total).
    """

    def __init__(self, place: Path, report: Callable[[str, int, int], None]) -> None:
        self._place = place
        self._report = report
        self._times: list[float] = []

    def __call__(self, label: str, done: int, total: int) -> None:
        """Record the time of a step."""
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
        """Median time of a step in seconds, by label of the run."""
        try:
            kept = json.loads(self._place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(kept, dict):
            return {}
        return {label: value for label, value in kept.items() if isinstance(value, float)}


STEPS = {"quick": 40, "full": EPOCH}
COUNTS = {"quick": (1, 2, 4), "full": (1, 2, 3, 4, 8)}
CLAIM = "Is it impossible to get reproducible results on a GPU?"
_ON = "op det."
_ONE = "1 intra, 1 inter"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Determinism(Result):
    """Runs with and without op determinism."""

    study: Study
    #: pair of runs with and without op determinism -> ratio of their median times per step; only
    #: pairs that were timed
    ratios: dict[str, float]

    @property
    def finding(self) -> str:
        """The result in words."""
        return with_look(f"{_tell(self.study)} {cost(self.ratios)}", self.study)

    def __repr__(self) -> str:
        return f"Determinism({self.study!r}, {len(self.ratios)} timed pairs)"


#: Significance level of the sign test.
_CHANCE = 0.05


@as_study("determinism", ("C19",), "10", "op determinism: its bits, its cost", timed=True)
def determinism(settings: Settings) -> Determinism:
    """Train at several thread counts: without op determinism, twice with it, and without it again.

    The runs alternate, so that both kinds run under the same load. Finished runs in the folder
    ``determinism`` of `settings.out` are not trained again.
    """
    labelled, against, pairs = _plan(settings)
    steps = STEPS[size_of(settings)]
    watch = Stopwatch(settings.out / "determinism" / f"{steps}-steps.json", settings.progress)
    names = [f"run {i + 1} of {len(labelled)}, {c.name}" for i, c in enumerate(labelled.values())]
    study, _ = run_study(
        "determinism",
        replace(settings, progress=watch, workers=1),  # one run at a time, since it is timed
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
    """Return the runs by label, the baseline of each, and the pairs to compare in time."""
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
    text = (
        f"With op determinism a step took {np.median(list(ratios.values())):.2f} times as long "
        f"(median of {len(ratios)} pairs of runs; {span(ratios.values(), '.2f')})."
    )
    from scipy.stats import binomtest

    slower = sum(ratio > 1 for ratio in ratios.values())
    chance = float(binomtest(slower, len(ratios)).pvalue)
    sure = "" if chance <= _CHANCE else ": too few or too scattered to detect a cost"
    return (
        f"{text} {slower} of {len(ratios)} took longer (sign test: p = {chance:.2g}){sure}. "
        "Other load on the machine is not recorded."
    )


def _tell(study: Study) -> str:
    parts = []
    for what, wanted in (("With op determinism", True), ("Without it", False)):
        those = [d for d in study.distances if (_ON in d.label) == wanted and _ONE not in d.label]
        again = equal(d for d in those if d.label.endswith("again"))
        counts = [d for d in those if not d.label.endswith("again")]
        parts.append(
            f"{what}, {sum(again)} of {len(again)} thread counts gave the same bits in a rerun; "
            f"compared with 1 thread, the others gave {apart(counts)}."
        )
    asked = [d for d in study.distances if _ONE in d.label]
    if asked:
        parts.append(
            f"One intra-op and one inter-op thread gave {apart(asked[1:])} in a rerun; "
            f"compared with one intra-op thread alone, they gave {apart(asked[:1])} (on a CPU; no "
            "GPU was tested)."
        )
    return " ".join(parts)


WORDS["determinism"] = Words("Op determinism: each run twice, and against 1 thread", CLAIM)
