"""Sources of difference: groups of conditions, bootstrap intervals, and what is said of them."""

import itertools
import math
import statistics

import numpy as np
import pytest
from made_records import made

from fpdrift.cli.screens import screen
from fpdrift.experiments import Settings, study
from fpdrift.experiments import sources as room
from fpdrift.experiments.sources import bootstrap, conditions
from fpdrift.plotting import plot
from fpdrift.results import Result
from fpdrift.training import Condition, job


@pytest.fixture
def trained(monkeypatch):
    """Make records instead of training; `bits` says whose bits are equal."""
    told = {"bits": lambda c: int.from_bytes(c.name.encode()[-6:])}

    def train(*args, **named):
        return made(*args, **named, bits=lambda condition: told["bits"](condition))

    monkeypatch.setattr(job, "train", train)
    return told


def test_each_source_changes_one_thing_alone():
    one = Condition(intra_op_threads=1, seed=5)
    groups, _ = conditions(one, 3)
    plain = one.to_dict()
    changed = {
        name: {key for c in group for key, value in c.to_dict().items() if value != plain[key]}
        for name, group in groups.items()
    }
    assert changed.pop(room.CONTROL) == set()
    assert len(changed.pop("all seeds, threads, noise")) == 3
    assert len(changed.pop("threads, noise, XLA, determ.")) == 4
    assert all(len(keys) == 1 for keys in changed.values())
    for name in ("seed of weights", "seed of data order", "seed of dropout", "all seeds"):
        assert len(set(groups[name])) == 3


def test_bootstrap_is_that_of_all_samples():
    values = [1.0, 2.0, 4.0, 8.0]
    found = bootstrap(values, np.random.default_rng(3))
    means = sorted(statistics.mean(drawn) for drawn in itertools.product(values, repeat=4))
    low, high = np.quantile(means, [0.025, 0.975])
    assert found.mean == 3.75
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.26)
    assert bootstrap(values, np.random.default_rng(3)) == found
    alone = bootstrap([2.0], np.random.default_rng(3))
    assert alone.mean == 2.0
    assert math.isnan(alone.low)


def test_a_table_is_told_and_drawn(trained, tmp_path):
    result = study("sources").run(Settings(out=tmp_path))
    lines = screen(result)
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].startswith("  Quick, not the source's size: 15 steps")
    control = result.rows[0]
    assert (control.name, control.runs, control.equal) == (room.CONTROL, 2, 2)
    assert control.distance.mean == control.loss.mean == control.accuracy.mean == 0
    assert all(row.equal == 0 for row in result.rows[1:])
    assert result.finding.startswith("The control has the same bits")
    assert Result.from_json(result.to_json()).to_json() == result.to_json()
    assert plot(result).get_title("left").startswith("What moves a training")


def test_a_control_that_differs_is_said_first(trained, tmp_path):
    count = itertools.count(2)
    trained["bits"] = lambda _: next(count)
    result = room.sources(Settings(out=tmp_path))
    assert result.finding.startswith("The control is not equal")
    assert "nondeterministic here" in result.finding


def test_where_only_seeds_matter_that_is_said(trained, tmp_path):
    trained["bits"] = lambda c: sum(c.seed_for(k) for k in ("init", "order", "dropout"))
    result = room.sources(Settings(out=tmp_path))
    assert "No drift seen in the weights from threads, " in result.finding
    assert "1e-8" not in result.finding.partition("No drift")[2]
    assert any("threads" in line and "same bits" in line for line in screen(result))
