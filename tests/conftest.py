"""Settings for every test."""

import os
import sys

import pytest
from hypothesis import settings

# Set before TensorFlow starts: its notices are no part of a test's output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

settings.register_profile("fpdrift", deadline=None, derandomize=True)
settings.load_profile("fpdrift")


@pytest.fixture(autouse=True)
def close_figures():
    """Close pyplot's figures after each test: it warns of more than 20, and a warning is an error.

    It is not imported for that: most tests do without it.
    """
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(scope="session")
def train_once(tmp_path_factory):
    """Train under conditions, each run once for all tests and processes of a session."""
    from shared_runs import TrainOnce

    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # each worker has a folder of its own in it
    return TrainOnce(base / "trained")
