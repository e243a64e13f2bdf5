"""Settings for every test."""

import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # tests/helpers.py

# Set before TensorFlow starts: its notices are no part of a test's output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

settings.register_profile("fpdrift", deadline=None, derandomize=True)
settings.load_profile("fpdrift")
