"""What several tests need of runs that are repeated."""

import pytest
from resident import Residents


@pytest.fixture(scope="module")
def residents():
    """Processes that this file's tasks may share."""
    with Residents() as processes:
        yield processes


@pytest.fixture
def shared_processes(residents):
    """Start no process for a task of its own."""
    with residents.instead():
        yield
