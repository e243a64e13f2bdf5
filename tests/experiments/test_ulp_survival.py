"""One ulp in drawn weights: which weights, which runs, and what is said of them."""

import numpy as np
import pytest
from made_records import made

from fpdrift.cli.screens import screen
from fpdrift.ensembles import _remote as room
from fpdrift.experiments import Settings, study
from fpdrift.experiments._survival import NUDGES, STEPS, draw_nudges
from fpdrift.serialization import Result
from fpdrift.training._networks import starting_weights


def test_drawn_weights_are_of_any_tensor_that_is_not_zero():
    weights = starting_weights("answer", 1)
    drawn = draw_nudges(weights, 60, 1)
    assert len(drawn) == 60
    assert {p.tensor for p in drawn.values()} == {n for n in weights if weights[n].any()}
    assert {p.steps for p in drawn.values()} == {-1, 1}
    for name, nudge in drawn.items():
        assert name == f"{nudge.tensor} {'.'.join(map(str, nudge.index))}"
        assert weights[nudge.tensor][nudge.index] != 0 or "kernel" in name
    assert drawn == draw_nudges(weights, 60, 1) != draw_nudges(weights, 60, 2)


@pytest.fixture
def trained(monkeypatch):
    """Let what a nudge did be gone at once, half of the time, and stay otherwise."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    conditions = []

    def bits(condition):
        nudge = condition.perturbation
        return 0 if nudge is None or nudge.steps > 0 else sum(nudge.index) + 1

    def train(condition, *args, **named):
        conditions.append(condition)
        return made(condition, *args, **named, bits=bits)

    monkeypatch.setattr(room, "train", train)
    return conditions


def test_absorbed_ulps_are_counted_and_told(trained, tmp_path):
    found = study("survival").run(Settings(out=tmp_path))
    assert len(trained) == NUDGES["quick"] + 2
    assert [c.perturbation for c in trained[:2]] == [None, None]
    gone = sum(c.perturbation.steps > 0 for c in trained[2:])
    assert 0 < gone < NUDGES["quick"]
    assert (found.survival.n, found.survival.events) == (NUDGES["quick"], gone)
    assert list(found.survival.censored) == [STEPS["quick"]] * (NUDGES["quick"] - gone)
    drawn = (
        "Of 24 one-ulp changes, each to one weight (a tensor was drawn first, then one of its "
        "elements)"
    )
    assert f"{drawn}, {gone} were absorbed within" in found.finding
    assert "(95 % interval " in found.finding
    assert "excluding biases whose true gradient is zero" in found.finding
    assert "so this holds for its training only" in found.finding
    text = "\n".join(screen(found))
    assert "Size: quick, smaller than in the forum" in text
    assert "still there" in text
    assert any(line.split()[:2] == ["0", str(gone)] for line in screen(found))
    assert max(map(len, screen(found))) <= 80
    assert repr(Result.from_json(found.to_json())) == repr(found)


def test_nothing_is_said_of_an_ulp_where_the_repeated_run_differs(monkeypatch, tmp_path):
    rng = np.random.default_rng(1)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(
        room, "train", lambda *a, **k: made(*a, **k, bits=lambda _: int(rng.integers(2**31)))
    )
    found = study("survival").run(Settings(out=tmp_path))
    assert "the effect of one ulp cannot be measured" in found.finding
    assert not any("still there" in line for line in screen(found))  # a table of no rows
