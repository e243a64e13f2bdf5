"""Settings for the tests of studies."""

import pytest


@pytest.fixture(autouse=True)
def one_at_a_time(request, monkeypatch):
    """Let records be made in the order of their conditions; what is trained may go side by side."""
    if "slow" not in request.keywords:
        monkeypatch.setattr("fpdrift.training.workers.available_cores", lambda: 1)
