"""What several rooms' tests share."""

import importlib
import os

import pytest


def require(module):
    """Import an optional module; without it skip, or fail where everything is required."""
    try:
        return importlib.import_module(module)
    except ImportError:
        if os.environ.get("FPDRIFT_REQUIRE_ALL") == "1":
            pytest.fail(
                f"{module} is not installed, and FPDRIFT_REQUIRE_ALL=1 says that it must be"
            )
        pytest.skip(f"{module} is not installed")
