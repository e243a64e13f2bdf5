"""What several rooms' tests share."""

import importlib
import os

import pytest


def require(module):
    """Import an optional module; without it skip, or fail where everything is required."""
    try:
        return importlib.import_module(module)
    except ImportError:
        missing(f"{module} is not installed")


def cases(every, sample):
    """Give a sample of a table; all of it where `tests/faults/whole_tables.py` asks for that."""
    return list(every if os.environ.get("FPDRIFT_WHOLE_TABLES") == "1" else sample)


def missing(why):
    """Skip for want of what can be installed; fail where everything is required."""
    if os.environ.get("FPDRIFT_REQUIRE_ALL") == "1":
        pytest.fail(f"{why}, and FPDRIFT_REQUIRE_ALL=1 says that it must be")
    pytest.skip(why)
