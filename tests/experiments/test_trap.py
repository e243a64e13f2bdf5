"""The trap: what is said follows from how far one step takes the two paths apart."""

import dataclasses

import numpy as np
import pytest
from made_records import made

from fpdrift.cli.screens import screen
from fpdrift.drift import compare
from fpdrift.experiments import Settings, study, trap
from fpdrift.plotting import plot
from fpdrift.records import open_record
from fpdrift.results import Result
from fpdrift.training import Condition, job, train


@pytest.fixture
def trained(monkeypatch):
    monkeypatch.setattr(job, "train", lambda *a, **named: made(*a, **named, bits=_bits))


def _bits(condition):
    return 2 if condition.op_determinism else 1


def test_rows_are_the_records_distances(trained, tmp_path):
    result = study("trap").run(Settings(out=tmp_path))
    lines = screen(result)
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].startswith("  Quick, not the source's size: 100 steps")
    for path in result.paths:
        files = sorted((tmp_path / "trap").glob(f"*{path.labels}*.fpdrift"))
        own, fused = sorted(files, key=lambda file: "determinism" not in file.name)
        pair = compare(fused, own)
        assert (path.first, path.last) == (pair.distance[1], pair.distance[-1])
        assert path.losses[0] == pytest.approx(np.mean(open_record(fused).loss[1:]), rel=1e-12)
    assert Result.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (3.7e-2, "apart after a single step (340,000 times as far as with one-hot"),
        (1e-7, "No trap seen: with labels that do not sum to one the two paths are 1.0e-07"),
        (0.0, "No trap seen"),
    ],
)
def test_what_is_said_follows(first, words):
    sound = trap.TwoPaths(labels="one-hot", first=1.1e-7, last=0.1, losses=(2.5, 2.5))
    odd = dataclasses.replace(sound, labels="multi-hot", first=first)
    assert words in trap._tell(sound, odd)
    same = dataclasses.replace(sound, first=0.0)
    assert ("those not at all" in trap._tell(same, odd)) == (first > 1e-4)
    names = {"network": "answer", "data": "noise", "claim": "So.", "finding": "So."}
    result = trap.Trap(**names, size="quick", seed=1, steps=9, paths=(same, odd))
    plot(result)


@pytest.mark.slow
def test_one_real_step_by_both_paths(tmp_path):
    found = {}
    for labels in ("one-hot", "multi-hot"):
        runs = [
            train(
                Condition(intra_op_threads=1, op_determinism=own),
                labels=labels,
                steps=1,
                path=tmp_path / f"{labels}-{own}.fpdrift",
            )
            for own in (False, True)
        ]
        found[labels] = float(compare(*runs).distance[1])
    # rounding alone, whatever the machine
    assert found["one-hot"] < trap.SUSPECT / 10
    # far on the other side, or, in a TensorFlow that has mended it, on this one
    assert not trap.SUSPECT / 10 < found["multi-hot"] < 10 * trap.SUSPECT
