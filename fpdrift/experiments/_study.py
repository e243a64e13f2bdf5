"""The common form of a study: trained runs, the distances between them, and the finding."""

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

#: Steps of an epoch of 30,000 images, as in the forum answer.
EPOCH = 469
Size = Literal["quick", "full"]
#: What was checked for bit-identical runs.
NO_HASH = "no hash of any weight or slot differed at any step"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Study(Result):
    """Runs of one network, and distances between some of them."""

    _computed = ("title", "claim", "finding")

    #: name of the experiment
    name: str
    size: Size
    network: str
    data: str
    labels: str
    seed: int
    #: number of steps of each run
    steps: int
    runs: tuple[TrainedRun, ...]
    distances: tuple[RunDistance, ...]
    #: loss of each run at steps 1 to `steps` (runs, steps)
    losses: npt.NDArray[np.float64]
    #: condition that this machine does not support -> reason
    skipped: dict[str, str]

    def __repr__(self) -> str:
        return f"Study({self.name}, {self.size}, {len(self.runs)} runs of {self.steps} steps)"

    @property
    def title(self) -> str:
        """Title of the study."""
        return _words(self).title

    @property
    def claim(self) -> str:
        """The claim that is tested."""
        return _words(self).claim

    @property
    def finding(self) -> str:
        """The result in words."""
        return _words(self).finding(self)

    def __getitem__(self, label: str) -> RunDistance:
        """Return the distance of the run with a label from its baseline."""
        return next(distance for distance in self.distances if distance.label == label)


def _describe_distances(study: Study) -> str:
    text = apart(study.distances)
    return f"{text[0].upper()}{text[1:]}."


@dataclass(frozen=True)
class Words:
    """Title, claim and finding of a study; by default, the finding describes its distances."""

    title: str
    claim: str
    tell: Callable[[Study], str] = _describe_distances

    def finding(self, study: Study) -> str:
        """Return the finding, with what was checked if bits are equal."""
        return with_look(self.tell(study), study)


#: Words by the name of the study; the module of each experiment adds its own.
WORDS: dict[str, Words] = {}


def _words(study: Study) -> Words:
    return WORDS.get(study.name, Words(study.name, ""))


def with_look(finding: str, study: Study) -> str:
    """Append what was checked to a finding, if there are bit-identical runs."""
    checked = f' "The same bits" means that {NO_HASH}.'
    return f"{finding}{checked}" if any(equal(study.distances)) else finding


def size_of(settings: Settings) -> Size:
    """Return the size of a study."""
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
    """Train the runs of a study, unless finished already, and compare them with their baselines.

    Parameters
    ----------
    name : str
        Name of the experiment, and of the folder for its records in `settings.out`.
    settings : Settings
    labelled : mapping of str to Condition
        Conditions by label.
    against : mapping of str to str
        Label of a run -> label of its baseline.
    steps : int
        Number of steps of each run.
    labels : str
        As for `fpdrift.train`.
    folder : str, optional
        Folder for the records, if several studies share runs.
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
    """Format a number with two digits, without an exponent if it is 10 or more."""
    return f"{float(f'{number:.2g}'):,.0f}" if number >= 10 else f"{number:.2g}"


def at_most(number: float) -> str:
    """Format an upper bound of a number: two digits, rounded up."""
    up = Context(prec=2, rounding=ROUND_CEILING)
    return f"{float(up.create_decimal(repr(float(number)))):.1e}"


def equal(distances: Iterable[RunDistance]) -> list[bool]:
    """Return for each distance whether all bits were equal at every step."""
    return [distance.first_step is None for distance in distances]


def span(numbers: Iterable[float], kind: str = ".1e") -> str:
    """Format the smallest and the largest of some numbers."""
    values = list(numbers)
    ends = [format(end, kind) for end in (min(values), max(values))]
    if kind.endswith("g"):
        ends = [f"{float(end):g}" for end in ends]  # 100, not 1e+02
    return " to ".join(dict.fromkeys(ends))


def apart(distances: Iterable[RunDistance]) -> str:
    """Describe whether and how far some runs diverged from their baselines."""
    those = list(distances)
    other = [distance for distance in those if distance.first_step is not None]
    if not other:
        return "the same bits"
    same = len(those) - len(other)
    final = span(d.distance for d in other)
    at = "final distances" if " to " in final else "a final distance"
    text = f"different bits, at {at} of {final}"
    return text if not same else f"{text} ({same} of {len(those)} gave the same bits)"
