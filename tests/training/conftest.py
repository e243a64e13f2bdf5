"""What several tests of ensembles need, and of runs that are repeated."""

import pytest
from made_records import made
from resident import Residents

from fpdrift.training import job


@pytest.fixture
def trained(monkeypatch):
    """Train by `made` in this process, in its threads, too; collect the conditions."""
    conditions = []

    def train(condition, *args, **named):
        conditions.append(condition)
        return made(condition, *args, **named)

    monkeypatch.setattr(job, "train", train)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return conditions


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
