"""Doses and amplifiers: which runs are made, and that what is said follows from their distances."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from made_records import made

from fpdrift.cli.screens import screen
from fpdrift.ensembles import _remote
from fpdrift.experiments import Settings, _amplification, study
from fpdrift.experiments._runs import distance_excluding_zero_gradient
from fpdrift.perturbation import Perturbation
from fpdrift.plotting import plot
from fpdrift.records import open_record
from fpdrift.serialization import Result
from fpdrift.training import Condition
from fpdrift.training._networks import NETWORKS


@pytest.fixture
def trained(monkeypatch):
    told = {"bits": lambda c: int(-np.log10(c.perturbation.size)) if c.perturbation else 1}
    told["runs"] = []

    def train(condition, network, *args, **named):
        told["runs"].append((network, condition))
        return made(condition, network, *args, **named, bits=told["bits"])

    monkeypatch.setattr(_remote, "train", train)
    return told


@pytest.mark.parametrize("name", ["dose", "amplifiers"])
def test_lines_are_the_records_distances(name, trained, tmp_path):
    result = study(name).run(Settings(out=tmp_path))
    assert (result.name, result.size) == (name, "quick")
    lines = screen(result)
    assert all(len(line) <= 80 for line in lines)
    assert any(line.startswith("  Size: quick, smaller than in the forum") for line in lines)
    for label, distances in zip(result.labels, result.distance, strict=True):
        folder = tmp_path / name
        folder = folder if name == "dose" else folder / next(iter(_networks(label)))
        files = {("nudge" in path.name): path for path in folder.glob("*.fpdrift")}
        if name == "dose":
            size = str(float(label))
            files[True] = next(p for p in folder.glob("*.fpdrift") if f"nudge-{size}-on" in p.name)
        a, b = (open_record(files[nudged]) for nudged in (False, True))
        away = np.linalg.norm(a.kept[0] - b.kept[0], axis=1) / np.linalg.norm(a.kept[0], axis=1)
        assert distances == pytest.approx(away, rel=1e-12)
    assert Result.from_json(result.to_json()).to_json() == result.to_json()
    assert plot(result).get_xlabel() == "training step"


def _networks(label):
    return [n for n in NETWORKS if n.removeprefix("answer-") == label]


def test_each_variant_of_the_answer_is_nudged_alike(trained, tmp_path):
    result = _amplification.amplifiers(Settings(out=tmp_path, seed=4))
    variants = [name for name in NETWORKS if name.startswith("answer")]
    assert [name for name, _ in trained["runs"]] == [n for n in variants for _ in range(2)]
    plain, nudged = dict.fromkeys(condition for _, condition in trained["runs"])
    assert plain == Condition(intra_op_threads=1, seed=4)
    noise = Perturbation(kind="noise", size=1e-8, fraction=0.5, seed=4)
    assert nudged == Condition(intra_op_threads=1, seed=4, perturbation=noise)
    assert len(result.labels) == len(variants)
    grown = result.distance[:, -1] / result.distance[:, 0]
    assert f"{_amplification.plain(grown.max())} in 9 networks." in result.finding
    assert not any(repr(name) in result.finding for name in result.labels)  # one draw ranks nothing
    assert result.finding.endswith("these runs give no ranking.")


def test_doses_that_leave_nothing_are_said(trained, tmp_path):
    trained["bits"] = lambda _: 1
    result = _amplification.dose(Settings(out=tmp_path))
    assert result.finding == "No nudge left a difference in the weights at the end."
    told = screen(result)
    assert sum(line.split()[1:] == ["equal"] * 4 for line in told) == len(result.labels)
    assert "equal: the same bits." in " ".join(" ".join(told).split())
    names = [text.get_text() for text in plot(result).get_legend().get_texts()]
    assert names == [f"{label} (equal weights)" for label in result.labels]
    result = _amplification.amplifiers(Settings(out=tmp_path))
    assert result.finding.startswith("No nudge left a difference in any")


def test_full_doses_go_through_every_decade(trained, tmp_path):
    result = _amplification.dose(Settings(out=tmp_path, full=True))
    assert result.labels == tuple(f"1e-{k:02d}" for k in range(12, 1, -1))
    nudges = [c.perturbation for _, c in trained["runs"]]
    assert nudges[0] is None
    assert [(p.kind, p.fraction, p.seed) for p in nudges[1:]] == [("noise", 0.5, 1)] * 11
    assert [p.size for p in nudges[1:]] == [float(label) for label in result.labels]
    assert result.last == 469
    assert [int(result.steps[c]) for c in result.told] == [1, 10, 100, 469]


def test_runs_that_left_the_finite_numbers_are_no_nudges_that_are_gone():
    made = _amplification.DistanceCurves(
        name="dose",
        size="quick",
        data="noise",
        seed=1,
        last=8,
        labels=("a", "b", "c", "d"),
        steps=np.array([0, 8]),
        distance=np.array([[1e-8, 1e-2], [1e-8, np.nan], [2e-8, 4e-2], [1e-8, 0]]),
    )
    told = _amplification._describe_doses(made)
    assert told.startswith("3 of 4 nudges survived 8 steps, 1 in runs whose weights became NaN or")
    assert told.endswith(
        "The distances of the others were 1.0e-08 to 2.0e-08 at the start and 1.0e-02 to 4.0e-02 "
        "at the end, where their order is that of the nudges."
    )
    turned = dataclasses.replace(made, distance=made.distance[::-1])
    assert _amplification._describe_doses(turned).endswith("order is not that of the nudges.")
    told = _amplification._describe_amplified(made)
    assert told == (
        "The weights became NaN or infinite in b. In 8 steps the distance grew by a factor of "
        "0 to 2,000,000 in 3 networks."
    )
    gone = dataclasses.replace(made, distance=np.array([[1e-8, np.inf]] * 4))
    assert _amplification._describe_doses(gone).endswith(
        "4 in runs whose weights became NaN or infinite."
    )
    assert (
        _amplification._describe_amplified(gone)
        == "The weights became NaN or infinite in a, b, c, d."
    )


def test_biases_that_rounding_alone_moves_are_told_apart(trained, tmp_path):
    """What is said comes from the others, and of all as well."""
    result = _amplification.amplifiers(Settings(out=tmp_path))
    assert result.with_noise is None  # made records have no such bias
    assert "true gradient" not in " ".join(screen(result))
    distance = np.outer(np.arange(1, 10), np.linspace(1, 2, len(result.steps))) * 1e-8
    distance[2, -1] = 1.0
    of_all = 2 * distance
    of_all[2, -1], of_all[4, -1] = 4e-8, 1.0
    both = dataclasses.replace(result, distance=distance, of_all=of_all)
    without, _, with_them = both.finding.partition(
        " Including the biases whose true gradient is zero, "
    )
    assert "In 20 steps the distance grew by a factor of 2 to 33,000,000" in without
    assert "in 20 steps the distance grew by a factor of 0.67 to 10,000,000" in with_them
    lines = screen(both)
    tables = [line for line in lines if line.split()[:1] == [result.labels[2]]]
    assert [line.split()[-1] for line in tables] == ["1.0e+00", "4.0e-08"]
    assert "excluding biases whose true gradient is zero." in " ".join(" ".join(lines).split())
    assert "without biases of zero gradient" in plot(both).get_ylabel()
    assert "without biases" not in plot(result).get_ylabel()


def test_what_is_learned_is_all_where_no_record_names_such_biases():
    all_of_them, others = np.array([2.0]), np.array([1.0])
    for known, expected in ((others, others), (None, all_of_them)):
        pair = SimpleNamespace(distance=all_of_them, distance_without_zero_gradient=known)
        assert distance_excluding_zero_gradient(pair) is expected
