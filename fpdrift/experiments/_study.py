"""What most studies of training come to: some runs, how far they lie apart, and what that says."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context
from typing import TYPE_CHECKING, Literal

import numpy as np

from fpdrift.experiments._runs import run_distance, trained_runs
from fpdrift.serialization import Result, read_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy.typing as npt

    from fpdrift.experiments._runs import RunDistance, Settings, TrainedRun
    from fpdrift.records import Record
    from fpdrift.training import Condition

#: Steps of the source's epoch of 30,000 images.
EPOCH = 469
Size = Literal["quick", "full"]
#: What two runs of equal bits were seen to have in common.
NO_HASH = "no hash of any weight or slot differed at any step"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Study(Result):
    """Runs of one network, some of them held against others."""

    _computed = ("title", "claim", "finding")

    #: of the experiment
    name: str
    size: Size
    network: str
    data: str
    labels: str
    seed: int
    #: of each run
    steps: int
    runs: tuple[TrainedRun, ...]
    distances: tuple[RunDistance, ...]
    #: each run's own loss at steps 1 to `steps` (runs, steps)
    losses: npt.NDArray[np.float64]
    #: condition that this machine cannot have -> why
    skipped: dict[str, str]

    def __repr__(self) -> str:
        return f"Study({self.name}, {self.size}, {len(self.runs)} runs of {self.steps} steps)"

    @property
    def title(self) -> str:
        """What was done."""
        return _words(self).title

    @property
    def claim(self) -> str:
        """What the source says."""
        return _words(self).claim

    @property
    def finding(self) -> str:
        """What these runs say."""
        return _words(self).finding(self)

    def __getitem__(self, label: str) -> RunDistance:
        """Return how far the run of that label got from its baseline."""
        return next(distance for distance in self.distances if distance.label == label)


def _generally(study: Study) -> str:
    told = apart(study.distances)
    return f"{told[0].upper()}{told[1:]}."


@dataclass(frozen=True)
class Words:
    """What is said of the study of one name; where more than its runs says it, that result does."""

    title: str
    claim: str
    tell: Callable[[Study], str] = _generally

    def finding(self, study: Study) -> str:
        """Put into words what its runs say, and how strict the look was where bits are equal."""
        return with_look(self.tell(study), study)


#: By the study's name; the module of each experiment puts its own here.
WORDS: dict[str, Words] = {}


def _words(study: Study) -> Words:
    return WORDS.get(study.name, Words(study.name, ""))


def with_look(told: str, study: Study) -> str:
    """Add to a finding how strict the look was, where it found equal bits."""
    return f"{told} Where bits were the same, {NO_HASH}." if any(equal(study.distances)) else told


def size_of(settings: Settings) -> Size:
    """Say in which size a study is to be done."""
    return "full" if settings.full else "quick"


def run_study(
    name: str,
    settings: Settings,
    labelled: Mapping[str, Condition],
    against: Mapping[str, str],
    *,
    steps: int,
    labels: str = "one-hot",
    folder: str | None = None,
    skipped: Mapping[str, str] | None = None,
) -> tuple[Study, tuple[Record, ...]]:
    """Train what is not trained yet, and hold runs against each other.

    Parameters
    ----------
    name : str
        Of the experiment, and of the folder of its records in `settings.out`.
    settings : Settings
    labelled : mapping of str to Condition
        What the study calls each run.
    against : mapping of str to str
        Label of a run -> label of its baseline.
    steps : int
        Of each run.
    labels : str
        As for `fpdrift.train`.
    folder : str, optional
        Of the records, where several studies share runs.
    skipped : mapping of str to str, optional

    Returns
    -------
    Study, tuple of Record
    """
    runs, records = trained_runs(labelled, settings, folder or name, labels=labels, steps=steps)
    of = dict(zip(labelled, records, strict=True))
    study = Study(
        name=name,
        size=size_of(settings),
        network=records[0].meta["network"],
        data=records[0].meta["data"]["name"],
        labels=labels,
        seed=settings.seed,
        steps=steps,
        runs=runs,
        distances=tuple(run_distance(a, of[a], b, of[b]) for b, a in against.items()),
        losses=read_only([record.loss[1:] for record in records]),
        skipped=dict(skipped or {}),
    )
    return study, records


def plain(number: float) -> str:
    """Write two digits of a number, without an exponent where it is 10 or more."""
    return f"{float(f'{number:.2g}'):,.0f}" if number >= 10 else f"{number:.2g}"


def at_most(number: float) -> str:
    """Write two digits of a number, rounded up: it is not larger than what is written."""
    up = Context(prec=2, rounding=ROUND_CEILING)
    return f"{float(up.create_decimal(repr(float(number)))):.1e}"


def equal(distances: Iterable[RunDistance]) -> list[bool]:
    """Report of each whether all bits were equal at every step."""
    return [distance.first_step is None for distance in distances]


def span(numbers: Iterable[float], kind: str = ".1e") -> str:
    """Write the smallest and the largest of some numbers."""
    values = list(numbers)
    ends = (min(values), max(values))
    return " to ".join(dict.fromkeys(format(end, kind) for end in ends))


def apart(distances: Iterable[RunDistance]) -> str:
    """Report of some runs whether and how far they got from their baseline."""
    those = list(distances)
    other = [distance for distance in those if distance.first_step is not None]
    if not other:
        return "the same bits"
    same = len(those) - len(other)
    text = f"other bits, the weights {span(d.distance for d in other)} apart at the end"
    return text if not same else f"{text} ({same} of {len(those)} the same bits)"
