"""Train a network under a condition, in a process of its own, and get the record of the run."""

from fpdrift.training.condition import Condition
from fpdrift.training.run import train

__all__ = ["Condition", "train"]
