"""What several tests of ensembles need."""

import pytest
from made_records import made

from fpdrift.ensembles import _remote


@pytest.fixture
def trained(monkeypatch):
    """Train by `made` in this process, in its threads, too; collect the conditions."""
    conditions = []

    def train(condition, *args, **named):
        conditions.append(condition)
        return made(condition, *args, **named)

    monkeypatch.setattr(_remote, "train", train)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return conditions
