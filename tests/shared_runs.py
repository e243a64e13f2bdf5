"""Runs that are trained once and looked at by many tests, in whichever process these are."""

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from helpers import require

from fpdrift.ensembles import _remote
from fpdrift.ensembles._ensemble import ensemble
from fpdrift.training import Condition
from fpdrift.training._train import train

ONE, TWO = (Condition(intra_op_threads=count) for count in (1, 2))
#: What lessons 08 to 10 train in their small size, and most tests that need a run look at.
THREE = {"conditions": (ONE, ONE, TWO), "steps": 8}
#: TensorFlow's other path to the gradient of the loss.
OWN = Condition(intra_op_threads=1, op_determinism=True)
#: Both paths with the labels for which they differ in formula.
FUSED_AND_OWN = {"conditions": (ONE, OWN), "labels": "multi-hot", "steps": 1}


@dataclass(frozen=True)
class TrainOnce:
    """Call it like `ensemble`: what does not lie in the folder yet is trained, and all is opened.

    The files are everybody's: read them, or copy them.
    """

    folder: Path

    def __call__(self, conditions, **given):
        require("tensorflow")
        assert _remote.train is train, "what stands in for training here is nobody else's"
        with self._alone():
            done = ensemble(conditions, directory=self.folder, **given)
        return list(done.records(self.folder))

    @contextmanager
    def _alone(self):
        """Wait until no other process trains there."""
        place = f"{self.folder}.lock"
        with closing(sqlite3.connect(place, timeout=900, isolation_level=None)) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            yield
