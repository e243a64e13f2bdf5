"""Train many runs: under several conditions, on several machines, resumed where they stopped."""

from fpdrift.ensembles._ensemble import Ensemble, ensemble

__all__ = [
    "Ensemble",
    "ensemble",
]
