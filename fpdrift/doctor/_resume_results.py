"""Whether a script's training resumes to the same bits, and what was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fpdrift.doctor._results import ScriptRun
from fpdrift.serialization import Result
from fpdrift.text import plural

StateKind = Literal[
    "weights",
    "averaged weights",
    "optimizer slots",
    "iterations",
    "learning rate",
    "loss scale",
    "seed generators",
    "callback state",
    "Python's generator",
    "NumPy's generators",
    "TensorFlow's generator",
    "position in the data",
]
ResumeConclusion = Literal["resumes", "state lost", "does not repeat", "no training", "failed"]

_SAVE_ALL = "Save the whole model, model.save('x.keras'), and load it with load_model."
_SEED_AGAIN = (
    "Save its state beside the model and set it before fit, or seed it at the start of each epoch "
    "with the number of the epoch."
)
#: Kind of state -> how it is lost, and what to do.
STATES: dict[str, tuple[str, str]] = {
    "weights": (
        "The weights at the end of fit are not those after its last epoch: averaged or best "
        "weights have replaced them, or they were not saved.",
        "Save at the end of an epoch, with keras.callbacks.BackupAndRestore or ModelCheckpoint, "
        "not after fit.",
    ),
    "averaged weights": ("The averages of an EMA are variables of the optimizer.", _SAVE_ALL),
    "optimizer slots": (
        "Momenta and the like are variables of the optimizer; a file of weights is loaded "
        "before the optimizer has them.",
        _SAVE_ALL,
    ),
    "iterations": (
        "The number of steps decides the learning rate of a schedule and Adam's bias correction.",
        _SAVE_ALL,
    ),
    "learning rate": ("The learning rate starts at its first value.", _SAVE_ALL),
    "loss scale": ("The loss scale of mixed precision starts at its first value.", _SAVE_ALL),
    "seed generators": (
        "Dropout and other random layers draw from seed generators, which no file holds.",
        "Save generator.state of each seed generator beside the model and assign it after loading.",
    ),
    "callback state": (
        "Callbacks count and compare in attributes of their own, which no file holds; some reset "
        "them when fit begins.",
        "Save the attributes beside the model and set them in on_train_begin.",
    ),
    "Python's generator": ("Python's random starts over from its seed.", _SEED_AGAIN),
    "NumPy's generators": ("NumPy's generators start over from their seeds.", _SEED_AGAIN),
    "TensorFlow's generator": ("TensorFlow's seeds start over.", _SEED_AGAIN),
    "position in the data": (
        "With all other state restored, the runs still differ: the order of the data starts over, "
        "or a generator in a compiled graph does.",
        "Derive the order from the number of the epoch: for each epoch one call of fit, with data "
        "shuffled by a seed of that number.",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LostState(Result):
    """One kind of state that a resumed training did not have."""

    kind: StateKind
    #: its parts that differ, such as the names of variables
    parts: tuple[str, ...]
    #: whether a resumed run with it restored ended with the bits of the uninterrupted run
    proven: bool

    @property
    def explanation(self) -> str:
        """How the state is lost."""
        return STATES[self.kind][0]

    @property
    def remedy(self) -> str:
        """What to change in the script."""
        return STATES[self.kind][1]


@dataclass(frozen=True, kw_only=True, slots=True)
class ResumeCheck(Result):
    """Whether a training that is saved, loaded in a new process and resumed has the same bits."""

    script: str
    arguments: tuple[str, ...]
    #: what the first half saves: "model" or "weights"
    save: str
    conclusion: ResumeConclusion
    #: all of the training; its first half; its second half; the same with lost state restored
    runs: tuple[ScriptRun, ...]
    #: epochs in all, and in the first half
    epochs: int
    first_half: int
    #: place of the call of fit ("file:line")
    place: str
    lost: tuple[LostState, ...]
    #: kinds of state that were lost without effect on the result
    without_effect: tuple[StateKind, ...]

    @property
    def finding(self) -> str:
        """The answer in a sentence."""
        return _SENTENCES[self.conclusion](self)


def _resumes(found: ResumeCheck) -> str:
    return (
        f"The training of {found.script} resumes: saved after {_half(found)} and loaded in a new "
        "process, it ends with the same bits."
    )


def _state_lost(found: ResumeCheck) -> str:
    lost = " and ".join(state.kind for state in found.lost)
    return (
        f"The training of {found.script}, saved after {_half(found)} and loaded in a new process, "
        f"ends with different bits. Lost: {lost}."
    )


def _half(found: ResumeCheck) -> str:
    return f"{found.first_half} of {plural(found.epochs, 'epoch')}"


def _does_not_repeat(found: ResumeCheck) -> str:
    return (
        f"Two runs of {found.script} already differ in the first half of the training; run "
        f"fpdrift doctor {found.script} first."
    )


def _no_training(_: ResumeCheck) -> str:
    return (
        "The script has no training to cut in two: no call of fit of a Keras model with two epochs "
        "or more."
    )


def _failed(found: ResumeCheck) -> str:
    run = next((run for run in found.runs if run.ended != "finished"), None)
    if run is None:
        return "The training ended before the middle of its epochs, so it was not resumed."
    where = f" in line {run.line}" if run.line else ""
    return f"Run {run.number} did not finish: it {run.ended}{where}."


_SENTENCES = {
    "resumes": _resumes,
    "state lost": _state_lost,
    "does not repeat": _does_not_repeat,
    "no training": _no_training,
    "failed": _failed,
}
