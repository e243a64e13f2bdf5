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


@pytest.fixture(autouse=True)
def close_figures():
    """Close pyplot's figures after each test: it warns of more than 20, and a warning is an error.

    It is not imported for that: most tests do without it.
    """
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
