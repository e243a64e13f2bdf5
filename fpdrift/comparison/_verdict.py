"""Why two runs differ, as far as their records show: the first thing that a reader asks.

What follows from one state, the same batch and the same formulas differs in float32 by rounding
alone. So the first update that differs is looked at, where the state before it was recorded equal
in every bit: its loss (computed from equal weights) and how far apart it leaves the weights, as a
share of what the update moves them. How often the bounds are right is in ``docs/verdicts.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fpdrift.serialization import Result

if TYPE_CHECKING:
    from fpdrift.comparison._results import Comparison, FirstDifference

Kind = Literal[
    "identical",
    "different start",
    "different settings",
    "different computation",
    "consistent with rounding",
    "cannot tell",
]

#: Relative difference of two losses of one step from equal weights: up to the first it is called
#: rounding in float32, beyond the second something else; in between neither is said.
LOSS_ROUNDING, LOSS_OTHER = 1e-5, 1e-4
#: Distance after that step as a share of the step's own length. Rounding can turn around the
#: steps of an optimiser that divides by the gradient's size, such as Adam or Lion.
UPDATE_ROUNDING, UPDATE_OTHER = 3e-3, 0.3
#: A loss nearer to zero than this may have lost its digits to cancellation.
SMALL_LOSS = 1e-3

#: Settings that decide what is computed, by the beginnings of their names.
_DECISIVE = (
    "batch_size",
    "condition.dtype",
    "data",
    "keras.compile",
    "keras.dtype_policy",
    "keras.layers",
    "keras.loss",
    "keras.optimizers",
    "keras.output",
    "keras.trainable_parameters",
    "labels",
    "loss",
    "network",
    "recorder.data",
)
#: Parts of the names of settings that ask for a change of the starting weights.
_PERTURBED = ("perturbation", "nudge")
#: Names and settings that are listed.
_MOST = 3
_INSIDE = "run `fpdrift compare A B --inside`"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunVerdict(Result):
    """Why two runs differ, as far as their records show."""

    kind: Kind
    #: what it follows from, a sentence without its full stop
    reason: str
    #: what to do next, in the same form; empty where nothing is to be done
    remedy: str

    @property
    def may_be_rounding(self) -> bool:
        """Whether the records leave it possible that rounding, or a perturbation, is the cause."""
        perturbed = self.kind == "different start" and not self.remedy
        return perturbed or self.kind in ("consistent with rounding", "cannot tell")

    def __repr__(self) -> str:
        return f"RunVerdict({self})"

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"


def verdict_of(pair: Comparison) -> RunVerdict:
    """Conclude from a comparison why its two runs differ."""
    first = pair.first_difference
    if first is None:
        reason = f"no bit differs at any of {len(pair.recorded_steps):,} recorded steps"
        ours, others = pair.loss
        if np.any(ours != others, where=np.isfinite(ours) & np.isfinite(others)):
            reason += ", although the losses differ"
        batches = pair.digests_differ_from("batch")
        if batches is not None:
            reason += f"; the batches of step {batches} differ"
        return _verdict("identical", reason, "")
    settings = _decisive(pair.differs)
    if settings and pair.of_two_dtypes:
        return _different_settings(settings)
    if pair.different_weights or (pair.start == "different" and first.last_equal is None):
        return _different_start(pair, first)
    if settings:
        return _different_settings(settings)
    if first.last_equal is None:
        return _unseen_start(pair, first)
    if first.last_equal != first.step - 1:
        return _verdict(
            "cannot tell",
            f"the runs differ somewhere between step {first.last_equal} and step {first.step}, "
            "where nothing was recorded",
            f"record every step up to step {first.step}",
        )
    return _of_first_update(pair, first.step)


def _different_settings(settings: list[str]) -> RunVerdict:
    return _verdict(
        "different settings",
        f"the runs do not compute the same thing: {_listed(settings, '; ')}",
        "run both with the same settings to see what else differs",
    )


def _different_start(pair: Comparison, first: FirstDifference) -> RunVerdict:
    names = _listed([tensor.name for tensor in first.tensors], ", ")
    if any(tensor.role == "weight" for tensor in first.tensors):
        when = "before the first step" if pair.start == "different" else "after the first step"
        reason = f"the weights differ {when} by {pair.distance_at_first:.1e}, in {names}"
    else:
        reason = f"other state than the weights differs before the first step: {names}"
    if any(part in name for name in pair.differs for part in _PERTURBED):
        return _verdict("different start", f"{reason}; a perturbation was asked for", "")
    remedy = (
        "call keras.utils.set_random_seed with the same seed in both runs, before creating the "
        "model and the data"
    )
    reason = f"{reason}; {_seeds(pair)}{_generators(pair, first.step)}"
    return _verdict("different start", reason, remedy)


def _seeds(pair: Comparison) -> str:
    """Describe what the records say of the runs' seeds."""
    seeds = {name: both for name, both in pair.differs.items() if name.endswith("seed")}
    if not seeds:
        return "both record the same seed"
    if all(both in (("unknown", "unknown"), (None, None)) for both in seeds.values()):
        return "neither run called keras.utils.set_random_seed"
    return _listed(_in_words(seeds), "; ")


