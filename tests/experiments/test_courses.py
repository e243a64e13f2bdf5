"""Doses and amplifiers: which runs are made, and that what is said follows from their distances."""

import numpy as np
import pytest
from made_records import made

from fpdrift.cli.screens import screen
from fpdrift.experiments import Settings, courses, study
from fpdrift.plotting import plot
from fpdrift.records import open_record
from fpdrift.results import Result
from fpdrift.training import job
from fpdrift.training.networks import NETWORKS


@pytest.fixture
def trained(monkeypatch):
    told = {"bits": lambda c: int(-np.log10(c.perturbation.size)) if c.perturbation else 1}
    told["runs"] = []

    def train(condition, network, *args, **named):
        told["runs"].append((network, condition))
        return made(condition, network, *args, **named, bits=told["bits"])

    monkeypatch.setattr(job, "train", train)
    return told


@pytest.mark.parametrize("name", ["dose", "amplifiers"])
def test_lines_are_the_records_distances(name, trained, tmp_path):
    result = study(name).run(Settings(out=tmp_path))
    assert (result.name, result.size) == (name, "quick")
    lines = screen(result)
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].startswith("  Quick, not the source's size: ")
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
    result = courses.amplifiers(Settings(out=tmp_path, seed=4))
    variants = [name for name in NETWORKS if name.startswith("answer")]
    assert [name for name, _ in trained["runs"]] == [n for n in variants for _ in range(2)]
    assert len({condition for _, condition in trained["runs"]}) == 2
    assert len(result.labels) == len(variants)
    grown = result.distance[:, -1] / result.distance[:, 0]
    assert f"{courses.plain(grown.max())} times in the network" in result.finding


def test_doses_that_leave_nothing_are_said(trained, tmp_path):
    trained["bits"] = lambda _: 1
    result = courses.dose(Settings(out=tmp_path))
    assert result.finding == "No nudge left a difference in the weights at the end."
    assert sum("same bits" in line for line in screen(result)) == len(result.labels)
    plot(result)
    result = courses.amplifiers(Settings(out=tmp_path))
    assert result.finding.startswith("No nudge left a difference in any")


def test_full_doses_go_through_every_decade(trained, tmp_path):
    result = courses.dose(Settings(out=tmp_path, full=True))
    assert result.labels == tuple(f"1e-{k:02d}" for k in range(12, 1, -1))
    assert result.last == 469
    assert [int(result.steps[c]) for c in result.told] == [1, 10, 100, 469]
