"""Training at several thread counts, each twice: repeatability, and the effect of the count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._five_runs import other_kernels
from fpdrift.experiments._study import EPOCH, WORDS, Study, Words, apart, equal, run_study, size_of
from fpdrift.provenance import current
from fpdrift.training import Condition

if TYPE_CHECKING:
    from fpdrift.experiments._runs import Settings

STEPS = {"quick": 30, "full": EPOCH}
COUNTS = (1, 2, 3, 4, 8)
CLAIM = "Parallel hardware does not guarantee the order of its operations."


@as_study("threads-in-training", ("C06",), "08", "fit with 1 to 8 threads")
def threads_in_training(settings: Settings) -> Study:
    """Train twice at each thread count, without oneDNN, and with older instruction sets.

    Finished runs in the folder ``threads-in-training`` of `settings.out` are not trained again.
    """
    one = Condition(intra_op_threads=1, seed=settings.seed)
    once = {count_of(k): replace(one, intra_op_threads=k) for k in COUNTS}
    kernels, skipped = other_kernels(one, current().cpu_features)
    once |= kernels
    labelled: dict[str, Condition] = {}
    against: dict[str, str] = {}
    for label, condition in once.items():
        labelled |= {label: condition, f"{label} again": condition}
        if condition != one:
            against[label] = count_of(1)
        against[f"{label} again"] = label
    return run_study(
        "threads-in-training",
        settings,
        labelled,
        against,
        steps=STEPS[size_of(settings)],
        skipped=skipped,
    )[0]


def count_of(threads: int) -> str:
    """Return a label for a thread count."""
    return f"{threads} thread{'s' if threads > 1 else ''}"


def _tell(study: Study) -> str:
    again = equal(d for d in study.distances if d.label.endswith("again"))
    others = [d for d in study.distances if not d.label.endswith("again")]
    counts = [d for d in others if d.label.endswith("threads")]
    rest = "".join(f" With {d.label}: {apart([d])}." for d in others if d not in counts)
    distinct = len({run.weights for run in study.runs if run.label in map(count_of, COUNTS)})
    many = f"{distinct} different set{'s' if distinct > 1 else ''}"
    text = (
        f"{sum(again)} of {len(again)} settings gave the same bits in a rerun. "
        f"Compared with 1 thread, other counts gave {apart(counts)}; {len(COUNTS)} counts ended "
        f"with {many} of weights.{rest} "
    )
    if not all(again):
        return f"{text}So this training is nondeterministic here."
    if all(equal(others)):
        return f"{text}No drift was observed."
    return (
        f"{text}So training is order-dependent here; in two runs per setting, nothing was "
        "nondeterministic."
    )


WORDS["threads-in-training"] = Words("Each setting twice, and against 1 thread", CLAIM, _tell)
