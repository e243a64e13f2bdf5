"""Settings for the tests of studies."""

from functools import cache

import matplotlib.pyplot as plt
import pytest

from fpdrift.training import _datasets

_noise = cache(_datasets.DATA["noise"])


@pytest.fixture(autouse=True)
def one_at_a_time(request, monkeypatch):
    """Let records be made in the order of their conditions; what is trained may go side by side."""
    if "slow" not in request.keywords:
        monkeypatch.setattr("fpdrift.ensembles._scheduler.available_cores", lambda: 1)


@pytest.fixture(autouse=True)
def figures_closed():
    """Leave no figure: after 20 of them pyplot warns, in whichever test comes next."""
    yield
    plt.close("all")


@pytest.fixture(autouse=True)
def noise_drawn_once(monkeypatch):
    """Each study reads its data; drawing 30,000 images takes longer than to make its records."""
    monkeypatch.setitem(_datasets.DATA, "noise", _noise)
