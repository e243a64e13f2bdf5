"""The table of five runs: its conditions, its figures, and what it says about itself."""

import dataclasses
import math
import re

import numpy as np
import pytest
from made_records import made

from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.ensembles import _remote as room
from fpdrift.errors import FpdriftError
from fpdrift.experiments import Settings, _five_runs, experiment, study
from fpdrift.experiments._five_runs import SOURCE, five_conditions, largest
from fpdrift.experiments._runs import TrainedRun
from fpdrift.records import open_record
from fpdrift.serialization import Result
from fpdrift.training._datasets import load


@pytest.fixture
def trained(monkeypatch):
    """Train by `made`, which gives other bits to other thread counts alone."""
    conditions = []

    def train(condition, *args, **named):
        conditions.append(condition)
        return made(condition, *args, **named)

    monkeypatch.setattr(room, "train", train)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return conditions


@pytest.mark.parametrize(
    ("features", "skipped", "names"),
    [
        (("sse4_2", "avx2", "avx512f"), [], ["oneDNN off", "AVX2"]),
        (("sse4_2", "avx2"), [], ["oneDNN off", "SSE41"]),
        (("sse4_2", "avx"), ["older instructions"], ["oneDNN off", "threads=3"]),
        (("asimd", "sve"), ["oneDNN off", "older instructions"], ["threads=3", "threads=8"]),
        ((), ["oneDNN off", "older instructions"], ["threads=3", "threads=8"]),
    ],
)
def test_five_conditions_that_the_machine_can_have(features, skipped, names):
    conditions, why = five_conditions(7, features)
    assert list(why) == skipped
    assert len({condition.name for condition in conditions}) == 5
    assert {condition.seed for condition in conditions} == {7}
    assert conditions[0].name == "threads=1, seed=7"
    assert [name for name in names if any(name in c.name for c in conditions)] == names


def test_the_source_s_own_figure():
    losses = [row[0] for row in SOURCE]
    assert f"{100 * largest(losses):.4f}" == "0.0144"
    assert largest([4.0, 5.0, 1.0]) == 0.75


@pytest.mark.parametrize("size", ["quick", "full"])
def test_figures_are_those_of_the_records(trained, tmp_path, size):
    settings = Settings(out=tmp_path, full=size == "full")
    result = study("five-runs").run(settings)
    steps = {"quick": 60, "full": 469}[size]
    assert (result.size, result.steps, result.seed) == (size, steps, 1)
    answers = load("noise", "multi-hot", validation=256).validation_labels
    assert len(trained) == 10
    assert [c.op_determinism for c in trained] == [False] * 5 + [True] * 5
    for gradient in result.gradients:
        losses = []
        for run in gradient.runs:
            record = open_record(tmp_path / "five-runs" / run.record)
            assert record.meta["data"]["labels"] == "multi-hot"
            batches = [64] * (steps - 1) + [48 if steps == 469 else 64]
            total = math.fsum(b * x for b, x in zip(batches, record.loss[1:], strict=True))
            losses.append(total / sum(batches))
            assert run.loss == pytest.approx(losses[-1], rel=1e-12)
            assert run.accuracy == record.metrics["accuracy"][-1]
            assert run.validation_loss == pytest.approx(
                answers.sum() / 256 * -math.log(np.float32(0.1)), rel=1e-12
            )
            assert run.validation_accuracy == (answers.argmax(axis=1) == 0).mean()
        assert gradient.figure == max(abs(x - losses[0]) / losses[0] for x in losses)
        # of the five, those with one thread have the same bits
        threads = {c.intra_op_threads for c in trained}
        assert gradient.distinct == len(threads)
    again = study("five-runs").run(settings)
    assert again.to_json() == result.to_json()
    assert len(trained) == 10
    assert Result.from_json(result.to_json()) == result


def test_quick_never_poses_as_full(trained, tmp_path, capsys):
    argv = ["experiment", "five-runs", "--out", str(tmp_path), "--json", str(tmp_path / "a.json")]
    assert main([*argv, "--quick"]) == 0
    printed = capsys.readouterr().out.splitlines()
    saved = Result.from_json((tmp_path / "a.json").read_text())
    assert printed == screen(saved)
    made_by = saved.provenance
    said = " ".join(" ".join(printed).split())
    assert printed[0].startswith("  The losses differ from the first run's by at most ")
    assert "Size: quick, smaller than in the forum answer. 60 steps; network: answer;" in said
    assert f"Measured on {made_by.cpu}, {made_by.cores} core" in said
    assert f"{made_by.python}, numpy {made_by.packages['numpy']}" in said
    assert f"fpdrift {made_by.fpdrift}, code {made_by.code}." in said
    assert not any("Claim" in line for line in printed)
    assert main([*argv, "--full"]) == 0
    printed = capsys.readouterr().out.splitlines()
    said = " ".join(" ".join(printed).split())
    assert "Size: as large as in the forum answer. 469 steps;" in said
    assert "Claim: the losses of the forum answer's five runs differ by at most 0.0144 %." in said
    assert all(len(line) <= 80 for line in printed)


def test_what_was_not_seen_and_what_was_left_out_is_said():
    runs = tuple(
        TrainedRun(
            label=f"threads={k}",
            condition=f"threads={k}",
            record=f"{k}.fpdrift",
            loss=2.5,
            accuracy=0.1,
            validation_loss=2.4,
            validation_accuracy=0.2,
            weights="0",
        )
        for k in (1, 2)
    )
    same = _five_runs.GradientRuns(gradient="fused", runs=runs, figure=0.0, distinct=1)
    text = " ".join(screen(same))
    assert "No drift seen: 2 runs ended with the same hash" in " ".join(text.split())
    other = dataclasses.replace(same, figure=0.00144, distinct=2)
    text = " ".join(screen(other))
    assert "2 different sets of weights" in text
    assert "0.144 %" in text
    whole = _five_runs.FiveRuns(
        size="quick",
        network="answer",
        data="noise",
        labels="multi-hot",
        seed=1,
        steps=60,
        validation_images=256,
        gradients=(same,),
        source=0.000144,
        skipped={"oneDNN off": "no such processor"},
    )
    assert "  Skipped: oneDNN off (no such processor)." in screen(whole)


def test_unknown_experiment_names_all(capsys):
    assert main(["experiment", "dance"]) == 2
    assert re.search(r"choose from .*five-runs, .*order, chain", capsys.readouterr().err)
    assert main(["experiment", "five-runs", "--quick", "--full"]) == 2
    with pytest.raises(FpdriftError, match="unknown step 'five-runs'"):  # of the demo
        experiment("five-runs")