def _generators(pair: Comparison, last: int) -> str:
    """Describe which global random generators differ at a step up to `last`."""
    names = {"python": "Python's random", "numpy": "NumPy's global generator"}
    found = {name: pair.digests_differ_from(key, last) for key, name in names.items()}
    return "".join(
        f"; the states of {name} differ {'from the start' if not step else f'from step {step} on'}"
        for name, step in found.items()
        if step is not None
    )


def _in_words(settings: dict[str, tuple[Any, Any]]) -> list[str]:
    """Write each setting once, whatever parts of the record repeat it."""
    once = {(name.rpartition(".")[2], *map(_value, both)): name for name, both in settings.items()}
    return [f"{name} {_short(a)} in a, {_short(b)} in b" for (name, a, b) in once]


def _unseen_start(pair: Comparison, first: FirstDifference) -> RunVerdict:
    if pair.start == "not seen":
        return _verdict(
            "cannot tell",
            "the state before the first step was not recorded, so the runs may have started from "
            "different weights",
            "give the model an Input layer, so that its weights exist before fit",
        )
    return _verdict(
        "cannot tell",
        f"the runs already differ at step {first.step}, the first that both recorded",
        "record both runs from the start",
    )


def _of_first_update(pair: Comparison, step: int) -> RunVerdict:
    """Conclude from the first update that differs, which both runs made from one state."""
    batches = pair.digests_differ_from("batch", step)
    if batches is not None:
        return _verdict(
            "different computation",
            f"the batches of step {batches} differ"
            + (f", and the states from step {step} on" if batches < step else ""),
            "give both runs the same data in the same order, for example by seeding the shuffle",
        )
    if any(policy != "float32" for policy in pair.policies):
        policy = next((p for p in pair.policies if p not in ("", "float32")), "an unknown dtype")
        reason = f"the bounds of rounding are known for float32, and the runs compute in {policy}"
        return _verdict("cannot tell", reason, _INSIDE)
    loss, update = pair.loss_gap, pair.update_gap
    figures = f"step {step} starts from equal states; its losses differ by {loss:.1e}"
    if update == update:
        figures += f" and its updates by {update:.1e}, both relative"
    else:
        figures += ", relative"
    equal = pair.digest_is_equal("batch", step)
    figures += "; the batches are equal" if equal else ""
    if loss > LOSS_OTHER or update > UPDATE_OTHER:
        bound = f"rounding in float32 leaves less than {LOSS_OTHER:.0e}"
        # a seed that differs need not matter, so it is named only where something else does
        seeds = [name for name in pair.differs if name.endswith("seed")]
        figures += f"; {_seeds(pair)}" if seeds else ""
        figures += _generators(pair, step)
        data = "" if equal else "data, order, augmentation, "
        return _verdict(
            "different computation",
            f"{figures}; {bound} of a loss" if loss > LOSS_OTHER else figures,
            f"check for different {data}dropout mask, or loss",
        )
    if loss <= LOSS_ROUNDING and not update > UPDATE_ROUNDING:
        return _verdict("consistent with rounding", figures, "")
    if loss != loss:
        reason = f"no loss of step {step} alone is recorded, or it is too near to zero"
        return _verdict("cannot tell", reason, _INSIDE)
    return _verdict("cannot tell", f"{figures}: more than usual, less than proves more", _INSIDE)


def _decisive(differs: dict[str, tuple[Any, Any]]) -> list[str]:
    """List the settings that decide what is computed and that are known to differ."""
    return _in_words(
        {
            name: both
            for name, both in differs.items()
            if name.startswith(_DECISIVE) and name != "loss kind" and "unknown" not in both
        }
    )


def _listed(names: list[str], between: str) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return between.join(names[:_MOST]) + more


def _value(setting: Any) -> str:
    return "default" if setting is None else str(setting)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _verdict(kind: Kind, reason: str, remedy: str) -> RunVerdict:
    return RunVerdict(kind=kind, reason=reason, remedy=remedy)
