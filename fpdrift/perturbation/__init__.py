"""Tiny perturbations of weights (noise, one ulp, one bit), with a report of what changed."""

from fpdrift.perturbation._nudge import flip_bit, nudge, nudge_ulp, perturb
from fpdrift.perturbation._report import Binade, NudgeAccount, TensorNudge
from fpdrift.perturbation._spec import Perturbation

__all__ = [
    "Binade",
    "NudgeAccount",
    "Perturbation",
    "TensorNudge",
    "flip_bit",
    "nudge",
    "nudge_ulp",
    "perturb",
]
