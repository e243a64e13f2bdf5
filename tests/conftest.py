"""Settings for every test."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # tests/helpers.py

# Set before TensorFlow starts: its notices are no part of a test's output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

settings.register_profile("fpdrift", deadline=None, derandomize=True)
settings.load_profile("fpdrift")


@pytest.fixture(scope="session")
def train_once(tmp_path_factory):
    """Train under conditions, each run once for all tests and processes of a session."""
    from shared_runs import TrainOnce

    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # each worker has a folder of its own in it
    return TrainOnce(base / "trained")
