"""Tiny nudges of weights - noise, one ulp, one bit - with an account of what really changed."""

from fpdrift.perturbation.account import Binade, NudgeAccount, TensorNudge
from fpdrift.perturbation.description import Perturbation
from fpdrift.perturbation.perturb import flip_bit, nudge, nudge_ulp, perturb

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
